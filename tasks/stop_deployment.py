"""State ``StopDeployment``: stops the deployment, with roll-back, if it still runs."""

from __future__ import annotations

from typing import Any

from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.stop``: ``{"wasRunning"}``. Votes that are green's are called home by the polls."""
    return {"wasRunning": wiring().watch.stop(event["deployment"]["id"])}
