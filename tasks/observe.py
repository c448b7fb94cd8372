"""State ``Observe`` of the hand-over: one fresh look."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.asked import Asked
from quorumshift.domain.data import to_json
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.observation``: ``{"cluster", "stopped", "busy"}``. ``deploymentId`` is missing when a
    person asks (``quorumshift plan``), and between deployments; blue is then what serves."""
    return dict(to_json(wiring().hand_over.look(Asked.read(event).deployment or None)))
