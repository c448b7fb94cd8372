"""The path: as published, as cheap as brute force finds it, and found without much searching."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorumshift.domain.handover import Configuration, Goal, Next, Plan, goal_for, plan
from quorumshift.domain.handover_path import find
from quorumshift.domain.handover_scene import Scene, spare
from quorumshift.domain.handover_space import Space
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Standing
from quorumshift.domain.reading import read
from tests.domain.oracle import Puzzle, State, cost_of, solve
from tests.domain.strategies import ETCD, fleet, under_way

SMALL = Policy(tolerance=0, minimum_voters=1)


def route(path: tuple[Configuration, ...]) -> str:
    """A path as its configurations: ``2/3`` is two blue and three green voters, ``G``: led by
    green."""
    stations: list[str] = []
    for row in path:
        station = f"{row.blue}/{row.green}" + ("G" if row.leader.startswith("g") else "")
        if not stations or stations[-1] != station:
            stations.append(station)
    return " ".join(stations)


def planned(observation: ClusterObservation, policy: Policy | None = None) -> Plan:
    return plan(observation, goal_for(observation, Colour.GREEN), ETCD, policy or Policy())


@pytest.mark.parametrize(
    ("size", "stations"),
    [
        (3, "3/0 3/1 2/1 2/2 2/3 2/3G 1/3G 0/3G"),
        (5, "5/0 5/1 5/2 5/3 5/4 4/4 4/5 4/5G 3/5G 2/5G 1/5G 0/5G"),
    ],
)
def test_the_published_paths(size: int, stations: str) -> None:
    assert route(planned(fleet(size, size)).path) == stations


def test_with_a_fourth_lock_three_grow_to_six() -> None:
    observation = fleet(3, 3, desired=4)
    goal = Goal(frozenset({"g1", "g2", "g3"}))
    found = plan(observation, goal, ETCD, Policy())
    assert route(found.path) == "3/0 3/1 3/2 3/3 2/3 2/3G 1/3G 0/3G"


def test_each_path_passes_one_mixed_configuration() -> None:
    for size in (3, 4, 5, 7, 9):
        path = planned(fleet(size, size)).path
        mixed = {(row.blue, row.green) for row in path if row.mixed}
        assert len(mixed) == 1, f"{size}: {route(path)}"
        assert sum(row.point_of_no_return for row in path) == 1


def test_joint_consensus_changes_all_at_once_where_the_locks_allow_it() -> None:
    dialect = Dialect("openraft", 5, leadership_transfer=True, removal=True, joint_consensus=True)
    observation = fleet(3, 5, desired=5)
    path = plan(observation, goal_for(observation, Colour.GREEN), dialect, Policy()).path
    assert route(path) == "3/0 1/5 1/5G 0/5G"


def test_one_task_cannot_be_locked_at_all() -> None:
    assert planned(fleet(1, 1), SMALL).decision is Next.BLOCKED
    unlocked = Policy(tolerance=0, minimum_voters=1, allow_unlocked=True)
    assert planned(fleet(1, 1), unlocked).decision is Next.STEP


PUZZLES: dict[str, tuple[Callable[[], ClusterObservation], Policy]] = {
    "three": (lambda: fleet(3, 3), Policy()),
    "three, a lock more": (lambda: fleet(3, 3, desired=4), Policy()),
    "three, nothing to spare asked": (lambda: fleet(3, 3), Policy(tolerance=0)),
    "two": (lambda: fleet(2, 2), SMALL),
    "one to three": (lambda: fleet(1, 3), SMALL),
    "three to one": (lambda: fleet(3, 1, desired=3), SMALL),
    "two to three": (lambda: fleet(2, 3), SMALL),
    "one of three is silent": (lambda: fleet(3, 3, silent="b2"), Policy()),
    "the task of one of three is gone": (lambda: fleet(3, 3, gone="b2"), Policy()),
    "half-way": (lambda: fleet(3, 3, voters="b1 b2 g1", locked="b1 g1"), Policy()),
    "half-way, green leads": (lambda: fleet(3, 3, voters="b1 b2 g1", leader="g1"), Policy()),
    "all vote": (lambda: fleet(3, 3, voters="b1 b2 b3 g1 g2 g3"), Policy()),
    "locks where nobody votes": (lambda: fleet(3, 3, locked="g1 g2 g3"), Policy()),
    "blue only joins": (lambda: fleet(3, 3, joins="b1 b2 b3"), Policy()),
    "blue only joins, two": (lambda: fleet(2, 2, joins="b1 b2"), SMALL),
    "blue only joins, half-way": (
        lambda: fleet(3, 3, voters="b1 b2 g1", locked="b1 g1", joins="b1 b2"),
        Policy(),
    ),
    "one of blue only joins, and leads": (lambda: fleet(3, 3, joins="b1"), Policy()),
    "green only joins": (lambda: fleet(3, 3, voters="b1 b2 g1", joins="g1"), Policy()),
}


@pytest.mark.parametrize("name", PUZZLES)
def test_no_path_is_better_than_ours(name: str) -> None:
    make, policy = PUZZLES[name]
    compare(make(), policy)


@pytest.mark.parametrize("voters", ["g1 g2 g3", "g1 g2", "b1 g1 g2", "b1 b2 g1 g2"])
def test_no_way_back_is_better_than_ours_and_no_vote_ends_because_of_its_lock(voters: str) -> None:
    leader, locks = voters.split()[-1], " ".join(sorted(voters.split(), reverse=True)[:3])
    seen = fleet(3, 3, voters=voters, leader=leader, locked=locks)
    compare(seen, Policy(), back=True)
    goal = Goal(frozenset({"b1", "b2", "b3"}))
    rows = plan(seen, goal, ETCD, Policy()).path
    for before, after in pairwise(rows):
        unlocked = {at for at in before.locked if at.startswith("g")} - set(after.locked)
        assert unlocked.isdisjoint(after.voters), route(rows)


def compare(
    observation: ClusterObservation, policy: Policy, keep: bool = False, back: bool = False
) -> None:
    """The path that the search finds must cost what brute force finds to be the least. ``keep``:
    where one more voter is to stay, who alone can remove others. ``back``: to blue."""
    colour = "b" if back else "g"
    goal = Goal(frozenset(n.address for n in observation.nodes if n.address.startswith(colour)))
    reading = read(observation, policy)
    if reading.leader is None:
        return
    scene = Scene(observation, reading, goal, ETCD, policy)
    if keep:
        scene = replace(
            scene, keepers=frozenset([at for at in spare(scene) if at in scene.able][:1])
        )
    path = find(scene)
    joining = {n.colour for n in observation.nodes if n.report and n.report.joins_only}
    puzzle = Puzzle(
        nodes=frozenset(node.address for node in observation.nodes),
        goal=scene.wanted,
        fit=frozenset(
            node.address
            for node in observation.nodes
            if node.task and (node.report or node.standing is not Standing.VOTER)
        ),
        learners=frozenset(
            node.address for node in observation.nodes if node.standing is Standing.LEARNER
        ),
        able=frozenset(
            node.address
            for node in observation.nodes
            if (not node.report.joins_only if node.report else node.colour not in joining)
        ),
        budget=observation.desired,
        tolerance=policy.tolerance,
        minimum=policy.minimum_voters,
        ending=back,
    )
    start = State(
        frozenset(node.address for node in observation.voters),
        frozenset(node.address for node in observation.nodes if node.locked_until),
        reading.leader.address,
    )
    best = solve(puzzle, start)
    assert (best is None) is (path is None)
    if best is not None and path is not None:
        weakest, cost = best
        assert cost_of(puzzle, weakest, path) == cost, route(path)


def test_nine_voters_need_little_searching(monkeypatch: pytest.MonkeyPatch) -> None:
    """A count instead of a time: some hundred states are some milliseconds."""
    expanded = 0
    rule = Space.edges

    def counted(self: Space, state: int, weakest: int) -> Iterator[Any]:
        nonlocal expanded
        expanded += 1
        return rule(self, state, weakest)

    monkeypatch.setattr(Space, "edges", counted)
    for blue, green in ((9, 9), (9, 3), (3, 9), (7, 9)):
        expanded = 0
        planned(fleet(blue, green))
        assert expanded < 500, f"{blue} to {green}: {expanded} states"


@settings(max_examples=150, deadline=None)
@given(under_way(), st.integers(0, 1), st.booleans(), st.booleans())
def test_no_path_from_anywhere_is_better_than_ours(
    observation: ClusterObservation, tolerance: int, keep: bool, back: bool
) -> None:
    compare(observation, Policy(tolerance=tolerance), keep, back)
