"""State ``ValidateRequest``: the input becomes the state that all others work on."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.data import to_json
from quorumshift.domain.event_budget import pace
from quorumshift.domain.request import BUILD_DEADLINE_SECONDS, SKIP, parse_request
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``{"input", "execution": {"id", "name", "startTime"}}`` → ``{"request", "execution",
    "timing"}``, and ``"busyWith"``, the deployment that is under way, where the request would
    rather not run then. Raises ``InvalidRequest``."""
    w = wiring()
    settings = w.settings
    request = parse_request(event.get("input"), settings.deployment_config)
    other = w.deployments.active() if request.when_busy == SKIP else None
    deadline = settings.deadline_minutes * 60
    build = BUILD_DEADLINE_SECONDS if request.source else 0
    poll = pace(settings.poll_seconds, (build, deadline, deadline))  # the second: of a roll-back
    return {
        "request": {key: value for key, value in to_json(request).items() if value is not None},
        "execution": event["execution"],
        **({"busyWith": other} if other else {}),
        "timing": {
            "pollSeconds": poll,
            "deadlineSeconds": deadline,
            "buildPollSeconds": poll,
            "buildDeadlineSeconds": BUILD_DEADLINE_SECONDS,
        },
    }
