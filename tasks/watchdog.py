"""The watchdog: what was stopped from outside, where no Catch runs, it resumes or cleans up."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

from quorumshift.domain.appspec import HAND_OVER_STAGE
from quorumshift.domain.asked import Asked
from quorumshift.domain.data import to_json
from quorumshift.domain.errors import InvalidRequest, Transient
from quorumshift.domain.notice import cleaned_up, resumed
from quorumshift.domain.outcome import failed
from quorumshift.domain.request import parse_request
from quorumshift.domain.resume import Death, Fate
from quorumshift.domain.rollout import Check
from quorumshift.names import HOOKS, kebab
from quorumshift.usecases.arriving import arrived
from quorumshift.usecases.questions import Question, answer
from quorumshift.usecases.resuming import Resuming
from tasks.wiring import evidence, hook_answers, patience, wiring

_A_TRY = 12
"""Minutes for which a hook waits for AWS: what it may run, but for the last try."""
_DIED = {"ABORTED": "was stopped from outside", "TIMED_OUT": "ran out of time"}
_FAILED = "FAILED"


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes either of two events.

    - EventBridge's ``Step Functions Execution Status Change`` of one of our state machines;
    - Lambda's record of a hook that died without an answer (its on-failure destination).

    Waits for AWS as long as it may run; every deed here may be repeated.
    """
    return patience(context).keep(lambda: _look_after(event))


def _look_after(event: dict[str, Any]) -> dict[str, Any]:
    if "requestContext" in event:
        return _dead_hook(event)
    detail = event["detail"]
    if detail["stateMachineArn"] == wiring().settings.hand_over:
        return _dead_hand_over(detail)
    return _dead_deploy(detail)


def _dead_hook(event: dict[str, Any]) -> dict[str, Any]:
    question = Question.read(event.get("requestPayload"))
    function = event["requestContext"]["functionArn"].removesuffix(":$LATEST").rpartition(":")[2]
    stage = next((name for name in HOOKS if function.endswith("-" + kebab(name))), function)
    died = event.get("responsePayload") or {}
    error = died.get("errorType") or event["requestContext"].get("condition") or "Unknown"
    said = str(died.get("errorMessage") or "")
    reason = f"{function} ended without an answer: {error}: {said}"
    unmade = error == Transient.__name__
    if unmade:
        tries = event["requestContext"].get("approximateInvokeCount") or "all"
        reason = f"AWS did not answer in {tries} tries of {_A_TRY} minutes each: {said}"
    check = Check(stage, False, reason.rstrip(": "), unmade=unmade)
    answer(question, check, hook_answers(), evidence, patience(None))
    return {"answered": question.deployment, "reason": check.reason}


def _dead_hand_over(detail: dict[str, Any]) -> dict[str, Any]:
    w = wiring()
    asked = Asked.read(json.loads(detail.get("input") or "{}"))
    question = Question(asked.deployment, asked.hook)
    death = Death(
        execution=detail["executionArn"],
        status=detail["status"],
        stopped=detail["status"] == "ABORTED",
        resumed=detail.get("redriveCount") or 0,
        age=w.clock.now() - detail["startDate"] / 1000,
    )
    found = Resuming(w.deployments, w.hand_overs).after(death, question)
    if found is Fate.RESUME:
        notice = resumed(w.settings.service, question.deployment, death.execution)
        w.notifier.publish(notice.subject, notice.message)
    if found is not Fate.ANSWER:
        return {"answered": None, "fate": found.value}
    reason = f"the hand-over was ended from outside ({death.status})"
    check = Check(HAND_OVER_STAGE, False, reason)
    answer(question, check, hook_answers(), evidence, patience(None))
    return {"answered": question.deployment, "fate": found.value, "reason": reason}


def _dead_deploy(detail: dict[str, Any]) -> dict[str, Any]:
    w = wiring()
    execution = detail["executionArn"]
    since = datetime.fromtimestamp(detail["startDate"] / 1000, UTC).isoformat()
    if detail["status"] == _FAILED:
        deployment = w.deployments.of_execution(execution, since)
        if not w.ending.left_behind(deployment):
            return {"touched": False, "cause": "it ended by itself and cleaned up"}
    else:
        ended = (detail.get("stopDate") or math.inf) / 1000
        deployment = arrived(w.deployments, w.clock, execution, since, ended)
    progress = w.deployments.look(deployment).progress if deployment else None
    touched, standing = w.ending.after_failure(execution, since)
    if deployment and w.ending.needs_votes_back(deployment, progress):
        w.hand_overs.hand_back(deployment)  # which gives the locks back as well
    if touched:
        standing = f"{standing}. {w.measure.said()}"
    if detail["status"] == _FAILED:  # its last state has told why
        notice = cleaned_up(w.settings.service, execution, standing)
        w.notifier.publish(notice.subject, notice.message)
        return {"touched": touched, "cause": standing}
    cause = f"the execution {_DIED[detail['status']]} before a state of it could clean up"
    state = {
        **_asked(detail.get("input"), w.settings.deployment_config),
        "execution": {"id": execution},
        "deployment": {"id": deployment},
        "failure": {"Error": detail["status"], "Cause": cause},
    }
    outcome = failed(w.settings.service, state, standing, touched)
    w.notifier.publish(outcome.subject, outcome.message)
    return {"touched": touched, "cause": outcome.cause}


def _asked(given: str | None, config: str) -> dict[str, Any]:
    """What the dead execution was asked for, where that can be told: EventBridge leaves out an
    input that is too long (AWS Step Functions Developer Guide, "EventBridge for Step Functions
    execution status changes")."""
    try:
        return {"request": to_json(parse_request(json.loads(given or ""), config))}
    except (ValueError, InvalidRequest):
        return {}
