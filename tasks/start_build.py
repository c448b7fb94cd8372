"""State ``StartBuild``: starts the build of the requested commit."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.data import from_json
from quorumshift.domain.errors import InvalidRequest
from quorumshift.domain.marks import build_mark
from quorumshift.domain.request import Request
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.build``: ``{"id", "waited"}``. Raises ``InvalidRequest`` and ``BuildFailed``."""
    request = from_json(Request, event["request"])
    if request.source is None:
        raise InvalidRequest("source: missing; StartBuild is for requests that name a commit")
    mark = build_mark(event["execution"]["id"])
    return {"id": wiring().builds.start(request.source, mark), "waited": 0}
