"""State ``AnswerSucceeded`` of the hand-over: blue may end, if it really may."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.appspec import HAND_OVER_STAGE
from quorumshift.domain.asked import Asked
from quorumshift.domain.data import to_json
from quorumshift.domain.health import Decision
from quorumshift.domain.rollout import Check
from quorumshift.usecases.questions import Question, answer
from tasks.wiring import evidence, hook_answers, patience, wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.answer``: ``{"answered", "reason"}``.

    Says yes only when a fresh look shows that ending every blue task now keeps the quorum; else
    nothing is answered, and the hand-over goes on. Every voter is locked before: until blue has
    ended, a stop may still end what is not locked of green.
    """
    asked = Asked.read(event)
    question = Question(asked.deployment, asked.hook)
    look, guard = wiring().hand_over.may_end(question.deployment)
    if look.stopped or guard.decision is not Decision.PROCEED:
        reason = "the rollout was stopped" if look.stopped else guard.sentence
        return {"answered": False, "reason": reason}
    wiring().locks.cover(look.cluster)
    check = Check(HAND_OVER_STAGE, True, guard.sentence, dict(to_json(guard.evidence)))
    answer(question, check, hook_answers(), evidence, patience(None))
    return {"answered": True, "reason": check.reason}
