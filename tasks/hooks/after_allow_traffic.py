"""Hook ``AfterAllowTraffic``: starts the hand-over, which answers when blue may end."""

from __future__ import annotations

from quorumshift.domain.raft import Colour
from quorumshift.domain.rollout import Check
from quorumshift.usecases.questions import Question
from tasks.hooks import hook
from tasks.wiring import Wiring


def _start(w: Wiring, question: Question) -> Check | None:
    if w.hand_overs.start(question.deployment, question.execution, Colour.GREEN):
        return None
    reason = "the hand-over of this deployment was started before, to answer another question"
    return Check("AfterAllowTraffic", False, reason)


handler = hook("AfterAllowTraffic", _start)
