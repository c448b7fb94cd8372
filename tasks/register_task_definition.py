"""State ``RegisterTaskDefinition``: makes, or finds, the revision to deploy."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.data import from_json
from quorumshift.domain.request import CURRENT, Request
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.revision``: ``{"from", "to", "image", "registered"}``; from and to are ARNs.

    Raises ``InvalidRequest`` when image or revision do not exist, or the image may not be started.
    """
    w = wiring()
    request = from_json(Request, event["request"])
    image = (event.get("build") or {}).get("image") or request.image
    live = w.definitions.live()
    if image:
        to, registered = w.definitions.with_image(w.images.resolve(image))
    else:
        to, registered = w.definitions.resolve(request.task_definition or CURRENT), False
        w.images.check(w.definitions.image(to))
    return {"from": live, "to": to, "image": w.definitions.image(to), "registered": registered}
