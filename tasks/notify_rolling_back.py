"""State ``NotifyRollingBack``: tells people that the deployment is being rolled back, and why."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.outcome import rolling_back
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.notification``: ``{"subject"}``."""
    w = wiring()
    notice = rolling_back(w.settings.service, event, w.policy)
    w.notifier.publish(notice.subject, notice.message)
    return {"subject": notice.subject}
