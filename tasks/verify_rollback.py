"""State ``VerifyRollback``: after the roll-back, the old cluster is healthy and stable."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.data import to_json
from quorumshift.domain.outcome import rolled_back
from tasks.wiring import evidence, wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.outcome``: ``{"error", "cause", "subject", "message", "checks", "cluster",
    "serving"}``.

    Gives back the locks and resumes scaling. Raises ``ClusterUnsafe``, ``ClusterUnsettled`` and
    ``TrafficAstray``.
    """
    w = wiring()
    deployment = event["deployment"]["id"]
    verified = w.ending.after_rollback(deployment)
    checks = evidence().read(deployment)
    found = {"checks": to_json(checks), "cluster": to_json(verified.seen.verdict)}
    if not verified.another:
        happened = f"deployment {deployment} was rolled back"
        found["serving"] = w.measure.require(event["revision"]["from"], happened)
    state = {**event, "outcome": found}
    outcome = rolled_back(w.settings.service, state, checks, w.policy, verified.another)
    return {**to_json(outcome), **found}
