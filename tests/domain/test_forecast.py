"""What a death would do: against enumeration, against the turns themselves, and by example."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings

from quorumshift.domain.data import from_json
from quorumshift.domain.forecast import Course, Death, Fate, reached
from quorumshift.domain.handover import Configuration, Kind, Next
from quorumshift.domain.handover_path import present
from quorumshift.domain.handover_scene import Scene
from quorumshift.domain.health import Decision
from quorumshift.domain.look import Look
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.prospect import Prospect, look_ahead
from quorumshift.domain.raft import ClusterObservation, Colour, Standing
from quorumshift.domain.reading import read
from quorumshift.usecases.turns import Planned, Turn, next_turn
from tests.domain import cases
from tests.domain.strategies import (
    ETCD,
    dialects,
    fleet,
    observations,
    policies,
    under_way,
)


def case(name: str) -> Prospect:
    """What is ahead in one of the planner's cases."""
    asked = cases.question("handover", name)
    dialect, policy = from_json(Dialect, asked["dialect"]), from_json(Policy, asked["policy"])
    return look_ahead(cases.observation("handover", name), Colour(asked["goal"]), dialect, policy)


def ahead(seen: ClusterObservation, goal: Colour = Colour.GREEN) -> Prospect:
    """What is ahead with etcd and the usual policy."""
    return look_ahead(seen, goal, ETCD, Policy())


def spare(row: Configuration, dead: str) -> int:
    """By enumeration: how many more may fail, whichever they are; -1 when the quorum is lost."""
    alive = set(row.voters) - set(row.unhealthy) - {dead}
    for count in range(len(alive) + 1):
        for lost in combinations(sorted(alive), count):
            if 2 * len(alive - set(lost)) <= len(row.voters):
                return count - 1
    raise AssertionError("without voters there is no majority")


def test_who_was_healthy_stays_so_under_a_leader_with_a_longer_log() -> None:
    """A follower may have entries that the leader has not, and win the election after its death."""
    seen = fleet(3, 0)
    logs = {"b1": 750, "b2": 1000, "b3": 749}
    nodes = tuple(
        replace(node, report=replace(node.report, last_index=log, applied_index=log))
        for node, log in zip(seen.nodes, logs.values(), strict=True)
        if node.report is not None
    )
    found = ahead(replace(seen, nodes=nodes), Colour.BLUE)
    (leader,) = (death for death in found.forecast[0] if death.address == seen.nodes[0].address)
    assert leader.election
    assert leader.fate is not Fate.QUORUM_LOST


@settings(max_examples=200, deadline=None)
@given(observations() | under_way(), dialects(), policies())
def test_anything_that_may_be_seen_can_be_looked_ahead_of(
    seen: ClusterObservation, dialect: Dialect, policy: Policy
) -> None:
    for goal in (Colour.GREEN, Colour.BLUE):
        found = look_ahead(seen, goal, dialect, policy)
        assert len(found.forecast) == len(found.plan.path)
        assert found.safe or found.plan.decision in (Next.WAIT, Next.BLOCKED)
        for row, deaths in zip(found.plan.path, found.forecast, strict=True):
            tasks = {node.address for node in found.observation.nodes if node.task}
            assert {death.address for death in deaths} == tasks
            for death in deaths:
                counted = spare(row, death.address)
                assert max(-1, death.tolerance) == counted
                assert death.tolerance == row.without(frozenset({death.address}))
                assert (death.fate is Fate.QUORUM_LOST) is (counted < 0)
                assert death.election is (death.address == row.leader)


@settings(max_examples=200, deadline=None)
@given(observations() | under_way(), dialects(), policies())
def test_a_row_read_back_as_an_observation_is_that_row(
    seen: ClusterObservation, dialect: Dialect, policy: Policy
) -> None:
    check_rows(look_ahead(seen, Colour.GREEN, dialect, policy))


