"""Green nodes that founded clusters of their own: passed over, or given way to, and named."""

from __future__ import annotations

from dataclasses import replace

from quorumshift.adapters.raft.dialects import ETCD
from quorumshift.domain.look import Look
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour
from quorumshift.usecases.turns import Planned, Turn, next_turn
from tests.domain.cluster_builder import cluster

POLICY = Policy()


def with_founders(seen: ClusterObservation, *founders: str) -> ClusterObservation:
    """Two of blue are locked."""
    nodes = (
        replace(node, apart="started a cluster of its own")
        if node.address in founders
        else replace(node, locked_until=1e9 if node.address in ("b1", "b2") else None)
        for node in seen.nodes
    )
    return replace(seen, nodes=tuple(nodes))


def after(seconds: float, seen: ClusterObservation) -> Planned:
    """The turn that long after the first, where nothing moved between."""
    first = next_turn(Look(seen, False), Colour.GREEN, None, None, ETCD, POLICY)
    later = replace(seen, at=seen.at + seconds)
    return next_turn(Look(later, False), Colour.GREEN, first, None, ETCD, POLICY)


def test_the_others_vote_where_they_are_enough() -> None:
    seen = with_founders(cluster(green=("g1", "g2", "g3", "g4")), "g1")
    planned = next_turn(Look(seen, False), Colour.GREEN, None, None, ETCD, POLICY)
    assert planned.decision is Turn.STEP
    assert planned.plan.path[-1].voters == ("g2", "g3", "g4")


def test_it_is_waited_for_and_named_and_then_given_way_to() -> None:
    seen = with_founders(cluster(green=("g1", "g2", "g3")), "g1")
    said = "Only 2 of 3 tasks of the goal can vote: g1 started a cluster of its own."
    early, late = after(1.0, seen), after(POLICY.settle_deadline_seconds + 1.0, seen)
    assert (early.goal, early.plan.decision, early.plan.reason) == (Colour.GREEN, "wait", said)
    assert late.goal is Colour.BLUE
    assert late.turned.startswith(said.rstrip("."))


def test_so_is_a_green_of_which_each_node_founded_one() -> None:
    founders = ("g1", "g2", "g3")
    seen = with_founders(cluster(green=founders), *founders)
    late = after(POLICY.settle_deadline_seconds + 1.0, seen)
    assert late.goal is Colour.BLUE
    assert late.turned.startswith("No task of the goal can vote: g1 started a cluster of its own, ")


def test_a_green_that_has_no_task_yet_is_given_way_to_as_well() -> None:
    late = after(POLICY.settle_deadline_seconds + 1.0, cluster())
    assert late.goal is Colour.BLUE
    assert late.turned.startswith("No task of the goal exists")
