"""RedriveExecution goes on from the state that did not succeed, as AWS documents it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from quorumshift.rehearsal.world import World
from tests.rehearsal.conftest import Functions
from tests.rehearsal.machines import Machines, ended, kinds, start, task
from tests.rehearsal.stage import until

SOURCE = """
import json, os, pathlib, time

def note(event, context):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(json.dumps(event) + "\\n")
    return "noted"

def slow(event, context):
    note(event, context)
    while os.path.exists(os.environ["HOLD"]):
        time.sleep(0.01)
    return "slow"

def refuse(event, context): raise RuntimeError("no")
"""
REST = {"Rest": {"Type": "Wait", "Seconds": 6000, "End": True}}


@pytest.fixture
def notes(tmp_path: Path) -> Callable[[str], list[Any]]:
    """``notes("slow")``: the inputs that a function was called with."""

    def read(name: str) -> list[Any]:
        file = tmp_path / name
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]

    return read


def stop(world: World, execution: str) -> None:
    world.client("stepfunctions").stop_execution(executionArn=execution, error="ByHand")


def redrive(world: World, execution: str, **more: str) -> Any:
    answer = world.client("stepfunctions").redrive_execution(executionArn=execution, **more)
    return answer["redriveDate"]


def describe(world: World, execution: str) -> dict[str, Any]:
    return dict(world.client("stepfunctions").describe_execution(executionArn=execution))


def test_a_stopped_execution_runs_its_state_again_and_nothing_that_succeeded(
    world: World,
    machine: Machines,
    functions: Functions,
    notes: Callable[[str], list[Any]],
    tmp_path: Path,
) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    first = functions(SOURCE, "note", NOTES=str(tmp_path / "first"))["note"]
    slow = functions(SOURCE, "slow", NOTES=str(tmp_path / "slow"), HOLD=str(hold))["slow"]
    states = {
        "First": task(first, ResultPath="$.first", Next="Slow"),
        "Slow": task(slow, ResultPath="$.slow", End=True),
    }
    execution = start(world, machine(states), {"asked": 1})
    until(lambda: len(notes("slow")) == 1)
    before = describe(world, execution)
    assert (before["redriveCount"], before["redriveStatus"]) == (0, "NOT_REDRIVABLE")
    stop(world, execution)
    assert describe(world, execution)["redriveStatus"] == "REDRIVABLE"
    assert kinds(world, execution)[-1] == "ExecutionAborted"

    redrive(world, execution)
    again = describe(world, execution)
    assert (again["status"], again["redriveCount"]) == ("RUNNING", 1)
    assert again["startDate"] == before["startDate"]
    assert not {"stopDate", "error", "cause"} & set(again)
    until(lambda: len(notes("slow")) == 2)  # while the first call has not ended
    hold.unlink()
    result = ended(world, execution)

    assert json.loads(result["output"]) == {"asked": 1, "first": "noted", "slow": "slow"}
    assert notes("first") == [{"asked": 1}]
    assert notes("slow") == [{"asked": 1, "first": "noted"}] * 2
    slow_again = ["TaskStateEntered", "LambdaFunctionScheduled", "LambdaFunctionStarted"]
    ends = ["LambdaFunctionSucceeded", "TaskStateExited"]
    assert kinds(world, execution) == [
        "ExecutionStarted",
        *slow_again,
        *ends,
        *slow_again,
        "ExecutionAborted",
        "ExecutionRedriven",
        *slow_again,
        *ends,
        "ExecutionSucceeded",
    ]
    history = world.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
    assert [event["id"] for event in history] == list(range(1, len(history) + 1))
    (redriven,) = [each for each in history if each["type"] == "ExecutionRedriven"]
    assert redriven["executionRedrivenEventDetails"] == {"redriveCount": 1}


def test_a_stopped_wait_begins_anew(world: World, machine: Machines) -> None:
    arn = machine({"Rest": {"Type": "Wait", "Seconds": 60, "End": True}})
    execution = start(world, arn)
    stop(world, execution)
    date = redrive(world, execution)
    assert (ended(world, execution)["stopDate"] - date).total_seconds() >= 0.99


def test_retriers_begin_anew(world: World, machine: Machines, functions: Functions) -> None:
    retry = {"ErrorEquals": ["RuntimeError"], "IntervalSeconds": 1, "MaxAttempts": 2}
    name = functions(SOURCE, "refuse")["refuse"]
    execution = start(world, machine({"Try": task(name, Retry=[retry], End=True)}))
    assert ended(world, execution)["status"] == "FAILED"
    redrive(world, execution)
    assert ended(world, execution)["error"] == "RuntimeError"
    found = kinds(world, execution)
    assert found.count("LambdaFunctionFailed") == 6
    assert found.count("ExecutionFailed") == 2


def test_the_machines_time_begins_anew(world: World, machine: Machines) -> None:
    execution = start(world, machine(REST, timeout=1))
    assert ended(world, execution)["status"] == "TIMED_OUT"
    date = redrive(world, execution)
    result = ended(world, execution)
    assert (result["status"], result["redriveCount"]) == ("TIMED_OUT", 1)
    assert (result["stopDate"] - date).total_seconds() >= 0.99
    once = ["WaitStateEntered", "ExecutionTimedOut"]
    assert kinds(world, execution) == ["ExecutionStarted", *once, "ExecutionRedriven", *once]


def test_the_context_object_counts(world: World, machine: Machines, functions: Functions) -> None:
    states = {
        "Rest": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Count"},
        "Count": {
            "Type": "Pass",
            "Parameters": {"redrives.$": "$$.Execution.RedriveCount"},
            "End": True,
        },
    }
    arn = machine(states)
    assert json.loads(ended(world, start(world, arn, {"seconds": 1}))["output"]) == {"redrives": 0}
    execution = start(world, arn, {"seconds": 60})
    stop(world, execution)
    redrive(world, execution)
    assert json.loads(ended(world, execution)["output"]) == {"redrives": 1}


def test_what_runs_or_has_succeeded_is_not_redriven(world: World, machine: Machines) -> None:
    execution = start(world, machine({"Rest": {"Type": "Wait", "Seconds": 60, "End": True}}))
    for status in ("RUNNING", "SUCCEEDED"):
        assert describe(world, execution)["status"] == status
        with pytest.raises(ClientError, match=f"Execution is {status}") as refused:
            redrive(world, execution)
        assert refused.value.response["Error"]["Code"] == "ExecutionNotRedrivable"
        ended(world, execution)
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        redrive(world, f"{execution}-not")
    assert describe(world, execution)["redriveCount"] == 0


def test_of_two_redrives_at_once_one_is_refused(world: World, machine: Machines) -> None:
    execution = start(world, machine(REST))
    stop(world, execution)
    barrier, found = threading.Barrier(2), []

    def ask() -> None:
        barrier.wait(5)
        try:
            redrive(world, execution)
            found.append("redriven")
        except ClientError as error:
            found.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(found) == ["ExecutionNotRedrivable", "redriven"]
    assert describe(world, execution)["redriveCount"] == 1
    stop(world, execution)


def test_a_request_that_is_repeated_redrives_once(world: World, machine: Machines) -> None:
    execution = start(world, machine(REST))
    stop(world, execution)
    date = redrive(world, execution, clientToken="once")
    assert redrive(world, execution, clientToken="once") == date
    stop(world, execution)
    assert redrive(world, execution, clientToken="once") == date
    assert describe(world, execution)["status"] == "ABORTED"
    redrive(world, execution, clientToken="twice")
    assert describe(world, execution)["redriveCount"] == 2
    stop(world, execution)


def test_status_changes_tell_of_it(world: World, machine: Machines) -> None:
    arn = machine(REST)
    sqs, events = world.client("sqs"), world.client("events")
    name = arn.rpartition(":")[2]
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [arn]}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    queue_arn = arn.replace(":states:", ":sqs:").replace(":stateMachine:", ":")
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": queue_arn}])
    execution = start(world, arn)
    stop(world, execution)
    redrive(world, execution)
    stop(world, execution)
    received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    details = [json.loads(message["Body"])["detail"] for message in received]
    assert [(each["status"], each["redriveCount"], each["redriveStatus"]) for each in details] == [
        ("RUNNING", 0, "NOT_REDRIVABLE"),
        ("ABORTED", 0, "REDRIVABLE"),
        ("RUNNING", 1, "NOT_REDRIVABLE"),
        ("ABORTED", 1, "REDRIVABLE"),
    ]
    assert details[1]["redriveDate"] is None
    assert details[1]["stopDate"] <= details[2]["redriveDate"] <= time.time() * 1000
    assert details[2]["stopDate"] is None
    said = [event.text for event in world.events.all("execution") if event.data["machine"] == name]
    assert f"{name} {execution.rpartition(':')[2]}: RUNNING (redriven, 1)" in said


def test_single_branches_are_not_redriven_and_that_is_said(world: World, machine: Machines) -> None:
    branch = {"StartAt": "Rest", "States": REST}
    both = {"Type": "Parallel", "Branches": [branch, branch], "End": True}
    execution = start(world, machine({"Both": both}))
    until(lambda: kinds(world, execution).count("WaitStateEntered") == 2)
    stop(world, execution)
    with pytest.raises(ClientError, match=r"RehearsalDoesNotImplement.*Both"):
        redrive(world, execution)
    assert describe(world, execution)["status"] == "ABORTED"
