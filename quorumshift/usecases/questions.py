"""Answers the deployment engine in every path, and leaves what the answer rested on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from quorumshift.domain.data import to_json
from quorumshift.domain.errors import Transient
from quorumshift.domain.rollout import Check
from quorumshift.domain.shown import as_json, one_line
from quorumshift.ports import Evidence, HookAnswers
from quorumshift.usecases.patience import Patience

_EVIDENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the engine at one stage; both ids are empty when nobody asks."""

    deployment: str
    execution: str

    @classmethod
    def read(cls, event: Any) -> Question:
        """From a hook's event. Raises ``ValueError`` when it is none."""
        try:
            return cls(str(event["DeploymentId"]), str(event["LifecycleEventHookExecutionId"]))
        except (KeyError, TypeError):
            raise ValueError(
                "this is no hook's event: it needs DeploymentId and "
                "LifecycleEventHookExecutionId; CodeDeploy sends both"
            ) from None


def ask(
    name: str,
    question: Question,
    answers: HookAnswers,
    evidence: Callable[[], Evidence],
    check: Callable[[str], Check | None],
    patience: Patience,
) -> dict[str, Any]:
    """Check, leave the evidence, answer. Whatever is wrong, the answer is no; but what AWS does not
    answer says nothing of green, and is asked again for as long as there is ``patience``. Then
    ``Transient`` is raised: Lambda calls the hook again, and the watchdog answers in the end.

    A question without an answer would hold the deployment for an hour. ``check`` returns ``None``
    when somebody else answers. The evidence comes first, so that whoever sees the engine's end
    can read why. Raises besides only when the answer itself cannot be given.
    """
    try:
        found = patience.keep(lambda: check(question.deployment))
    except Transient:
        raise
    except Exception as error:  # noqa: BLE001 # every failure has to become an answer
        found = Check(name, False, f"{type(error).__name__}: {error}")
    if found is None:
        return {"deployment": question.deployment, "answered": False}
    answer(question, found, answers, evidence, patience)
    return {"deployment": question.deployment, "answered": True, **to_json(found)}


def answer(
    question: Question,
    found: Check,
    answers: HookAnswers,
    evidence: Callable[[], Evidence],
    patience: Patience,
) -> None:
    """Leave the evidence, then answer. An answer matters more than its evidence, which is tried
    for half a minute."""
    line = {"deployment": question.deployment, **to_json(found)}
    print(as_json(line, indent=None))  # the function's own log has it as well
    try:
        soon = min(patience.until, patience.clock.now() + _EVIDENCE_SECONDS)
        kept = replace(patience, until=soon)
        kept.keep(lambda: evidence().write(question.deployment, found))
    except Exception as error:  # noqa: BLE001 # the answer must still be given
        print(one_line(f"evidence not kept: {type(error).__name__}: {error}"), file=sys.stderr)
    if question.execution:
        asked, of = question.execution, question.deployment
        patience.keep(lambda: answers.answer(of, asked, found.passed))
