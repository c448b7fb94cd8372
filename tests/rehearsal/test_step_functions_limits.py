"""The history and the data of a state end where AWS ends them, and cost what it counts."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from quorumshift.rehearsal.aws import step_functions_history
from quorumshift.rehearsal.aws.step_functions_sizes import LARGEST, size
from quorumshift.rehearsal.world import World
from tests.rehearsal.conftest import Functions
from tests.rehearsal.machines import Machines, ended, kinds, run, start, task
from tests.workflows.event_costs import BOTH_ENDS, cost

SOURCE = """
class Transient(Exception): pass

def echo(event, context): return event
def refuse(event, context): raise Transient("nobody answers")
def much(event, context): return "x" * event["letters"]
"""
ROUND = {
    "Again": {"Type": "Pass", "Next": "Rest"},
    "Rest": {"Type": "Wait", "Seconds": 0, "Next": "Again"},
}


def test_every_kind_of_state_costs_what_the_budget_counts(
    world: World, machine: Machines, functions: Functions
) -> None:
    names = functions(SOURCE, "echo", "refuse")
    retry = {"ErrorEquals": ["Transient"], "IntervalSeconds": 1, "MaxAttempts": 2}
    catch = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Pause"}
    states: dict[str, Any] = {
        "Begin": {"Type": "Pass", "Next": "Ask"},
        "Ask": task(names["echo"], Next="Try"),
        "Try": task(names["refuse"], Retry=[retry], Catch=[catch], Next="Pause"),
        "Pause": {"Type": "Wait", "Seconds": 0, "Next": "Which"},
        "Which": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.failure", "IsPresent": True, "Next": "Lost"}],
            "Default": "Well",
        },
        "Lost": {"Type": "Fail", "Error": "Lost"},
        "Well": {"Type": "Succeed"},
    }
    execution = start(world, machine(states))
    assert ended(world, execution)["error"] == "Lost"
    passed = {name: states[name] for name in states if name not in ("Well", "Try")}
    expected = sum(cost(state) for state in passed.values()) + cost(states["Try"], tries=3)
    assert len(kinds(world, execution)) == BOTH_ENDS + expected
    well = start(world, machine({"Well": states["Well"]}))
    assert ended(world, well)["status"] == "SUCCEEDED"
    assert len(kinds(world, well)) == BOTH_ENDS + cost(states["Well"])


def test_an_execution_fails_where_its_history_is_full(
    world: World, machine: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_functions_history, "MOST_EVENTS", 60)
    execution = start(world, machine(ROUND))
    result = ended(world, execution)
    assert (result["status"], result["error"]) == ("FAILED", "States.Runtime")
    assert "reached the maximum number of history events (60)" in result["cause"]
    found = kinds(world, execution)
    assert (len(found), found[-1]) == (60, "ExecutionFailed")


@pytest.mark.parametrize("most", [10, 11, 12, 13])
def test_no_catch_holds_an_execution_whose_history_is_full(
    world: World,
    machine: Machines,
    functions: Functions,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
) -> None:
    monkeypatch.setattr(step_functions_history, "MOST_EVENTS", most)
    catch = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Again"}
    states = {
        "Ask": task(functions(SOURCE, "refuse")["refuse"], Catch=[catch], End=True),
        "Again": {"Type": "Pass", "Next": "Ask"},
    }
    execution = start(world, machine(states))
    assert ended(world, execution)["error"] == "States.Runtime"
    assert len(kinds(world, execution)) == most


def test_a_state_may_hold_what_aws_allows_and_no_byte_more(
    world: World, machine: Machines, functions: Functions
) -> None:
    name = functions(SOURCE, "much")["much"]
    arn = machine({"Ask": task(name, ResultPath="$.found", End=True)})
    letters = LARGEST - size({"letters": 100_000, "found": ""})
    assert run(world, arn, {"letters": letters})["status"] == "SUCCEEDED"
    result = run(world, arn, {"letters": letters + 1})
    assert (result["status"], result["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_the_data_is_measured_as_its_compact_text_in_utf_8() -> None:
    assert size({"a": [1, 2]}) == len('{"a":[1,2]}')
    assert size("ä") == 4


def test_an_input_that_is_too_large_starts_nothing(world: World, machine: Machines) -> None:
    arn = machine({"Nothing": {"Type": "Pass", "End": True}})
    with pytest.raises(ClientError, match=f"may have {LARGEST}"):
        start(world, arn, {"description": "x" * LARGEST})
    client = world.client("stepfunctions")
    assert client.list_executions(stateMachineArn=arn)["executions"] == []
