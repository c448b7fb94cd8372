"""State ``Plan`` of the hand-over: the next step; and people are told where the way back waits."""

from __future__ import annotations

import contextlib
from typing import Any

from quorumshift.domain.asked import Asked
from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.errors import QuorumshiftError
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.plan``: a ``Planned``; ``decision`` and ``goal`` tell what is next. Where the last
    step got no answer of AWS, a Catch has left why at ``$.act``: nobody refused it, and the look
    shows whether it was done."""
    # The planner is most of what there is to load here, and not needed to start.
    from quorumshift.domain.look import Look
    from quorumshift.usecases.turns import Act, Planned, next_turn

    w = wiring()
    asked, last, act = Asked.read(event), event.get("plan"), event.get("act")
    planned = next_turn(
        from_json(Look, event["observation"]),
        asked.colour,
        from_json(Planned, last) if last else None,
        from_json(Act, act) if act and "Error" not in act else None,
        w.dialect,
        w.policy,
        between=not asked.deployment,
        called_home=bool(asked.deployment) and not asked.hook,
    )
    if planned.tell:
        _tell(asked.deployment, planned.reason)
    return dict(to_json(planned))


def _tell(deployment: str, reason: str) -> None:
    """Once. What fails is forgotten: the votes are more than the message, and the end is told."""
    from quorumshift.domain.notice import still_waiting

    w = wiring()
    notice = still_waiting(w.settings.service, deployment, reason)
    with contextlib.suppress(QuorumshiftError):
        w.notifier.publish(notice.subject, notice.message)
