"""State ``VerifyOutcome``: blue is gone from the cluster, and the cluster is healthy."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.data import to_json
from quorumshift.domain.outcome import deployed
from tasks.wiring import evidence, wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.outcome``: ``{"error", "cause", "subject", "message", "checks", "cluster",
    "serving"}``.

    Gives back the locks and resumes scaling. Raises ``ClusterUnsafe``, ``ClusterUnsettled`` and
    ``TrafficAstray``.
    """
    w = wiring()
    deployment = event["deployment"]["id"]
    verified = w.ending.after_success(deployment)
    found = {
        "checks": to_json(evidence().read(deployment)),
        "cluster": to_json(verified.seen.verdict),
    }
    if not verified.another:
        happened = f"deployment {deployment} has succeeded"
        found["serving"] = w.measure.require(event["revision"]["to"], happened)
    outcome = deployed(w.settings.service, {**event, "outcome": found}, verified.another)
    return {**to_json(outcome), **found}
