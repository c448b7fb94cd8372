"""The hooks: what CodeDeploy asks at each stage. Every path ends with an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quorumshift.domain.rollout import Check, Progress
from quorumshift.domain.rollout_facts import WAS_STOPPED
from quorumshift.usecases.questions import Question, ask
from tasks.wiring import Wiring, evidence, hook_answers, patience, wiring

Handler = Callable[[dict[str, Any], object], dict[str, Any]]


def hook(stage: str, check: Callable[[Wiring, Question], Check | None]) -> Handler:
    """The handler of one hook; its event holds ``DeploymentId`` and
    ``LifecycleEventHookExecutionId`` and nothing else.

    ``check`` returns ``None`` when somebody else answers. Should the engine ask in the middle of
    a roll-back, the answer is yes: whatever was wrong, going back is what is left to do.
    """

    def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
        question = Question.read(event)

        def look(deployment: str) -> Check | None:
            w = wiring()
            rollout = w.deployments.look(deployment)
            if rollout.undoes:
                return Check(stage, True, f"this rolls {rollout.undoes} back; nothing is checked")
            if rollout.progress is not Progress.RUNNING:  # the question came late
                return Check(stage, False, f"{WAS_STOPPED}; nothing is checked", consequence=True)
            return check(w, question)

        return ask(stage, question, hook_answers(), evidence, look, patience(context))

    return handler
