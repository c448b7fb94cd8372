"""State ``NotifyStarted``: tells people that a deployment has begun."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.notice import started
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.notification``: ``{"subject"}``."""
    w = wiring()
    notice = started(w.settings.service, event)
    w.notifier.publish(notice.subject, notice.message)
    return {"subject": notice.subject}
