"""The keeper: every five minutes, whether anything of ours is left without somebody who acts."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.data import to_json
from quorumshift.domain.notice import kept
from quorumshift.domain.shown import page
from tasks.wiring import patience, wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes the schedule's event. → ``{"deeds", "failed", "news"}``. What AWS does not answer is
    left to the next time."""
    w = wiring()
    found = patience(context).keep(w.keeping.keep)
    if found.news:
        notice = kept(w.settings.service, found.news)
        w.notifier.publish(notice.subject, notice.message)
    print(page("\n".join((*found.deeds, *found.failed))))
    return dict(to_json(found))
