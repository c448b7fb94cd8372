"""State ``CreateDeployment``: starts the deployment, or adopts the one an earlier try started."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.request import Request
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.deployment``: ``{"id", "adopted", "scalingSuspended"}``.

    Raises ``DeploymentActive``, ``DeploymentRefused`` and ``Transient``. Scaling is suspended after
    the start, so that a refused start leaves nothing behind.
    """
    w = wiring()
    request = from_json(Request, event["request"])
    execution = event["execution"]
    w.beginning.wait_until_votes_rest(execution["id"], execution["startTime"])
    started = w.deployments.start(
        task_definition=event["revision"]["to"],
        replaces=event["revision"]["from"],
        config=request.deployment_config,
        description=request.description,
        execution=execution["id"],
        since=execution["startTime"],
        ignore_alarms=request.ignore_alarms,
    )
    suspended = w.scaling.suspend(started.id)
    return {**to_json(started), "scalingSuspended": suspended}
