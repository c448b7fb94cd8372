"""State ``ValidateRequest``: the input becomes the state that all others work on."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.data import to_json
from quorumshift.domain.event_budget import EVENTS_A_LOOK, EVENTS_A_LOOK_AT_A_BUILD, pace
from quorumshift.domain.missed import none_missed
from quorumshift.domain.request import BUILD_DEADLINE_SECONDS, SKIP, parse_request
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``{"input", "execution": {"id", "name", "startTime"}}`` → ``{"request", "execution",
    "timing", "missed", "missedOfRollback"}``, and ``"busyWith"``, the deployment that is under way,
    where the request would rather not run then. Raises ``InvalidRequest``."""
    w = wiring()
    settings = w.settings
    request = parse_request(event.get("input"), settings.deployment_config)
    other = w.deployments.active() if request.when_busy == SKIP else None
    deadline = settings.deadline_minutes * 60
    build = BUILD_DEADLINE_SECONDS if request.source else 0
    loops = (
        (build, EVENTS_A_LOOK_AT_A_BUILD),
        (deadline, EVENTS_A_LOOK),
        (deadline, EVENTS_A_LOOK),  # of the roll-back
    )
    poll = pace(settings.poll_seconds, loops)
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
        **none_missed(),
    }
