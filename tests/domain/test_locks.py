"""Vote locks apart from a hand-over: held by the hooks, renewed while waiting, given back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorumshift.domain.event_budget import EVENTS_A_LOOK, pace
from quorumshift.domain.handover import Kind, Next, hold, let_go, plan
from quorumshift.domain.handover_steps import Goal
from quorumshift.domain.locks import (
    RENEWED_TIMES,
    SHORTEST_MINUTES,
    is_locked,
    locked,
    renewal,
    the_rest,
)
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation
from quorumshift.domain.request import BUILD_DEADLINE_SECONDS
from quorumshift.usecases.turns import LONGEST_SECONDS
from tests.domain.strategies import ETCD, NOW, fleet

POLICY = Policy(lock_minutes=120)
NOBODY: frozenset[str] = frozenset()


def ending(observation: ClusterObservation, seconds: float) -> ClusterObservation:
    """Every lock with so many seconds left."""
    nodes = (
        replace(node, locked_until=NOW + seconds if node.locked_until else None)
        for node in observation.nodes
    )
    return replace(observation, nodes=tuple(nodes))


def test_a_lock_counts_until_it_ends_and_only_on_a_task() -> None:
    (node, *_) = fleet(3, 0, locked="b1").nodes
    assert is_locked(node, NOW)
    assert not is_locked(replace(node, locked_until=NOW), NOW)
    assert not is_locked(replace(node, task=None), NOW)
    assert not is_locked(replace(node, locked_until=None), NOW)


def test_hold_locks_a_quorum_the_leader_first() -> None:
    step = hold(fleet(5, 0, leader="b4"), POLICY)
    assert step is not None
    assert (step.kind, step.tasks) == (Kind.LOCK, ("task/b1", "task/b2", "task/b4"))


def test_hold_adds_what_is_missing_and_then_rests() -> None:
    step = hold(fleet(3, 0, locked="b3"), POLICY)
    assert step is not None
    assert step.tasks == ("task/b1",)
    assert hold(fleet(3, 0, locked="b1 b3"), POLICY) is None


def test_hold_does_not_count_a_lock_on_a_silent_voter() -> None:
    step = hold(fleet(3, 0, locked="b1 b2", silent="b2"), POLICY)
    assert step is not None
    assert (step.kind, step.tasks) == (Kind.LOCK, ("task/b3",))


def test_hold_gives_back_what_is_in_the_way_first() -> None:
    step = hold(fleet(3, 3, locked="g1 g2 g3"), POLICY)
    assert step is not None
    assert (step.kind, step.tasks) == (Kind.RELEASE, ("task/g1", "task/g2", "task/g3"))


def test_hold_never_asks_for_more_than_the_service_wants() -> None:
    step = hold(fleet(5, 0, desired=2), POLICY)
    assert step is not None
    assert len(step.tasks) == 2
    assert hold(fleet(5, 0, desired=2, locked="b1 b2"), POLICY) is None


def test_hold_works_without_a_leader_among_those_that_answer() -> None:
    step = hold(fleet(3, 0, leader="", silent="b1"), POLICY)
    assert step is not None
    assert step.tasks == ("task/b2", "task/b3")


def test_a_lock_with_little_time_left_is_renewed() -> None:
    observation = fleet(3, 3, locked="b1 b2")
    assert renewal(ending(observation, 1801), NOBODY, POLICY) is None
    step = renewal(ending(observation, 1800), NOBODY, POLICY)
    assert step is not None
    assert (step.kind, step.tasks) == (Kind.LOCK, ("task/b1", "task/b2"))
    assert hold(ending(observation, 60), POLICY) == renewal(ending(observation, 60), NOBODY, POLICY)


def test_a_lock_that_nobody_needs_is_not_renewed() -> None:
    silent = fleet(3, 3, locked="b3 g1", silent="b3")
    assert renewal(ending(silent, 60), NOBODY, POLICY) is None
    step = renewal(ending(silent, 60), frozenset({"g1"}), POLICY)
    assert step is not None
    assert step.tasks == ("task/g1",)


def test_a_plan_renews_before_anything_else_even_during_an_election() -> None:
    observation = ending(fleet(3, 3, locked="b1 b2", leader=""), 60)
    found = plan(observation, Goal(frozenset({"g1", "g2", "g3"})), ETCD, POLICY)
    assert found.decision is Next.STEP
    assert found.step is not None
    assert found.step.kind is Kind.LOCK


@pytest.mark.parametrize(("desired", "expected"), [(3, {"b3"}), (2, set()), (5, {"b3"})])
def test_the_rest_is_locked_as_far_as_there_is_room(desired: int, expected: set[str]) -> None:
    seen = fleet(3, 0, desired=desired, locked="b1 b2")
    step = the_rest(seen, POLICY)
    assert (set(step.tasks) if step else set()) == {f"task/{at}" for at in expected}


def test_who_does_not_answer_is_none_of_the_rest() -> None:
    assert the_rest(fleet(3, 0, locked="b1 b2", silent="b3"), POLICY) is None


def test_in_the_end_every_lock_is_given_back() -> None:
    observation = fleet(3, 3, locked="b2 g1")
    step = let_go(observation)
    assert step is not None
    assert (step.kind, step.tasks) == (Kind.RELEASE, ("task/b2", "task/g1"))
    assert len(locked(observation)) == 2
    assert let_go(fleet(3, 3)) is None
    assert let_go(ending(observation, -1)) is None


def test_hold_spreads_what_is_left_where_green_took_votes_by_itself() -> None:
    """Four of six votes are the quorum and ECS locks three tasks: one of them must be green's, or
    a roll-back, which ends green, would leave three."""
    step = hold(fleet(3, 3, voters="b1 b2 b3 g1 g2 g3", locked="b1 b2"), POLICY)
    assert step is not None
    assert (step.kind, step.tasks) == (Kind.LOCK, ("task/g1",))


def test_the_shortest_lock_holds_three_of_the_slowest_looks() -> None:
    """A look may take 110 s, is tried three times, and waits between; it is 300 s after the last
    one, or later where the history needs that."""
    longest = 7200 * 60
    for asked, deadline in ((300, 180 * 60), (300, longest), (5, longest)):
        loops = [(each, EVENTS_A_LOOK) for each in (BUILD_DEADLINE_SECONDS, deadline, deadline)]
        apart = pace(asked, loops) + 360
        assert RENEWED_TIMES * apart <= SHORTEST_MINUTES * 60


def test_the_shortest_lock_outlasts_a_hand_over() -> None:
    assert SHORTEST_MINUTES * 60 > LONGEST_SECONDS


def protected(observation: ClusterObservation, *others: str) -> ClusterObservation:
    """The locks on ``others`` are not ours."""
    nodes = (
        replace(node, foreign_until=node.locked_until) if node.address in others else node
        for node in observation.nodes
    )
    return replace(observation, nodes=tuple(nodes))


def test_only_our_locks_are_given_back() -> None:
    seen = protected(fleet(3, 3, locked="b1 b2 g1"), "b2", "g1")
    step = let_go(seen)
    assert step is not None
    assert step.tasks == ("task/b1",)
    assert let_go(protected(seen, "b1", "b2", "g1")) is None


def test_a_lock_of_ours_over_one_of_theirs_is_given_back_and_makes_no_room() -> None:
    seen = fleet(3, 3, locked="g1 g2 g3")
    over = tuple(replace(n, foreign_until=NOW + 60 if n.locked_until else None) for n in seen.nodes)
    step = let_go(replace(seen, nodes=over))
    assert step is not None
    assert step.tasks == ("task/g1", "task/g2", "task/g3")
    assert hold(replace(seen, nodes=over), POLICY) is None


def test_what_others_protect_is_no_room_for_a_lock_that_is_needed() -> None:
    step = hold(protected(fleet(3, 3, locked="g1 g2 g3"), "g1", "g3"), POLICY)
    assert step is not None
    assert (step.kind, step.tasks) == (Kind.RELEASE, ("task/g2",))