def test_a_path_that_begins_with_a_renewal_begins_with_the_locks_of_now() -> None:
    seen = fleet(1, 2, desired=2, voters="b1 g1 g2", locked="g2", silent="g2")
    soon = replace(seen.nodes[-1], locked_until=seen.at + 60)
    seen = replace(seen, nodes=(*seen.nodes[:-1], soon))
    found = look_ahead(seen, Colour.GREEN, ETCD, Policy(tolerance=0, minimum_voters=1))
    assert found.plan.reason.startswith("Time to renew")
    assert found.plan.path[0].locked == ("g2",)


@pytest.mark.parametrize("name", cases.names("handover"))
def test_a_row_of_a_case_read_back_is_that_row(name: str) -> None:
    check_rows(case(name))


def test_who_is_silent_or_lags_stays_so_in_the_rows_that_follow() -> None:
    for seen in (fleet(3, 3, silent="b3"), fleet(5, 5, behind="b5", silent="b4")):
        found = ahead(seen)
        assert any(row.step and row.unhealthy for row in found.plan.path)
        check_rows(found)


def check_rows(found: Prospect) -> None:
    """The planner sees each row in what would be observed then."""
    course = Course(found.goal, found.dialect, found.policy)
    for row in found.plan.path:
        then = reached(found.observation, row, course)
        reading = read(then, found.policy)
        scene = Scene(then, reading, course.voters(then), found.dialect, found.policy)
        assert present(scene) == replace(row, step=None, point_of_no_return=False)


def test_each_row_has_the_rest_of_the_path_ahead() -> None:
    for size in (3, 4, 5):
        seen = fleet(size, size)
        course = Course(Colour.GREEN, ETCD, Policy())
        path = course.plan(seen).path
        for at, row in enumerate(path):
            onward = course.plan(reached(seen, row, course))
            assert kinds(onward.path[1:]) == kinds(path[at + 1 :])


def kinds(rows: tuple[Configuration, ...]) -> list[Kind]:
    """What the steps do; which of two equal nodes they take is open."""
    return [row.step.kind for row in rows if row.step]


# The turns themselves


def later(found: Prospect, row: Configuration, death: Death) -> tuple[Planned, Planned]:
    """What the hand-over's own turns say after this death: at once, and past the deadline."""
    course = Course(found.goal, found.dialect, found.policy)
    seen = reached(found.observation, row, course)
    nodes = [
        replace(n, colour=Colour.NONE, task=None, ready=False, locked_until=None, report=None)
        if n.address == death.address
        else n
        for n in seen.nodes
        if n.address != death.address or n.standing is not Standing.OUTSIDE
    ]
    dead = replace(seen, nodes=tuple(nodes))
    first = next_turn(Look(dead, False), found.goal, None, None, found.dialect, found.policy)
    late = replace(dead, at=seen.at + found.policy.settle_deadline_seconds + 1)
    second = next_turn(Look(late, False), found.goal, first, None, found.dialect, found.policy)
    return first, second


@pytest.mark.parametrize("name", cases.names("handover"))
def test_the_turns_of_the_hand_over_do_what_was_forecast(name: str) -> None:
    found = case(name)
    for row, deaths in zip(found.plan.path, found.forecast, strict=True):
        for death in deaths:
            if death.election or death.fate is Fate.QUORUM_LOST:
                continue  # an election comes first; a lost quorum has nothing to plan
            first, second = later(found, row, death)
            if death.fate is Fate.GOES_ON:
                going = first.decision in (Turn.STEP, Turn.DONE) or first.plan.resting
                assert first.goal is found.goal
                assert going or first.memory.ailing
            elif death.fate is Fate.WAITS:
                assert first.goal is found.goal
                assert first.decision in (Turn.STEP, Turn.WAIT)
            elif death.fate is Fate.TURNS_BACK:
                waiting = first.decision is Turn.WAIT and "ECS" in first.reason  # and then turns
                assert waiting or Colour.BLUE in (first.goal, second.goal)
            else:
                assert Turn.DONE not in (first.decision, second.decision)


