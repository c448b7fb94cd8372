"""What a poll of a deployment leaves for the dashboard.

The form is CloudWatch's embedded metric format: a line in a function's log, from which CloudWatch
takes metrics by itself.
"""

from __future__ import annotations

from typing import Any

from quorumshift.domain.raft import ClusterObservation
from quorumshift.domain.rollout import RolloutObservation

NAMESPACE = "quorumshift"
DIMENSION = "Service"
VOTERS, LEADER_CHANGES, LAG, GREEN_TRAFFIC = "Voters", "LeaderChanges", "Lag", "GreenTraffic"
_UNITS = {VOTERS: "Count", LEADER_CHANGES: "Count", LAG: "Count", GREEN_TRAFFIC: "Percent"}


def poll_metrics(
    service: str, seen: RolloutObservation, previous: RolloutObservation | None
) -> dict[str, Any]:
    """The document of one look; a metric that was not seen is left out.

    ``LeaderChanges``: by how much the term grew since the look before, because a term has at most
    one leader (dissertation, section 3.4). ``Lag``: log entries, of the healthy voter furthest
    behind the leader.
    """
    values: dict[str, float] = {}
    if seen.cluster is not None:
        values[VOTERS] = len(seen.cluster.voters)
        term = _term(seen.cluster)
        before = _term(previous.cluster) if previous and previous.cluster else None
        if term is not None and before is not None:
            values[LEADER_CHANGES] = max(0, term - before)
    if seen.verdict is not None and seen.verdict.evidence.lag is not None:
        values[LAG] = seen.verdict.evidence.lag
    if seen.rollout.traffic is not None:
        values[GREEN_TRAFFIC] = seen.rollout.traffic.green
    described = {
        "Namespace": NAMESPACE,
        "Dimensions": [[DIMENSION]],
        "Metrics": [{"Name": name, "Unit": _UNITS[name]} for name in values],
    }
    return {
        "_aws": {"Timestamp": round(seen.at * 1000), "CloudWatchMetrics": [described]},
        DIMENSION: service,
        "Deployment": seen.rollout.id,
        **values,
    }


def _term(cluster: ClusterObservation) -> int | None:
    return max((node.report.term for node in cluster.nodes if node.report), default=None)
