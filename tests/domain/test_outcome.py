"""The last words of an execution: what happened, what was seen, what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from quorumshift.domain.data import to_json
from quorumshift.domain.outcome import (
    deployed,
    failed,
    may_still_come,
    read_failure,
    rolled_back,
)
from quorumshift.domain.policy import Policy
from quorumshift.domain.rollout import (
    Check,
    EndedBy,
    Progress,
    Rollout,
    RolloutObservation,
    interpret,
)

ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/sample:"
SAID_NO = Check("AfterInstall", False, "RuntimeError: boom")


def state(**more: Any) -> dict[str, Any]:
    return {
        "request": {
            "deploymentConfig": "CodeDeployDefault.ECSAllAtOnce",
            "image": "v12",
            "description": "new menu",
            "initiator": "run 7",
        },
        "execution": {"id": "arn:execution"},
        "revision": {"from": f"{ARN}11", "to": f"{ARN}12", "image": "sample@sha256:1"},
        "deployment": {"id": "d-1"},
        **more,
    }


def observed(checks: tuple[Check, ...]) -> dict[str, Any]:
    rollout = Rollout("d-1", Progress.FAILED, ended_by=EndedBy.CHECK, message="hook failed")
    fresh = RolloutObservation(1.0, 15, 3600, rollout, checks=checks)
    return dict(to_json(interpret(fresh, None, Policy())))


def test_a_caught_lambda_error_is_freed_from_its_wrapping() -> None:
    caught = {"Error": "ClusterUnsafe", "Cause": json.dumps({"errorMessage": "1 of 3 is down"})}
    assert read_failure(caught).message == "1 of 3 is down"
    assert read_failure({"Error": "States.Timeout"}).message == "a step did not answer in time"
    assert read_failure({}).error == "Unknown"


def test_a_good_end_has_neither_error_nor_cause() -> None:
    serving = {"serving": "sample:12 serves all traffic: 3 healthy targets", "checks": []}
    outcome = deployed("sample", state(outcome=serving))
    assert (outcome.error, outcome.cause) == ("", "")
    assert outcome.subject == "sample: deployed"
    for part in ("sample:12 serves all traffic", "new menu", "run 7", "sample:11", "d-1"):
        assert part in outcome.message


def test_a_rollback_names_the_hook_its_error_and_what_to_do() -> None:
    serving = {"serving": "sample:11 serves all traffic: 3 healthy targets"}
    seen = state(observation=observed((SAID_NO,)), outcome=serving)
    outcome = rolled_back("sample", seen, (), Policy())
    assert outcome.error == "CheckFailed"
    assert "AfterInstall said no: RuntimeError: boom" in outcome.cause
    assert "sample:11 serves all traffic: 3 healthy targets. Its tasks hold" in outcome.cause
    assert "Next: Mend what AfterInstall found" in outcome.cause
    assert "AfterInstall          NO   RuntimeError: boom" in outcome.message


def test_evidence_that_came_late_still_explains_the_rollback() -> None:
    late = state(observation=observed(()))
    assert rolled_back("sample", late, (), Policy()).error == "RolloutFailed"
    outcome = rolled_back("sample", late, (SAID_NO,), Policy())
    assert "AfterInstall said no: RuntimeError: boom" in outcome.cause


def test_a_poll_that_failed_itself_is_the_cause() -> None:
    caught = {"Error": "MissingResource", "Cause": json.dumps({"errorMessage": "no service"})}
    outcome = rolled_back("sample", state(failure=caught), (), Policy())
    assert outcome.error == "MissingResource"
    assert "no service" in outcome.cause


def test_a_failure_says_how_things_are_left() -> None:
    caught = {"Error": "ClusterUnsafe", "Cause": json.dumps({"errorMessage": "b2 is down."})}
    outcome = failed("sample", {"failure": caught}, "Nothing was touched", touched=False)
    assert outcome.error == "ClusterUnsafe"
    assert outcome.cause == "b2 is down. Nothing was touched."


def test_who_serves_is_not_said_where_nobody_measured_it() -> None:
    outcome = rolled_back("sample", state(observation=observed((SAID_NO,))), (), Policy())
    assert "The traffic was to go to sample:11; that was not measured" in outcome.cause


@pytest.mark.parametrize(
    ("caught", "says"),
    [
        ({"Error": "X", "Cause": "no JSON"}, "no JSON"),
        ({"Error": "X", "Cause": '["a list"]'}, '["a list"]'),
        ({"Error": "X", "Cause": '{"errorMessage": ""}'}, '{"errorMessage": ""}'),
        ({"Error": "X", "Cause": ""}, "no message was left"),
        ({"Error": "X"}, "no message was left"),
        ({"Error": "States.HeartbeatTimeout"}, "a step did not answer in time"),
        ({"Error": "States.Timeout", "Cause": "told"}, "told"),
    ],
)
def test_what_a_catch_found_is_told_as_it_is(caught: dict[str, str], says: str) -> None:
    found = read_failure(caught)
    assert (found.error, found.message) == (caught["Error"], says)


@pytest.mark.parametrize(
    ("error", "unanswered"),
    [
        ("Transient", True),
        ("Lambda.Unknown", True),
        ("Runtime.ExitError", True),
        ("Sandbox.Timedout", True),
        ("States.Timeout", True),
        ("DeploymentRefused", False),
        ("NotTransient", False),
        ("", False),
    ],
)
def test_a_deployment_may_still_come_when_nobody_answered_its_creation(
    error: str, unanswered: bool
) -> None:
    caught = {"failure": {"Error": error, "Cause": "late"}}
    assert may_still_come({**caught, "verification": {}}) is unanswered
    assert not may_still_come(caught), "nothing was verified, so none was created"
    assert not may_still_come({**caught, "verification": {}, "deployment": {"id": "d-1"}})
    assert not may_still_come({"verification": {}})


def test_what_succeeded_though_it_was_given_up_says_why_it_was() -> None:
    seen = observed(())
    cause = seen["meaning"]["cause"].rstrip(". ")
    outcome = deployed("sample", state(stop={}, observation=seen))
    assert f"It was to be stopped ({cause}), and had succeeded by then" in outcome.message
    caught = {"Error": "X", "Cause": json.dumps({"errorMessage": "no service."})}
    outcome = deployed("sample", state(stop={}, observation=seen, failure=caught))
    assert "It was to be stopped (no service), and" in outcome.message
    assert "(no reason was left)" in deployed("sample", state(stop={})).message
    assert "to be stopped" not in deployed("sample", state(observation=seen)).message


def test_what_another_deployment_has_changed_by_now_is_not_told_of_this_one() -> None:
    serving = {"serving": "sample:12 serves all traffic: 3 healthy targets"}
    good = deployed("sample", state(outcome=serving), "d-9")
    assert "sample:12 was deployed. Deployment d-9 is under way by now" in good.message
    bad = rolled_back("sample", state(observation=observed((SAID_NO,))), (), Policy(), "d-9")
    assert "It was rolled back. Deployment d-9 is under way by now" in bad.cause
    for outcome in (good, bad):
        assert "serves all traffic" not in outcome.message
        assert "votes, locks and scaling are its own" in outcome.message


def test_a_failure_tells_what_was_seen_before_it_and_what_can_be_done() -> None:
    caught = {"Error": "ClusterUnsafe", "Cause": json.dumps({"errorMessage": "b2 is down."})}
    seen = observed((SAID_NO,))
    outcome = failed("sample", state(failure=caught, observation=seen), "It stands", touched=True)
    assert "b2 is down. Before that: AfterInstall said no" in outcome.cause
    for words in ("quorumshift status", "quorumshift stop", "quorumshift plan"):
        assert words in outcome.message
    untouched = failed("sample", state(failure=caught), "Nothing was touched", touched=False)
    assert "quorumshift verify" in untouched.message
    assert "quorumshift plan" not in untouched.message
    assert "Before that" not in untouched.cause


def test_a_deployment_that_nobody_ever_saw_is_said_so() -> None:
    outcome = rolled_back("sample", state(), (), Policy())
    assert outcome.error == "Unknown"
    assert "the deployment was never looked at" in outcome.cause


def test_a_cause_is_no_longer_than_an_execution_can_end_with() -> None:
    caught = {"Error": "X", "Cause": "w" * 9000}
    assert len(failed("sample", {"failure": caught}, "", touched=False).cause) <= 4000
