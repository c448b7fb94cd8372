"""State ``PollRollback``: one look at the roll-back; the votes go home first."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.data import to_json
from quorumshift.usecases.watching import Pace
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.rollback``: ``{"decision", "reason", "waited", "undo", "rollout", "cluster"}``.

    Raises ``RollbackFailed``.
    """
    timing = event["timing"]
    pace = Pace(timing["pollSeconds"], timing["deadlineSeconds"])
    waited = (event.get("rollback") or {}).get("waited", 0)
    watch = wiring().watch
    return dict(to_json(watch.look_at_rollback(event["deployment"]["id"], waited, pace)))
