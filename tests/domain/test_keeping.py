"""What the keeper does, and what it leaves alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorumshift.domain.appspec import HAND_OVER_STAGE
from quorumshift.domain.keeping import (
    EVERY_SECONDS,
    SHORT,
    Deed,
    Facts,
    decide,
    needless,
    runs_short,
)
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Membership, Node, Standing
from quorumshift.domain.rollout import Progress, Rollout, Stage, StageStatus
from quorumshift.domain.undo import ATTEMPTS

POLICY = Policy()
LOCKED = POLICY.lock_minutes * 60
ASKED = (Stage(HAND_OVER_STAGE, StageStatus.RUNNING),)
RUNNING = Rollout("d-1", Progress.RUNNING, ASKED)
STOPPED = Rollout("d-1", Progress.STOPPED)
SUCCEEDED = Rollout("d-1", Progress.SUCCEEDED)


def cluster(
    *green: str, left: float = POLICY.lock_minutes * 60, known: bool = True
) -> ClusterObservation:
    """Three of blue and these of green vote, all of them locked."""
    nodes = tuple(
        Node(
            address=address,
            raft_id=str(number),
            standing=Standing.VOTER,
            task=f"arn:{address}",
            colour=Colour.BLUE if address.startswith("b") else Colour.GREEN,
            locked_until=1000 + left,
        )
        for number, address in enumerate(("b1", "b2", "b3", *green))
    )
    told = Membership.CONFIRMED if known else Membership.UNKNOWN
    return ClusterObservation(at=1000, nodes=nodes, desired=3, membership=told)


def deeds(facts: Facts) -> set[Deed]:
    return set(decide(facts, POLICY))


@pytest.mark.parametrize("rollout", [RUNNING, STOPPED, SUCCEEDED, None])
@pytest.mark.parametrize("green", [(), ("g1",)])
def test_what_is_followed_or_moved_is_only_kept_locked(
    rollout: Rollout | None, green: tuple[str, ...]
) -> None:
    seen = Facts(cluster(*green), rollout, suspended_for="d-1")
    for live in (
        replace(seen, followed=True),
        replace(seen, followed=False, moving=True),
        replace(seen, followed=False, other="d-2"),
    ):
        assert deeds(live) == set()
        short = replace(live, cluster=cluster(*green, left=POLICY.lock_minutes * 60 * SHORT))
        at_stake = green or live.running or live.other
        assert deeds(short) == ({Deed.RENEW} if at_stake else set())


def test_a_rollout_that_nobody_follows_is_stopped_and_its_votes_go_home() -> None:
    seen = Facts(cluster("g1"), RUNNING, followed=False, suspended_for="d-1")
    assert deeds(seen) == {Deed.HOLD, Deed.STOP, Deed.HAND_BACK}
    undone = replace(seen, rollout=STOPPED, undoing=True)
    assert deeds(undone) == {Deed.HOLD, Deed.HAND_BACK}
    assert deeds(replace(undone, cluster=cluster())) == {Deed.HOLD}
    assert deeds(replace(undone, called=ATTEMPTS)) == {Deed.HOLD}


def test_after_it_scaling_goes_on_once_the_votes_are_home() -> None:
    seen = Facts(cluster(), STOPPED, followed=False, suspended_for="d-1", follow=False)
    assert deeds(seen) == {Deed.CLEAN_UP}
    assert deeds(replace(seen, cluster=cluster("g1"))) == {Deed.HOLD, Deed.HAND_BACK}
    assert deeds(replace(seen, suspended_for=None)) == set()


def test_a_rollout_that_has_succeeded_is_never_undone() -> None:
    seen = Facts(cluster("g1"), SUCCEEDED, followed=False)
    assert deeds(seen) == {Deed.HOLD, Deed.RECONCILE}


def test_a_question_is_answered_where_the_hand_over_died() -> None:
    seen = Facts(cluster(), RUNNING, question="hook-1")
    assert deeds(seen) == {Deed.ANSWER}
    assert deeds(replace(seen, moving=True)) == set()
    assert deeds(replace(seen, rollout=Rollout("d-1", Progress.RUNNING))) == set()


def test_where_votes_do_not_follow_the_tasks_those_of_a_living_task_still_do() -> None:
    seen = Facts(cluster("g1"), SUCCEEDED, followed=False, follow=False)
    assert Deed.RECONCILE in deeds(seen)
    dead = tuple(
        replace(node, task=None) if node.address == "g1" else node for node in seen.cluster.nodes
    )
    gone = replace(seen, cluster=replace(seen.cluster, nodes=dead))
    assert Deed.RECONCILE not in deeds(gone)
    assert Deed.RECONCILE in deeds(replace(gone, follow=True))


def test_while_nobody_knows_who_votes_locks_are_renewed_and_nothing_is_moved() -> None:
    seen = Facts(cluster(left=60, known=False), RUNNING, followed=False)
    assert deeds(seen) == {Deed.RENEW, Deed.STOP}


OLD = float(LOCKED - EVERY_SECONDS)
"""Seconds left of a lock that was made a look ago."""


def outside(seen: ClusterObservation, *addresses: str, left: float = OLD) -> ClusterObservation:
    """With these tasks of green, locked, which are no members."""
    more = tuple(
        Node(one, Colour.GREEN, Standing.OUTSIDE, f"arn:{one}", locked_until=seen.at + left)
        for one in addresses
    )
    return replace(seen, nodes=(*seen.nodes, *more))


def let_go(facts: Facts) -> set[str]:
    assert (Deed.LET_GO in deeds(facts)) is bool(needless(facts, POLICY))
    return {node.address for node in needless(facts, POLICY)}


@pytest.mark.parametrize("rollout", [STOPPED, SUCCEEDED, None])
def test_locks_that_nothing_needs_are_given_back(rollout: Rollout | None) -> None:
    seen = Facts(cluster(left=OLD), rollout, followed=False)
    assert let_go(seen) == {"b1", "b2", "b3"}
    assert let_go(replace(seen, cluster=cluster(left=OLD + 1))) == set(), "somebody has just begun"
    for owned in (
        replace(seen, followed=True),
        replace(seen, moving=True),
        replace(seen, other="d-2"),
        replace(seen, undoing=True),
        replace(seen, cluster=cluster("g1", left=OLD)),
        replace(seen, cluster=cluster(left=OLD, known=False)),
    ):
        assert let_go(owned) == set()
    missing = replace(seen.cluster, nodes=seen.cluster.nodes[:2])
    astray = (*missing.nodes, replace(seen.cluster.nodes[2], standing=Standing.LEARNER))
    assert let_go(replace(seen, cluster=replace(missing, nodes=astray))) == set()


def test_locks_of_others_are_never_given_back() -> None:
    nodes = tuple(
        replace(node, foreign_until=node.locked_until if node.address == "b1" else 1060)
        for node in cluster(left=OLD).nodes
    )
    seen = Facts(replace(cluster(), nodes=nodes), STOPPED, followed=False)
    assert let_go(seen) == {"b2", "b3"}


@pytest.mark.parametrize("followed", [True, False])
@pytest.mark.parametrize("rollout", [RUNNING, STOPPED])
def test_a_lock_on_a_task_that_does_not_vote_is_given_back_unless_votes_are_moved(
    rollout: Rollout, followed: bool
) -> None:
    """CodeDeploy could not end it; who locked it has died, or came too late."""
    seen = Facts(outside(cluster(), "g1", "g2"), rollout, followed=followed)
    assert let_go(seen) == {"g1", "g2"}
    assert let_go(replace(seen, moving=True)) == set()
    assert let_go(replace(seen, cluster=outside(cluster(), "g1", left=OLD + 1))) == set()
    assert let_go(replace(seen, cluster=outside(cluster(known=False), "g1"))) == set()


@pytest.mark.parametrize("minutes", [60, 360, 2880])
def test_a_lock_is_renewed_when_half_of_it_is_left(minutes: int) -> None:
    policy = Policy(lock_minutes=minutes)
    assert not runs_short(cluster(left=minutes * 60), policy)
    assert not runs_short(cluster(left=minutes * 31), policy)
    assert runs_short(cluster(left=minutes * 30), policy)
