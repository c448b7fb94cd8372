"""Between rollouts: what is well, what is waited for, and what people are told."""

from __future__ import annotations

from dataclasses import replace

from quorumshift.domain.between import at_rest, trouble
from quorumshift.domain.handover import Kind, Next, goal_for, plan
from quorumshift.domain.joining import combine
from quorumshift.domain.look import Look
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import (
    ClusterObservation,
    Colour,
    Membership,
    RaftMember,
    RaftView,
    Report,
    Standing,
    Task,
)
from tests.domain.strategies import ETCD, fleet

POLICY = Policy(settle_deadline_seconds=60)


def rest(seen: ClusterObservation, seconds: float = 0, busy: str = "") -> tuple[Next, str] | None:
    """After so many seconds of the same."""
    found = plan(seen, goal_for(seen, Colour.BLUE), ETCD, POLICY)
    return at_rest(Look(seen, stopped=False, busy=busy), found, POLICY, seen.at - seconds)


def view(ids: dict[str, str], *members: tuple[str, str]) -> ClusterObservation:
    """Tasks at a, b and c; ``ids``: what they say they are; ``members``: id and address."""
    tasks = [Task(f"task/{at}", at, Colour.BLUE, ready=True) for at in "abc"]
    listed = tuple(RaftMember(one, at, Standing.VOTER) for one, at in members)
    told = {at: Report(one, 5, "1", 100, 100) for at, one in ids.items()}
    return combine(
        at=1e6, tasks=tasks, desired=3, view=RaftView(listed, Membership.CONFIRMED, told)
    )


THREE = (("1", "a"), ("2", "b"), ("3", "c"))


def test_three_healthy_voters_are_well() -> None:
    assert rest(fleet(3, 0)) == (Next.DONE, "The serving tasks vote, and nobody else.")


def test_a_rollout_has_its_own_votes() -> None:
    found = rest(fleet(3, 0, silent="b3"), busy="d-1")
    assert found is not None
    assert found[0] is Next.DONE


def test_a_silent_voter_is_waited_for_and_then_told() -> None:
    for seconds, decision in ((0, Next.WAIT), (59, Next.WAIT), (60, Next.BLOCKED)):
        found = rest(view({"a": "1", "b": "2"}, *THREE), seconds)
        assert found is not None
        assert found[0] is decision
        assert "1 of 3 voters does not answer (c): tolerance is 0" in found[1]


def test_so_is_one_that_the_policy_could_do_without() -> None:
    assert rest(fleet(5, 0, silent="b5"), 60) == (Next.BLOCKED, "b5 does not answer")


def test_once_the_task_tells_another_id_the_votes_are_put_in_order() -> None:
    seen = view({"a": "1", "b": "2", "c": "9"}, *THREE)
    assert rest(seen, 600) is None
    found = plan(seen, goal_for(seen, Colour.BLUE), ETCD, POLICY)
    changes = [row.step for row in found.path if row.step and row.step.kind is not Kind.LOCK]
    steps = [(step.kind, step.address, step.raft_id) for step in changes[:3]]
    assert steps == [
        (Kind.REMOVE, "c (member 3)", "3"),
        (Kind.ADMIT, "c", None),
        (Kind.PROMOTE, "c", None),
    ]


def test_six_members_on_three_addresses_are_told_with_their_figures() -> None:
    twins = (("11", "a"), ("12", "b"), ("13", "c"))
    found = rest(view({"a": "1", "b": "2", "c": "3"}, *THREE, *twins), 60)
    assert found is not None
    assert found[0] is Next.BLOCKED
    assert "3 of 6 voters do not answer" in found[1]
    assert "no quorum of 4" in found[1]
    assert "listed at the same address" in found[1]


def test_nothing_is_changed_on_a_doubt() -> None:
    seen = view({"a": "1", "b": "2", "c": "3"}, ("1", "a"), ("2", "b"), ("3", "x"))
    found = rest(seen, 60)
    assert found is not None
    assert (found[0], "c says that it is member 3" in found[1]) == (Next.BLOCKED, True)


def test_an_alarm_is_told() -> None:
    seen = fleet(3, 0)
    nodes = (
        replace(n, report=replace(n.report, alarms=("alarm NOSPACE",)) if n.report else None)
        for n in seen.nodes
    )
    found = rest(replace(seen, nodes=tuple(nodes)), 60)
    assert found is not None
    assert (found[0], "alarm NOSPACE" in found[1]) == (Next.BLOCKED, True)


def test_a_task_that_ecs_is_still_to_start_is_no_trouble() -> None:
    assert rest(fleet(3, 0, gone="b3", desired=3), 600) is None


# Votes that are still to follow


def troubled(seen: ClusterObservation, busy: str = "") -> str:
    found = plan(seen, goal_for(seen, Colour.BLUE), ETCD, POLICY)
    return trouble(Look(seen, stopped=False, busy=busy), found, POLICY)


UNREADABLE = ("The table cannot be read.",)
REFUSED = ("It wants a password.",)


def test_trouble_that_is_seen_first_is_waited_for() -> None:
    seen = fleet(3, 0, silent="b3")
    found = plan(seen, goal_for(seen, Colour.BLUE), ETCD, POLICY)
    rests = at_rest(Look(seen, stopped=False), found, POLICY, None)
    assert rests is not None
    assert rests[0] is Next.WAIT


def test_while_a_rollout_is_under_way_nothing_is_trouble() -> None:
    assert troubled(fleet(3, 0, silent="b2 b3"))
    assert troubled(fleet(3, 0, silent="b2 b3"), busy="d-1") == ""


def test_a_wait_for_what_nobody_knows_is_trouble() -> None:
    enough = fleet(4, 0, voters="b1 b2 b3")
    assert troubled(replace(enough, unknown=UNREADABLE)) == UNREADABLE[0]
    assert "an election is in progress" in troubled(fleet(4, 0, voters="b1 b2 b3", leader=""))
    few = replace(fleet(3, 0, voters="b1 b2"), unknown=UNREADABLE)
    assert troubled(few).startswith("The cluster has 2 voters"), "what is worse is told"


def test_a_wait_for_what_passes_is_none() -> None:
    learning = fleet(4, 0, voters="b1 b2 b3", learners="b4", behind="b4", locked="b1 b2 b3 b4")
    found = plan(learning, goal_for(learning, Colour.BLUE), ETCD, POLICY)
    assert found.decision is Next.WAIT
    assert troubled(learning) == ""
    assert rest(learning, 600) is None


def test_a_lock_is_renewed_first_whatever_nobody_knows() -> None:
    seen = replace(fleet(4, 0, voters="b1 b2 b3", locked="b1"), unknown=UNREADABLE)
    nodes = (replace(n, locked_until=seen.at + 60 if n.locked_until else None) for n in seen.nodes)
    seen = replace(seen, nodes=tuple(nodes))
    assert plan(seen, goal_for(seen, Colour.BLUE), ETCD, POLICY).decision is Next.STEP
    assert troubled(seen) == ""


def test_what_nobody_can_wait_for_is_trouble_with_its_way_out() -> None:
    seen = replace(fleet(4, 0, voters="b1 b2 b3"), unworkable=REFUSED)
    assert troubled(seen) == f"{REFUSED[0]} Then start again."
    nobodys = replace(fleet(0, 3, voters="g1 g2 g3", leader="g1"), unworkable=REFUSED)
    assert troubled(nobodys) == REFUSED[0]
