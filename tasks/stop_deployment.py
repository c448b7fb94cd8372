"""State ``StopDeployment``: stops the deployment, with roll-back, if it still runs."""

from __future__ import annotations

from typing import Any

from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.stop``: ``{"wasRunning", "progress"}``; ``progress``: how it stands now. Votes that are
    green's are called home by the polls."""
    was_running, progress = wiring().watch.stop(event["deployment"]["id"])
    return {"wasRunning": was_running, "progress": progress.value}
