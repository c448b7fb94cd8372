"""State ``PollBuild``: looks at the build."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.build import judge
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.build``: ``{"id", "status", "phase", "log", "image", "waited"}``, status ``running``
    or ``succeeded``. Raises ``BuildFailed`` with phase, reason and log."""
    build = wiring().builds.look(event["build"]["id"])
    timing = event["timing"]
    waited = event["build"]["waited"] + timing["buildPollSeconds"]
    commit = event["request"]["source"]["commit"]
    built = judge(build, commit, waited, timing["buildDeadlineSeconds"])
    return {
        "id": build.id,
        "status": "succeeded" if built else "running",
        "phase": build.phase,
        "log": build.log,
        "image": build.image,
        "waited": waited,
    }
