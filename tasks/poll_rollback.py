"""State ``PollRollback``: one look at the roll-back; the votes go home first."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.missed import ROLL_BACK, looks_missed
from quorumshift.usecases.watching import Pace, Undone
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.rollback``: ``{"decision", "reason", "waited", "undo", "rollout", "cluster",
    "missed"}``.

    Raises ``RollbackFailed``.
    """
    timing = event["timing"]
    pace = Pace(timing["pollSeconds"], timing["deadlineSeconds"])
    last = from_json(Undone, event["rollback"]) if event.get("rollback") else None
    watch, missed = wiring().watch, looks_missed(event, ROLL_BACK)
    return dict(to_json(watch.look_at_rollback(event["deployment"]["id"], last, pace, missed)))
