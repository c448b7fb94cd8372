"""Hooks: a function is told two ids, and somebody answers with them."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

import botocore.exceptions

from quorumshift.rehearsal.aws.codedeploy_errors import EventFailed, refuse
from quorumshift.rehearsal.aws.codedeploy_models import Deployment
from quorumshift.rehearsal.world import World

LIMIT_SECONDS = 3600.0
"""AWS's seconds that a hook has for its answer."""

Wait = Callable[[Callable[[], bool], float], bool]
"""``wait(holds, aws_seconds)``: whether it held in time; raises when the deployment is ended."""


@dataclass
class Question:
    """One hook execution. ``answer``: Succeeded or Failed. ``closed``: no answer is taken."""

    deployment: Deployment
    event: str
    answer: str = ""
    closed: bool = False


class Hooks:
    """All questions of the rehearsal."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._questions: dict[str, Question] = {}
        self._lock = threading.Lock()

    def ask(self, deployment: Deployment, event: str, function: str, wait: Wait) -> None:
        """Invoke the function and wait for the answer. Raises :class:`EventFailed`."""
        execution = secrets.token_urlsafe(48)
        question = Question(deployment, event)
        with self._lock:
            self._questions[execution] = question
        try:
            self._invoke(function, deployment.id, execution)
            if not wait(lambda: bool(question.answer), LIMIT_SECONDS):
                raise EventFailed(
                    "HOOK_EXECUTION_FAILURE",
                    f"{function} gave no answer to {event} within {LIMIT_SECONDS:.0f} seconds.",
                    "ScriptTimedOut",
                )
        finally:
            with self._lock:
                question.closed = True
        if question.answer == "Failed":
            raise EventFailed(
                "HOOK_EXECUTION_FAILURE",
                f"The lifecycle event {event} failed: {function} answered Failed.",
                "ScriptFailed",
            )

    def answer(self, deployment: Deployment, execution: str | None, status: str | None) -> None:
        """PutLifecycleEventHookExecutionStatus."""
        if status not in ("Succeeded", "Failed"):
            raise refuse(
                "InvalidLifecycleEventHookExecutionStatusException",
                f"{status} is no answer; Succeeded and Failed are.",
            )
        with self._lock:
            question = self._questions.get(execution or "")
            if question is None or question.deployment is not deployment:
                raise refuse(
                    "InvalidLifecycleEventHookExecutionIdException",
                    "The lifecycle event hook execution id is not one of this deployment.",
                )
            if question.closed or question.answer:
                raise refuse(
                    "LifecycleEventAlreadyCompletedException",
                    f"The lifecycle event {question.event} has been completed already.",
                )
            question.answer = status
        self._world.events.say(
            "hook",
            f"{question.event} was answered {status}",
            deployment=deployment.id,
            event=question.event,
            answer=status,
        )
        with deployment.changed:
            deployment.changed.notify_all()

    def _invoke(self, function: str, deployment: str, execution: str) -> None:
        payload = {"DeploymentId": deployment, "LifecycleEventHookExecutionId": execution}
        try:
            self._world.client("lambda").invoke(
                FunctionName=function,
                InvocationType="Event",
                Payload=json.dumps(payload).encode(),
            )
        except botocore.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            raise EventFailed(
                "INVALID_LAMBDA_FUNCTION",
                f"The hook {function} could not be invoked ({code}).",
                "ScriptMissing" if code == "ResourceNotFoundException" else "ScriptFailed",
            ) from error
