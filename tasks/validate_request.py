"""State ``ValidateRequest``: the input becomes the state that all others work on."""

from __future__ import annotations

import math
from typing import Any

from quorumshift.domain.data import to_json
from quorumshift.domain.request import BUILD_DEADLINE_SECONDS, SKIP, parse_request
from tasks.wiring import wiring

_MOST_POLLS = 2500
"""A cycle costs about nine of the 25,000 events that an execution may have."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``{"input", "execution": {"id", "name", "startTime"}}`` → ``{"request", "execution",
    "timing"}``, and ``"busyWith"``, the deployment that is under way, where the request would
    rather not run then. Raises ``InvalidRequest``."""
    w = wiring()
    settings = w.settings
    request = parse_request(event.get("input"), settings.deployment_config)
    other = w.deployments.active() if request.when_busy == SKIP else None
    deadline = settings.deadline_minutes * 60
    poll = max(settings.poll_seconds, math.ceil(deadline / _MOST_POLLS))
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
