"""What may be planned for when it comes from outside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quorumshift.domain.data import to_json
from quorumshift.domain.look import MOST, Look, look_from
from quorumshift.domain.raft import ClusterObservation, Colour, Node, Standing
from tests.domain.strategies import fleet


def many(count: int) -> ClusterObservation:
    nodes = tuple(Node(f"n{at}", Colour.BLUE, Standing.OUTSIDE) for at in range(count))
    return replace(fleet(0, 0, voters=""), nodes=nodes)


def test_a_look_and_a_cluster_alone_are_read() -> None:
    look = Look(fleet(3, 3), stopped=True, busy="d-2", overtaken="d-2 has followed")
    assert look_from(to_json(look)) == look
    assert look_from(to_json(look.cluster)) == Look(look.cluster, stopped=False)


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (replace(many(2), nodes=many(1).nodes * 2), "two nodes have the address 'n0'"),
        (many(MOST + 1), "at most 36 tasks"),
        (replace(many(1), desired=MOST + 1), "at most 36 tasks"),
        (replace(many(1), desired=-1), "at most 36 tasks"),
    ],
)
def test_what_cannot_be_planned_for_is_refused(seen: ClusterObservation, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        look_from(to_json(seen))


def test_two_nodes_never_have_one_raft_id_and_many_may_have_none() -> None:
    seen = many(3)
    assert look_from(to_json(seen)).cluster == seen
    twins = tuple(replace(node, raft_id="7") for node in seen.nodes[:2])
    with pytest.raises(ValueError, match="two nodes have the raftId '7'"):
        look_from(to_json(replace(seen, nodes=twins)))


@pytest.mark.parametrize("desired", [0, MOST])
def test_the_largest_service_and_an_empty_one_are_read(desired: int) -> None:
    seen = replace(many(MOST), desired=desired)
    assert look_from(to_json(seen)).cluster == seen


@pytest.mark.parametrize("value", [None, [], {}, {"cluster": None}])
def test_what_is_no_look_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^(ClusterObservation|Look)"):
        look_from(value)


def test_blue_is_the_goal_once_the_rollout_has_stopped_while_there_is_a_blue_one() -> None:
    assert Look(fleet(3, 3), stopped=False).goal is Colour.GREEN
    assert Look(fleet(3, 3), stopped=True).goal is Colour.BLUE
    assert Look(fleet(0, 3, voters="g1 g2 g3", leader="g1"), stopped=True).goal is Colour.GREEN
