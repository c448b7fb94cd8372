"""State ``NotifyFailed``: leaves things safe, and tells people how they stand."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

from quorumshift.domain.data import to_json
from quorumshift.domain.outcome import failed, may_still_come
from quorumshift.usecases.arriving import arrived
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.outcome``: ``{"error", "cause", "subject", "message", "touched"}``.

    ``touched``: a deployment had been started. The outcome counts more than the message about it,
    so a message that cannot be sent ends up in the cause. A deployment that may still come is
    waited for before anything is said of it.
    """
    w = wiring()
    execution = event["execution"]
    if may_still_come(event):
        with contextlib.suppress(Exception):  # what cannot be asked, the end says by itself
            now = w.clock.now()
            arrived(w.deployments, w.clock, execution["id"], execution["startTime"], now)
    touched, standing = w.ending.after_failure(execution["id"], execution["startTime"])
    if touched:
        standing = f"{standing}. {w.measure.said()}"
    outcome = failed(w.settings.service, event, standing, touched)
    try:
        w.notifier.publish(outcome.subject, outcome.message)
    except Exception as error:  # noqa: BLE001 # see above
        outcome = replace(outcome, cause=f"{outcome.cause} Nobody was told: {error}")
    return {**to_json(outcome), "touched": touched}
