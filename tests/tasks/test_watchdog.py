"""The watchdog: what ended from outside is cleaned up."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from quorumshift.domain.appspec import HAND_OVER_STAGE
from quorumshift.domain.marks import build_mark
from quorumshift.domain.rollout import EndedBy, Progress, Stage, StageStatus
from quorumshift.usecases.stopping import IN_FLIGHT_SECONDS
from quorumshift.usecases.turns import LONGEST_SECONDS
from tasks import create_deployment, poll_deployment, validate_request, watchdog
from tests.adapters.aws_api import Api, build_environment, refusal
from tests.tasks.aws import DEFINITION, EXECUTION, SETTINGS, MemoryAws
from tests.usecases.service import DEPLOYMENT

ASKED = {"deploymentId": DEPLOYMENT, "lifecycleEventHookExecutionId": "hook-1", "goal": "green"}


def changed(machine: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "detail-type": "Step Functions Execution Status Change",
        "detail": {
            "executionArn": EXECUTION["id"],
            "stateMachineArn": machine,
            "status": status,
            "startDate": 1795341600000,
            "input": "{}",
            **more,
        },
    }


def create(aws: MemoryAws) -> None:
    state = validate_request.handler({"input": {}, "execution": EXECUTION}, None)
    create_deployment.handler(
        {**state, "revision": {"from": f"{DEFINITION}11", "to": f"{DEFINITION}12"}}, None
    )


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT", "FAILED"])
def test_the_deployment_of_a_dead_execution_is_stopped_and_its_votes_called_home(
    aws: MemoryAws, status: str
) -> None:
    create(aws)
    watchdog.handler(changed(SETTINGS.deploy, status), None)
    assert aws.service.deeds == ["stop"]
    assert list(aws.executions) == [f"{DEPLOYMENT}-blue-1"]
    subject, text = aws.messages[0]
    assert subject == (
        "sample: looked after" if status == "FAILED" else f"sample: failed ({status})"
    )
    assert "is being stopped and rolled back" in text


def test_an_execution_that_failed_by_itself_is_left_alone(aws: MemoryAws) -> None:
    create(aws)
    aws.service.rollout = replace(aws.service.rollout, progress=Progress.STOPPED)
    watchdog.handler(changed(SETTINGS.deploy, "FAILED"), None)
    assert (aws.service.deeds, aws.executions, aws.messages) == ([], {}, [])


def test_one_that_failed_and_cleaned_up_nothing_has_its_locks_given_back(aws: MemoryAws) -> None:
    """As when no function could run: the rollout has ended, the locks are still there."""
    create(aws)
    aws.service.lock(["arn:b1"], 120)
    aws.service.rollout = replace(aws.service.rollout, progress=Progress.STOPPED)
    watchdog.handler(changed(SETTINGS.deploy, "FAILED"), None)
    assert aws.service.locked == set()
    assert aws.executions == {}
    assert "before a state of it could clean up" in aws.messages[0][1]


def test_locks_are_kept_while_votes_are_not_home(aws: MemoryAws) -> None:
    create(aws)
    aws.service.raft.admit("g1", ["b1"])
    aws.service.lock(["arn:b1", "arn:g1"], 120)
    aws.service.rollout = replace(aws.service.rollout, progress=Progress.FAILED)
    watchdog.handler(changed(SETTINGS.deploy, "FAILED"), None)
    assert aws.service.locked == {"b1", "g1"}
    assert list(aws.executions) == [f"{DEPLOYMENT}-blue-1"]
    assert "so the locks are kept" in aws.messages[0][1]


def test_an_execution_that_had_no_deployment_leaves_locks_and_scaling_to_whose_they_are(
    aws: MemoryAws,
) -> None:
    aws.service.lock(["arn:b1"], 120)
    aws.scaling.suspended = {"DynamicScalingInSuspended"}
    watchdog.handler(changed(SETTINGS.deploy, "ABORTED"), None)
    assert aws.service.locked == {"b1"}
    assert aws.scaling.suspended == {"DynamicScalingInSuspended"}
    assert aws.executions == {}
    assert "Nothing was touched" in aws.messages[0][1]


def test_what_is_created_after_the_execution_was_stopped_is_waited_for_and_stopped(
    aws: MemoryAws,
) -> None:
    """CreateDeployment was at work, and goes on to its own end."""
    create(aws)
    aws.listed_later(40)
    watchdog.handler(changed(SETTINGS.deploy, "ABORTED"), None)
    assert aws.service.deeds == ["stop"]
    assert list(aws.executions) == [f"{DEPLOYMENT}-blue-1"]
    assert "is being stopped and rolled back" in aws.messages[0][1]
    assert "Nothing was touched" not in aws.messages[0][1]


def test_nothing_is_waited_for_that_would_have_come_by_now(aws: MemoryAws) -> None:
    now = aws.service.clock.now()
    ended = (now - IN_FLIGHT_SECONDS) * 1000
    watchdog.handler(changed(SETTINGS.deploy, "ABORTED", stopDate=ended), None)
    assert aws.service.clock.now() == now
    assert "Nothing was touched" in aws.messages[0][1]


def test_one_that_succeeded_unseen_is_not_undone(aws: MemoryAws) -> None:
    create(aws)
    aws.service.lock(["arn:b1"], 120)
    aws.service.rollout = replace(aws.service.rollout, progress=Progress.SUCCEEDED)
    watchdog.handler(changed(SETTINGS.deploy, "ABORTED"), None)
    assert (aws.service.deeds, aws.executions, aws.service.locked) == ([], {}, set())
    assert "has succeeded, so its tasks serve and nothing is undone" in aws.messages[0][1]


def test_the_build_of_an_execution_that_was_stopped_is_stopped(
    aws: MemoryAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORUMSHIFT_PROJECT", "sample-build")
    mark = {"name": "EXECUTION_MARK", "value": build_mark(EXECUTION["id"])}
    build = {
        "id": "b:1",
        "buildStatus": "IN_PROGRESS",
        "environment": build_environment([mark]),
    }
    aws.apis["codebuild"] = Api(
        "codebuild",
        list_builds_for_project={"ids": ["b:1"]},
        batch_get_builds={"builds": [build]},
        stop_build={},
    )
    watchdog.handler(changed(SETTINGS.deploy, "ABORTED"), None)
    assert aws.apis["codebuild"].asked("stop_build") == [{"id": "b:1"}]
    assert "Build b:1 still ran and was stopped. Nothing was touched" in aws.messages[0][1]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ('{"image": "v9", "initiator": "ada"}', True),
        ('{"imgae": "v9", "initiator": "ada"}', False),
        ("", False),
        (None, False),
    ],
)
def test_people_are_told_who_asked_for_what_where_that_is_known(
    aws: MemoryAws, given: str | None, says: bool
) -> None:
    watchdog.handler(changed(SETTINGS.deploy, "ABORTED", input=given), None)
    text = aws.messages[0][1]
    assert ("asked for:   image v9\nasked by:    ada" in text) is says
    assert "the execution was stopped from outside before a state of it could clean up" in text
    assert "quorumshift verify" in text


def ended(aws: MemoryAws, status: str, goal: str = "green", **more: Any) -> dict[str, Any]:
    """The event of an execution that was started and has ended."""
    name = f"{DEPLOYMENT}-green" if goal == "green" else f"{DEPLOYMENT}-blue-1"
    aws.executions[name] = status
    asked = {**ASKED, "goal": goal}
    if goal == "blue":
        asked["lifecycleEventHookExecutionId"] = ""
    arn = f"{SETTINGS.hand_over.replace(':stateMachine:', ':execution:')}:{name}"
    more = {"executionArn": arn, "input": json.dumps(asked), **more}
    return changed(SETTINGS.hand_over, status, **more)


def test_a_hand_over_that_was_stopped_is_resumed_and_people_are_told(aws: MemoryAws) -> None:
    event = ended(aws, "ABORTED")
    watchdog.handler(event, None)
    assert aws.redriven == [f"{DEPLOYMENT}-green"]
    assert (aws.answers, aws.evidence) == ([], [])
    ((subject, text),) = aws.messages
    assert subject == "sample: hand-over resumed"
    assert f"stop deployment {DEPLOYMENT}" in text


def test_one_that_is_stopped_again_is_answered_for(aws: MemoryAws) -> None:
    watchdog.handler(ended(aws, "ABORTED"), None)
    watchdog.handler(ended(aws, "ABORTED", redriveCount=1), None)
    assert aws.redriven == [f"{DEPLOYMENT}-green"]
    assert aws.answers == [("hook-1", "Failed")]
    assert "ABORTED" in json.loads(aws.evidence[0])["reason"]


def test_one_that_was_stopped_too_late_is_answered_for(aws: MemoryAws) -> None:
    began = aws.service.clock.now() - LONGEST_SECONDS - 1
    watchdog.handler(ended(aws, "ABORTED", startDate=began * 1000), None)
    assert (aws.redriven, aws.answers) == ([], [("hook-1", "Failed")])


@pytest.mark.parametrize("status", ["TIMED_OUT", "FAILED"])
def test_one_that_ended_otherwise_is_answered_for(aws: MemoryAws, status: str) -> None:
    watchdog.handler(ended(aws, status), None)
    assert (aws.redriven, aws.answers) == ([], [("hook-1", "Failed")])


@pytest.mark.parametrize("api", ["codedeploy", "stepfunctions"])
def test_one_that_cannot_be_resumed_is_answered_for(aws: MemoryAws, api: str) -> None:
    for operation in ("get_deployment", "redrive_execution"):
        if operation in aws.apis[api].answers:
            aws.apis[api].answers[operation] = refusal("AccessDeniedException")
    watchdog.handler(ended(aws, "ABORTED"), None)
    assert (aws.redriven, aws.answers) == ([], [("hook-1", "Failed")])


def test_one_that_has_answered_is_left_alone(aws: MemoryAws) -> None:
    stage = Stage(HAND_OVER_STAGE, StageStatus.DONE)
    aws.service.rollout = replace(aws.service.rollout, stages=(stage,))
    for status in ("ABORTED", "FAILED"):
        watchdog.handler(ended(aws, status), None)
    assert (aws.redriven, aws.answers, aws.evidence) == ([], [], [])


def test_a_way_back_that_was_stopped_is_resumed(aws: MemoryAws) -> None:
    aws.service.stop(DEPLOYMENT)
    watchdog.handler(ended(aws, "ABORTED", "blue"), None)
    assert aws.redriven == [f"{DEPLOYMENT}-blue-1"]
    watchdog.handler(ended(aws, "ABORTED", "blue", redriveCount=1), None)
    assert aws.redriven == [f"{DEPLOYMENT}-blue-1"]
    assert aws.answers == []


def test_a_hand_over_that_nobody_asked_a_question_needs_no_answer(aws: MemoryAws) -> None:
    watchdog.handler(ended(aws, "FAILED", "blue"), None)
    assert (aws.redriven, aws.answers) == ([], [])


def test_a_deploy_that_was_stopped_and_is_redriven_by_a_person_starts_nothing_new(
    aws: MemoryAws,
) -> None:
    create(aws)
    watchdog.handler(changed(SETTINGS.deploy, "ABORTED"), None)
    state = validate_request.handler({"input": {}, "execution": EXECUTION}, None)
    state["revision"] = {"from": f"{DEFINITION}11", "to": f"{DEFINITION}12"}
    state["deployment"] = create_deployment.handler(state, None)
    assert state["deployment"]["adopted"]
    assert len(aws.apis["codedeploy"].asked("create_deployment")) == 1
    seen = poll_deployment.handler(state, None)
    assert seen["meaning"]["decision"] == "failed", "and it is followed through its roll-back"


def test_a_hook_that_died_without_an_answer_is_answered_for(aws: MemoryAws) -> None:
    function = "arn:aws:lambda:us-east-1:123456789012:function:sample-after-install:$LATEST"
    record = {
        "version": "1.0",
        "requestContext": {"functionArn": function, "condition": "RetriesExhausted"},
        "requestPayload": {"DeploymentId": DEPLOYMENT, "LifecycleEventHookExecutionId": "hook-1"},
        "responsePayload": {"errorType": "MemoryError", "errorMessage": "too much"},
    }
    watchdog.handler(record, None)
    assert aws.answers == [("hook-1", "Failed")]
    left = json.loads(aws.evidence[0])
    assert left["name"] == "AfterInstall"
    assert left["reason"] == "sample-after-install ended without an answer: MemoryError: too much"


def test_a_hook_that_aws_did_not_answer_blames_aws_and_not_green(aws: MemoryAws) -> None:
    create(aws)
    function = "arn:aws:lambda:us-east-1:123456789012:function:sample-after-install"
    record = {
        "requestContext": {
            "functionArn": f"{function}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"DeploymentId": DEPLOYMENT, "LifecycleEventHookExecutionId": "hook-1"},
        "responsePayload": {"errorType": "Transient", "errorMessage": "no reply to list_tasks"},
    }
    watchdog.handler(record, None)
    assert aws.answers == [("hook-1", "Failed")]
    aws.service.rollout = replace(
        aws.service.rollout, progress=Progress.FAILED, ended_by=EndedBy.CHECK
    )
    state = validate_request.handler({"input": {}, "execution": EXECUTION}, None)
    seen = poll_deployment.handler({**state, "deployment": {"id": DEPLOYMENT}}, None)["meaning"]
    assert seen["error"] == "CheckNotMade"
    assert "AfterInstall could not be made: AWS did not answer in 3 tries" in seen["cause"]
    assert "nothing is wrong with green" in seen["advice"]
    assert "Mend" not in seen["advice"]


@pytest.mark.parametrize(
    ("context", "payload", "reason"),
    [
        ({"condition": "EventAgeExceeded"}, {}, "ended without an answer: EventAgeExceeded"),
        ({}, None, "ended without an answer: Unknown"),
        ({"condition": "RetriesExhausted"}, {"errorMessage": "gone"}, "RetriesExhausted: gone"),
        ({}, {"errorType": "Transient"}, "AWS did not answer in all tries of 12 minutes each"),
    ],
)
def test_a_hook_that_died_and_told_little_is_answered_for_with_what_is_known(
    aws: MemoryAws, context: dict[str, Any], payload: dict[str, Any] | None, reason: str
) -> None:
    function = "arn:aws:lambda:us-east-1:123456789012:function:sample-before-install"
    record: dict[str, Any] = {
        "requestContext": {"functionArn": function, **context},
        "requestPayload": {"DeploymentId": DEPLOYMENT, "LifecycleEventHookExecutionId": "hook-1"},
    }
    if payload is not None:
        record["responsePayload"] = payload
    done = watchdog.handler(record, None)
    assert aws.answers == [("hook-1", "Failed")]
    left = json.loads(aws.evidence[0])
    assert (left["name"], left["passed"]) == ("BeforeInstall", False)
    assert left["reason"].endswith(reason)
    assert left["unmade"] == ((payload or {}).get("errorType") == "Transient")
    assert done == {"answered": DEPLOYMENT, "reason": left["reason"]}
