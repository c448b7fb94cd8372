"""State ``PollBuild``: looks at the build."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.errors import BuildFailed
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.build``: ``{"id", "status", "phase", "log", "image", "waited"}``, status ``running``
    or ``succeeded``. Raises ``BuildFailed`` with phase, reason and log."""
    build = wiring().builds.look(event["build"]["id"])
    timing = event["timing"]
    waited = event["build"]["waited"] + timing["buildPollSeconds"]
    late = build.running and waited >= timing["buildDeadlineSeconds"]
    if late or not (build.running or build.succeeded):
        said = f"still running after {waited // 60} minutes" if late else build.said
        raise BuildFailed(
            f"build {build.id} made no image: {said} (phase {build.phase}); "
            f"read its log: {build.log or 'in the CodeBuild console'}"
        )
    return {
        "id": build.id,
        "status": "running" if build.running else "succeeded",
        "phase": build.phase,
        "log": build.log,
        "image": build.image,
        "waited": waited,
    }
