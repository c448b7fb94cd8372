"""State ``PollDeployment``: one observation of everything, and what it means."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.rollout import RolloutObservation
from quorumshift.usecases.watching import Pace
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.observation``: a ``RolloutObservation``; ``meaning.decision`` tells what is next."""
    last = event.get("observation")
    previous = from_json(RolloutObservation, last) if last else None
    timing = event["timing"]
    pace = Pace(timing["pollSeconds"], timing["deadlineSeconds"])
    return dict(to_json(wiring().watch.look(event["deployment"]["id"], previous, pace)))
