"""The line that a poll prints is what CloudWatch's embedded metric format asks for."""

from __future__ import annotations

import json
from dataclasses import replace

from quorumshift.domain.health import assess
from quorumshift.domain.policy import Policy
from quorumshift.domain.poll_metrics import poll_metrics
from quorumshift.domain.raft import ClusterObservation
from quorumshift.domain.rollout import Progress, Rollout, RolloutObservation, Traffic
from tests.domain.cluster_builder import cluster


def look(seen: ClusterObservation | None, green: float | None = None) -> RolloutObservation:
    traffic = None if green is None else Traffic(100 - green, green)
    return RolloutObservation(
        at=1700000000.25,
        waited=30,
        deadline=3600,
        rollout=Rollout("d-1", Progress.RUNNING, traffic=traffic),
        cluster=seen,
        verdict=None if seen is None else assess(seen, Policy()),
    )


def with_term(seen: ClusterObservation, term: int) -> ClusterObservation:
    nodes = tuple(
        replace(node, report=replace(node.report, term=term) if node.report else None)
        for node in seen.nodes
    )
    return replace(seen, nodes=nodes)


def test_every_metric_that_is_declared_has_a_number_and_its_dimension() -> None:
    before = look(with_term(cluster(), 7))
    document = poll_metrics("orders", look(with_term(cluster(), 9), 30.0), before)
    assert json.loads(json.dumps(document)) == document
    (described,) = document["_aws"]["CloudWatchMetrics"]
    assert document["_aws"]["Timestamp"] == 1700000000250
    assert described["Namespace"] == "quorumshift"
    assert described["Dimensions"] == [["Service"]]
    assert {metric["Name"]: document[metric["Name"]] for metric in described["Metrics"]} == {
        "Voters": 3,
        "LeaderChanges": 2,
        "Lag": 0,
        "GreenTraffic": 30.0,
    }
    assert (document["Service"], document["Deployment"]) == ("orders", "d-1")


def test_what_was_not_seen_is_no_metric() -> None:
    document = poll_metrics("orders", look(None), None)
    (described,) = document["_aws"]["CloudWatchMetrics"]
    assert described["Metrics"] == []
    first = poll_metrics("orders", look(cluster()), None)
    assert "LeaderChanges" not in first, "there is nothing to compare the first look with"


def test_a_term_that_only_a_lost_node_knew_is_no_negative_number() -> None:
    document = poll_metrics("orders", look(with_term(cluster(), 7)), look(with_term(cluster(), 8)))
    assert document["LeaderChanges"] == 0


def silent(seen: ClusterObservation) -> ClusterObservation:
    return replace(seen, nodes=tuple(replace(node, report=None) for node in seen.nodes))


def test_a_term_that_nobody_told_is_compared_with_none() -> None:
    for now, before in (
        (cluster(), look(None)),
        (cluster(), look(silent(cluster()))),
        (silent(cluster()), look(cluster())),
    ):
        document = poll_metrics("orders", look(now), before)
        assert "LeaderChanges" not in document
    assert "Lag" not in poll_metrics("orders", look(silent(cluster())), None)


def test_the_newest_term_counts_and_each_metric_has_its_unit() -> None:
    seen = with_term(cluster(), 7)
    first, *_ = with_term(cluster(), 9).nodes
    ahead = replace(seen, nodes=(first, *seen.nodes[1:]))
    document = poll_metrics("orders", look(ahead, 30.0), look(seen))
    assert document["LeaderChanges"] == 2
    (described,) = document["_aws"]["CloudWatchMetrics"]
    units = {metric["Name"]: metric["Unit"] for metric in described["Metrics"]}
    assert units["GreenTraffic"] == "Percent"
    assert units["Voters"] == units["LeaderChanges"] == "Count"
