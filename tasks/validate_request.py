"""State ``ValidateRequest``: the input becomes the state that all others work on."""

from __future__ import annotations

import math
from typing import Any

from quorumshift.domain.data import to_json
from quorumshift.domain.request import BUILD_DEADLINE_SECONDS, parse_request
from tasks.wiring import wiring

_MOST_POLLS = 2500
"""A cycle costs about nine of the 25,000 events that an execution may have."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``{"input", "execution": {"id", "name", "startTime"}}`` → ``{"request", "execution",
    "timing"}``. Raises ``InvalidRequest``."""
    settings = wiring().settings
    request = parse_request(event.get("input"), settings.deployment_config)
    deadline = settings.deadline_minutes * 60
    poll = max(settings.poll_seconds, math.ceil(deadline / _MOST_POLLS))
    return {
        "request": {key: value for key, value in to_json(request).items() if value is not None},
        "execution": event["execution"],
        "timing": {
            "pollSeconds": poll,
            "deadlineSeconds": deadline,
            "buildPollSeconds": poll,
            "buildDeadlineSeconds": BUILD_DEADLINE_SECONDS,
        },
    }
