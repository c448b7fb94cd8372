"""State ``CreateDeployment``: starts the deployment, or adopts the one an earlier try started."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.request import Request
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.deployment``: ``{"id", "adopted", "scalingSuspended"}``.

    Raises ``DeploymentActive`` and ``DeploymentRefused``. Scaling is suspended after the start, so
    that a refused start leaves nothing behind.
    """
    w = wiring()
    request = from_json(Request, event["request"])
    started = w.deployments.start(
        task_definition=event["revision"]["to"],
        replaces=event["revision"]["from"],
        config=request.deployment_config,
        description=request.description,
        execution=event["execution"]["id"],
        since=event["execution"]["startTime"],
        ignore_alarms=request.ignore_alarms,
    )
    suspended = w.scaling.suspend()
    return {**to_json(started), "scalingSuspended": suspended}
