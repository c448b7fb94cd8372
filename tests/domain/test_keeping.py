"""What the keeper does, and what it leaves alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorumshift.domain.appspec import HAND_OVER_STAGE
from quorumshift.domain.keeping import SHORT, Deed, Facts, decide, runs_short
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


@pytest.mark.parametrize("minutes", [60, 360, 2880])
def test_a_lock_is_renewed_when_half_of_it_is_left(minutes: int) -> None:
    policy = Policy(lock_minutes=minutes)
    assert not runs_short(cluster(left=minutes * 60), policy)
    assert not runs_short(cluster(left=minutes * 31), policy)
    assert runs_short(cluster(left=minutes * 30), policy)
