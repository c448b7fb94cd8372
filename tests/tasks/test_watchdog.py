"""The watchdog: what ended from outside is cleaned up."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from quorumshift.domain.rollout import Progress
from tasks import create_deployment, validate_request, watchdog
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
    create_deployment.handler({**state, "revision": {"to": f"{DEFINITION}12"}}, None)


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT", "FAILED"])
def test_the_deployment_of_a_dead_execution_is_stopped_and_its_votes_called_home(
    aws: MemoryAws, status: str
) -> None:
    create(aws)
    watchdog.handler(changed(SETTINGS.deploy, status), None)
    assert aws.service.deeds == ["stop"]
    assert list(aws.executions) == [f"{DEPLOYMENT}-blue-1"]
    subject, text = aws.messages[0]
    assert subject == f"sample: failed ({status})"
    assert "is being stopped and rolled back" in text


def test_an_execution_that_failed_by_itself_is_left_alone(aws: MemoryAws) -> None:
    create(aws)
    aws.service.rollout = replace(aws.service.rollout, progress=Progress.STOPPED)
    watchdog.handler(changed(SETTINGS.deploy, "FAILED"), None)
    assert (aws.service.deeds, aws.executions, aws.messages) == ([], {}, [])


def test_an_execution_that_had_no_deployment_gives_the_locks_back(aws: MemoryAws) -> None:
    aws.service.lock(["arn:b1"], 120)
    watchdog.handler(changed(SETTINGS.deploy, "ABORTED"), None)
    assert aws.service.locked == set()
    assert aws.executions == {}
    assert "Nothing was touched" in aws.messages[0][1]


def test_the_question_of_a_dead_hand_over_is_answered(aws: MemoryAws) -> None:
    event = changed(SETTINGS.hand_over, "ABORTED", input=json.dumps(ASKED))
    watchdog.handler(event, None)
    assert aws.answers == [("hook-1", "Failed")]
    assert "ABORTED" in json.loads(aws.evidence[0])["reason"]


def test_a_hand_over_that_nobody_asked_a_question_needs_no_answer(aws: MemoryAws) -> None:
    asked = {**ASKED, "lifecycleEventHookExecutionId": "", "goal": "blue"}
    watchdog.handler(changed(SETTINGS.hand_over, "FAILED", input=json.dumps(asked)), None)
    assert aws.answers == []


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
