"""State ``Act`` of the hand-over: does one step."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.asked import Asked
from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.look import Look
from quorumshift.usecases.turns import Planned
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.act``: ``{"refused"}``, empty when the step was done. The next look tells the rest."""
    planned = from_json(Planned, event["plan"])
    look = from_json(Look, event["observation"])
    asked = Asked.read(event)
    return dict(to_json(wiring().hand_over.act(planned, look, asked.deployment or None)))
