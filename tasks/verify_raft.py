"""State ``VerifyRaft``: waits until the Raft cluster is healthy and stable."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.data import to_json
from quorumshift.domain.errors import ClusterUnsafe, ClusterUnsettled, DeploymentActive
from quorumshift.usecases.observer import require
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.verification``: the verdict. Raises ``ClusterUnsafe`` and ``ClusterUnsettled``, and
    ``DeploymentActive`` where that comes from another deployment, which began after
    ``ValidateRequest`` had looked.

    An election is waited for in here, up to the policy's own deadline, and not by the state
    machine's Retry: what is waited for are two looks a stabilisation time apart, which a new
    invocation would have to begin again.
    """
    w = wiring()
    seen = w.observer.settled(None)
    try:
        return dict(to_json(require(seen, "nothing was deployed").verdict))
    except (ClusterUnsafe, ClusterUnsettled) as error:
        other = w.deployments.active()
        if other is None:
            raise
        raise DeploymentActive(
            f"deployment {other} is under way, and moves the votes: {error}. Wait for its end, or "
            "stop it, and start again"
        ) from error
