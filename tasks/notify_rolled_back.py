"""State ``NotifyRolledBack``: tells people that it was rolled back, and why."""

from __future__ import annotations

from typing import Any

from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.notification``: ``{"subject"}``."""
    outcome = event["outcome"]
    wiring().notifier.publish(outcome["subject"], outcome["message"])
    return {"subject": outcome["subject"]}