# By example


def test_no_single_death_on_the_way_from_three_to_three_loses_the_quorum() -> None:
    found = ahead(fleet(3, 3))
    fates = {death.fate for deaths in found.forecast for death in deaths}
    assert fates == {Fate.GOES_ON, Fate.WAITS}
    assert found.ending is not None
    assert found.ending.decision is Decision.PROCEED


def test_a_dead_green_node_is_waited_for_and_a_dead_blue_one_is_not() -> None:
    for deaths in ahead(fleet(3, 3)).forecast:
        for death in deaths:
            waits = death.address.startswith("g")
            assert death.fate is (Fate.WAITS if waits else Fate.GOES_ON)


def test_with_a_voter_silent_the_next_death_loses_the_quorum() -> None:
    now, *_ = ahead(fleet(3, 3, silent="b3")).forecast
    fates = {death.address: death.fate for death in now}
    assert fates["b1"] is fates["b2"] is Fate.QUORUM_LOST
    assert fates["b3"] is Fate.GOES_ON


def test_green_that_is_too_few_turns_back() -> None:
    found = ahead(fleet(3, 2, desired=2))
    assert found.plan.decision is Next.BLOCKED
    assert found.outlook is Fate.TURNS_BACK
    assert not found.safe


def test_a_raft_that_does_not_tell_its_members_is_stuck() -> None:
    found = case("a-raft-that-does-not-tell-its-members-is-refused")
    assert found.outlook is Fate.STUCK
    assert not found.safe


def test_where_nothing_is_deployed_as_many_new_tasks_as_the_service_wants_are_imagined() -> None:
    found = ahead(fleet(3, 0))
    assert found.imagined == ("green-1", "green-2", "green-3")
    assert found.plan.path[-1].voters == found.imagined
    assert ahead(fleet(3, 1)).imagined == ()
    assert ahead(fleet(3, 0), Colour.BLUE).imagined == ()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("done", True),
        ("a-learner-that-lags-is-waited-for", True),
        ("a-missing-green-task-is-waited-for", True),
        ("it-bakes-where-green-may-still-vanish", True),
        ("an-election-is-waited-for", False),
        ("a-lost-quorum-is-waited-for", False),
        ("a-member-list-that-is-not-confirmed-is-waited-for", False),
        ("done-but-one-of-green-is-silent", False),
        ("one-task-cannot-be-locked", False),
    ],
)
def test_a_wait_is_safe_only_if_it_ends_by_itself(name: str, safe: bool) -> None:
    assert case(name).safe is safe


def test_a_due_renewal_comes_first_and_the_path_is_known_all_the_same() -> None:
    found = case("a-lock-about-to-end-is-renewed")
    assert found.plan.step is not None
    assert len(found.plan.path) > 1


def test_a_new_task_does_not_help_where_no_path_is_left() -> None:
    (now,) = case("a-raft-that-cannot-move-leadership-is-refused").forecast
    fates = {death.fate for death in now if death.address.startswith("g")}
    assert fates == {Fate.TURNS_BACK}


def test_who_alone_could_remove_others_is_not_to_die() -> None:
    """Between the first green vote and a second green node blue can neither admit nor remove."""
    found = case("a-first-contract-cluster-moves-to-green")
    stuck = [
        (row.step.kind, death.address)
        for row, deaths in zip(found.plan.path, found.forecast, strict=True)
        for death in deaths
        if row.step and row.green and death.fate is Fate.STUCK
    ]
    assert stuck == [(Kind.PROMOTE, "g1")]


def test_a_way_back_that_leaves_a_voter_is_none_to_end_green_after() -> None:
    found = case("back-under-a-first-contract-leader-moves-leadership-first")
    assert found.plan.path[-1].voters == ("b1", "b2", "b3", "g1")
    assert found.ending is not None
    assert found.ending.decision is Decision.ABORT
