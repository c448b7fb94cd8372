"""The goldens are what the Python says, and no state can fail, hang or loop without a way out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from quorumshift.domain.request import KEYS, parse_request
from tests.workflows.event_costs import following
from workflows.__main__ import GOLDEN, MACHINES, main, render

ROOT = Path(__file__).parents[2]
PASSING = {
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Transient",
}
DIED = {"Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout", "States.Timeout"}
LOOPS = {"PollDeployment": "MissedLook", "PollRollback": "MissedRollback", "Act": "Settle"}
"""What is looked at anew rather than tried again, and where a try that got no answer leads."""
LASTING = ("VerifyOutcome", "StopDeployment", "VerifyRollback")
"""Of deploy: what must be done once a deployment exists."""


def golden(name: str) -> dict[str, Any]:
    return dict(json.loads((GOLDEN / f"{name}.asl.json").read_text(encoding="utf-8")))


def states(name: str) -> dict[str, dict[str, Any]]:
    return dict(golden(name)["States"])


EVERY = [(machine, name, one) for machine in MACHINES for name, one in states(machine).items()]
IDS = [f"{machine}-{name}" for machine, name, _ in EVERY]
every_state = pytest.mark.parametrize(("machine", "name", "state"), EVERY, ids=IDS)


@pytest.mark.parametrize("name", MACHINES)
def test_the_golden_file_is_what_the_python_says(name: str) -> None:
    text = (GOLDEN / f"{name}.asl.json").read_text(encoding="utf-8")
    assert text == render(MACHINES[name]()), "run `make golden`"


def test_check_tells_a_difference_and_does_not_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("workflows.__main__.GOLDEN", tmp_path / "golden")
    assert main(["--check"]) == 1
    assert "deploy.asl.json, hand_over.asl.json differ" in capsys.readouterr().err
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / "golden" / "deploy.asl.json").write_text("{}")
    assert main(["--check"]) == 1


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_is_reached_and_leads_to_one_that_exists(name: str) -> None:
    known = states(name)
    reached, todo = set(), [golden(name)["StartAt"]]
    while todo:
        here = todo.pop()
        if here not in reached:
            reached.add(here)
            todo += following(known[here])
    assert reached == set(known)


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_can_still_reach_an_end(name: str) -> None:
    known = states(name)
    ending = {key for key, one in known.items() if one["Type"] in ("Succeed", "Fail")}
    while True:
        more = {key for key, one in known.items() if set(following(one)) & ending} - ending
        if not more:
            break
        ending |= more
    assert ending == set(known)


@every_state
def test_every_state_explains_itself(machine: str, name: str, state: dict[str, Any]) -> None:
    assert len(state["Comment"]) > 8


@every_state
def test_every_task_retries_what_passes_and_catches_the_rest(
    machine: str, name: str, state: dict[str, Any]
) -> None:
    if state["Type"] != "Task":
        return
    *passes, catch = state["Catch"]
    assert catch["ErrorEquals"] == ["States.ALL"]
    assert catch["ResultPath"].startswith("$.")
    assert 0 < state["TimeoutSeconds"] <= 900
    if name in LOOPS:
        assert "Retry" not in state
        assert [(set(one["ErrorEquals"]), one["Next"]) for one in passes] == [
            (PASSING | DIED, LOOPS[name])
        ]
        return
    busy = [("DeploymentActive", "RatherNot")] if name in ("VerifyRaft", "CreateDeployment") else []
    assert [(one["ErrorEquals"][0], one["Next"]) for one in passes] == busy
    if name == "PollBuild":  # which is asked again after a pause anyway
        (retry,) = state["Retry"]
        assert set(retry["ErrorEquals"]) == PASSING | DIED
        return
    passing, died, *more = state["Retry"]
    settles = [["ClusterUnsettled"]] if name in ("VerifyOutcome", "VerifyRollback") else []
    assert [one["ErrorEquals"] for one in more] == settles
    assert set(passing["ErrorEquals"]) == PASSING
    assert set(died["ErrorEquals"]) == DIED
    assert died["MaxAttempts"] < passing["MaxAttempts"]
    for retry in (passing, died, *more):
        assert retry["MaxDelaySeconds"] == (60 if name in LASTING else 20)
        assert retry["JitterStrategy"] == "FULL"


def waited_for(state: dict[str, Any]) -> float:
    """Seconds that a state is tried again for while what it needs does not answer at once: half of
    each pause, as jitter makes of it."""
    retry = state["Retry"][0]
    longest = float(retry["MaxDelaySeconds"])
    return sum(min(2.0**number, longest) / 2 for number in range(retry["MaxAttempts"]))


@pytest.mark.parametrize("name", ["Observe", "Plan", "AnswerSucceeded", "AnswerFailed"])
def test_a_hand_over_outlasts_every_outage_that_its_own_time_leaves_room_for(name: str) -> None:
    machine = golden("hand_over")
    assert waited_for(machine["States"][name]) > machine["TimeoutSeconds"] * 0.95


@pytest.mark.parametrize("name", LASTING)
def test_what_must_be_done_once_a_deployment_exists_is_tried_for_most_of_an_hour(name: str) -> None:
    assert waited_for(states("deploy")[name]) > 3300


@every_state
def test_no_choice_can_find_nothing_and_no_wait_is_of_fixed_length(
    machine: str, name: str, state: dict[str, Any]
) -> None:
    if state["Type"] == "Choice":
        assert "Default" in state
    if state["Type"] == "Wait":
        assert state["SecondsPath"].startswith("$.")


def test_a_stranger_learns_every_key_of_a_request_and_the_examples_are_requests() -> None:
    comment = golden("deploy")["Comment"]
    for key in KEYS:
        assert re.search(rf"\b{key}\b", comment), key
    examples = [json.loads(each) for each in re.findall(r"\{[^{}]*\}", comment)]
    assert len(examples) == 3
    for example in examples:
        given = {"source": example} if "repository" in example else example
        assert parse_request(given, "Default")


def test_a_failure_leads_where_it_must_from_where_it_stands() -> None:
    leads = {
        name: one["Catch"][-1]["Next"] for name, one in states("deploy").items() if "Catch" in one
    }
    before = ("ValidateRequest", "StartBuild", "PollBuild", "RegisterTaskDefinition", "VerifyRaft")
    assert {leads[name] for name in before} == {"NotifyFailed"}
    assert leads["CreateDeployment"] == "NotifyFailed"  # which stops what may have been created
    assert leads["PollDeployment"] == "StopDeployment"
    after = ("VerifyOutcome", "StopDeployment", "PollRollback", "VerifyRollback")
    assert {leads[name] for name in after} == {"NotifyFailed"}
    assert leads["NotifyStarted"] == "WaitForDeployment"
    assert leads["NotifyRollingBack"] == "WaitForRollback"
    assert leads["NotifySucceeded"] == "Deployed"
    assert leads["NotifyRolledBack"] == "RolledBack"
    assert leads["NotifyFailed"] == "FailedUnheard"


@pytest.mark.parametrize("name", ["NotifyStarted", "NotifyRollingBack"])
def test_news_on_the_way_holds_a_deployment_up_for_a_minute_at_most(name: str) -> None:
    state = states("deploy")[name]
    retries = [each["MaxAttempts"] for each in state["Retry"]]
    waits = sum(2**n for most in retries for n in range(most))
    assert state["TimeoutSeconds"] * (1 + sum(retries)) + waits <= 60
    assert states("deploy")[state["Next"]]["Type"] == "Wait"
    assert state["Next"] == state["Catch"][0]["Next"]


def test_a_hand_over_always_answers_before_codedeploy_stops_waiting() -> None:
    machine = golden("hand_over")
    assert machine["TimeoutSeconds"] < 3600
    for name, state in machine["States"].items():
        if state["Type"] == "Task" and name != "AnswerFailed":
            assert state["Catch"][-1]["Next"] == "AnswerFailed"
