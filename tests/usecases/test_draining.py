"""Before blue may end its users are waited for: so long, and never in the way of anything."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.handover_steps import Kind
from quorumshift.domain.look import Look
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Standing
from quorumshift.usecases.draining import (
    LATEST_SECONDS,
    PAUSE_SECONDS,
    Farewell,
    farewell,
    users_of_blue,
)
from quorumshift.usecases.hand_over import HandOver
from quorumshift.usecases.observer import Observer
from quorumshift.usecases.turns import LONGEST_SECONDS, Act, Planned, Turn, next_turn
from quorumshift.usecases.vote_locks import VoteLocks
from tests.domain.strategies import ETCD, dialects, fleet, node, observations, policies
from tests.usecases.service import DEPLOYMENT, MemoryService

POLICY = Policy(
    stabilisation_seconds=2,
    settle_deadline_seconds=20,
    lock_minutes=120,
    drain_connections=10,
    drain_minutes=2,
)
HANDED_OVER = fleet(3, 3, voters="g1 g2 g3", leader="g1", locked="g1 g2")


def with_users(seen: ClusterObservation, **users: int | None) -> ClusterObservation:
    """So many users at each address; nobody else tells."""
    nodes = (replace(node, connections=users.get(node.address)) for node in seen.nodes)
    return replace(seen, nodes=tuple(nodes))


def turn(
    seen: ClusterObservation,
    last: Planned | None = None,
    policy: Policy = POLICY,
    *,
    stopped: bool = False,
) -> Planned:
    planned = next_turn(Look(seen, stopped), Colour.GREEN, last, None, ETCD, policy)
    return from_json(Planned, to_json(planned))


def test_it_waits_for_blues_users_and_counts_the_pauses_it_hands_out() -> None:
    seen = with_users(HANDED_OVER, b1=7, b2=5, g1=400)
    planned, handed_out = turn(seen), 0
    while planned.decision is Turn.WAIT:
        assert planned.reason == (
            f"12 users are still connected to blue (limit 10); waited {handed_out / 60:.1f} of "
            "2 min."
        )
        assert planned.stuck_since is None, "to wait for users is no standstill"
        assert 0 < planned.settle_seconds <= PAUSE_SECONDS
        handed_out += planned.settle_seconds
        assert planned.drained_seconds == handed_out
        planned = turn(seen, planned)
    assert handed_out == 120, "by the pauses: to the observation no time has passed"
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.GREEN)
    assert "12 users are still connected to blue (limit 10); waited 2.0 of 2 min." in planned.reason


def test_a_last_pause_is_as_short_as_what_is_left() -> None:
    seen = with_users(HANDED_OVER, b1=11)
    nearly = replace(turn(seen), drained_seconds=110)
    assert (turn(seen, nearly).settle_seconds, turn(seen, nearly).drained_seconds) == (10, 120)


@pytest.mark.parametrize(
    ("users", "decision"),
    [
        ({"b1": 10}, Turn.DONE),
        ({"b1": 11}, Turn.WAIT),
        ({"b1": 4, "b2": 4, "b3": 4}, Turn.WAIT),
        ({"b1": 4, "b2": 4, "b3": None}, Turn.DONE),
        ({"b1": None, "b2": None}, Turn.DONE),
        ({"g1": 400, "g2": 400}, Turn.DONE),
        ({}, Turn.DONE),
    ],
)
def test_the_users_that_blue_tells_of_are_counted(
    users: dict[str, int | None], decision: Turn
) -> None:
    assert turn(with_users(HANDED_OVER, **users)).decision is decision


def test_users_of_a_task_that_is_gone_are_gone() -> None:
    lost = replace(node("b1", Standing.VOTER, leader="g1", gone=True), connections=99)
    seen = replace(HANDED_OVER, nodes=(lost, *HANDED_OVER.nodes[1:]))
    assert users_of_blue(seen) is None


def test_who_is_not_waited_for_is_not_spoken_of() -> None:
    silent = with_users(HANDED_OVER)
    assert farewell(silent, POLICY, 0, 0) == Farewell("", 0)
    asked_for_nothing = replace(POLICY, drain_minutes=0)
    assert farewell(with_users(HANDED_OVER, b1=99), asked_for_nothing, 0, 0) == Farewell("", 0)


def test_only_who_is_left_without_a_wait_hears_that_the_answer_is_due() -> None:
    many, few = with_users(HANDED_OVER, b1=99), with_users(HANDED_OVER, b1=1)
    assert farewell(many, POLICY, 60, LATEST_SECONDS).said.endswith("and the answer is due.")
    assert farewell(many, POLICY, 120, LATEST_SECONDS).said.endswith("of 2 min.")
    assert farewell(few, POLICY, 60, LATEST_SECONDS).said.endswith("of 2 min.")


def test_it_ends_as_soon_as_few_enough_are_left() -> None:
    first = turn(with_users(HANDED_OVER, b1=30))
    done = turn(with_users(HANDED_OVER, b1=9), first)
    assert (first.decision, done.decision) == (Turn.WAIT, Turn.DONE)
    assert "9 users are still connected to blue (limit 10)" in done.reason


def test_without_minutes_nobody_is_waited_for_or_spoken_of() -> None:
    planned = turn(with_users(HANDED_OVER, b1=400), policy=replace(POLICY, drain_minutes=0))
    assert planned.decision is Turn.DONE
    assert "user" not in planned.reason


def test_a_single_user_is_told_as_one() -> None:
    policy = replace(POLICY, drain_connections=0)
    assert turn(with_users(HANDED_OVER, b1=1), policy=policy).reason.startswith("1 user is still")


def test_the_answer_is_given_in_time_whatever_the_minutes_say() -> None:
    """Slow turns, as on a bad day: the pauses alone would take longer than the engine waits."""
    policy = replace(POLICY, drain_minutes=30)
    planned = turn(with_users(HANDED_OVER, b1=99), policy=policy)
    passed = 0.0
    while planned.decision is Turn.WAIT:
        passed += planned.settle_seconds + 60
        seen = replace(with_users(HANDED_OVER, b1=99), at=HANDED_OVER.at + passed)
        planned = turn(seen, planned, policy)
    assert planned.decision is Turn.DONE
    assert LATEST_SECONDS <= passed < LATEST_SECONDS + 60 + PAUSE_SECONDS < LONGEST_SECONDS
    assert "the answer is due" in planned.reason


def test_locks_are_renewed_while_it_waits_and_that_is_no_pause() -> None:
    seen = with_users(HANDED_OVER, b1=99)
    waiting = turn(seen)
    assert waiting.decision is Turn.WAIT
    ending = tuple(
        replace(n, locked_until=seen.at + 60 if n.locked_until else None) for n in seen.nodes
    )
    renewing = turn(replace(seen, nodes=ending), waiting)
    assert renewing.plan.step is not None
    assert (renewing.decision, renewing.plan.step.kind) == (Turn.STEP, Kind.LOCK)
    assert (renewing.settle_seconds, renewing.drained_seconds) == (0, waiting.drained_seconds)
    again = turn(seen, renewing)
    assert again.drained_seconds == waiting.drained_seconds + PAUSE_SECONDS


def test_a_stop_while_it_waits_says_what_it_waited_for() -> None:
    seen = with_users(HANDED_OVER, b1=99)
    back = turn(seen, turn(seen), stopped=True)
    assert (back.decision, back.goal) == (Turn.STEP, Colour.BLUE)
    assert back.turned.startswith(
        "the rollout was stopped while the hand-over waited: 99 users are still connected to blue"
    )


@settings(deadline=None)  # a busy machine is no defect
@given(
    seen=observations() | st.just(HANDED_OVER),
    users=st.lists(st.integers(0, 99) | st.none(), min_size=7, max_size=7),
    stopped=st.booleans(),
    dialect=dialects(),
    policy=policies(),
    earlier=st.sampled_from([0.0, 30.0, LATEST_SECONDS, LONGEST_SECONDS + 1]),
    drained=st.integers(0, 150),
    last_seen=observations(),
)
def test_to_wait_for_users_changes_nothing_but_when_done_is_said(
    seen: ClusterObservation,
    users: list[int | None],
    stopped: bool,
    dialect: Dialect,
    policy: Policy,
    earlier: float,
    drained: int,
    last_seen: ClusterObservation,
) -> None:
    """Neither a step, nor a turn back, nor a stop, nor giving up comes a turn later for it."""
    told = zip(seen.nodes, users, strict=False)
    crowded = replace(seen, nodes=tuple(replace(n, connections=count) for n, count in told))
    before = Look(replace(last_seen, at=seen.at - earlier), stopped=False)
    last = next_turn(before, Colour.GREEN, None, None, dialect, policy)
    waiting = replace(last, drained_seconds=drained)
    draining = replace(policy, drain_connections=5, drain_minutes=2)
    look = Look(crowded, stopped)
    without = next_turn(look, Colour.GREEN, last, None, dialect, policy)
    planned = next_turn(look, Colour.GREEN, waiting, None, dialect, draining)
    held = planned.drained_seconds - drained
    same = replace(planned, drained_seconds=0)
    if without.decision is Turn.DONE and without.goal is Colour.GREEN:
        assert planned.decision is (Turn.WAIT if held else Turn.DONE)
        same = replace(
            same,
            decision=without.decision,
            reason=without.reason,
            settle_seconds=without.settle_seconds,
        )
    else:
        assert held == 0
    assert same == without


def hand_over(service: MemoryService) -> HandOver:
    observer = Observer(service, service.raft, service.clock, POLICY)
    locks = VoteLocks(observer, service, POLICY)
    return HandOver(observer, service.raft, locks, service, service.clock, POLICY)


def run(service: MemoryService, users: int, stop_after: int | None) -> tuple[Planned, list[Turn]]:
    """The state machine's loop; ``stop_after``: so many turns that waited for users."""
    machine = hand_over(service)
    planned: Planned | None = None
    act: Act | None = None
    turns: list[Turn] = []
    while planned is None or planned.decision not in (Turn.DONE, Turn.BLOCKED):
        if turns.count(Turn.WAIT) == stop_after and planned and planned.drained_seconds:
            service.stop(DEPLOYMENT)
        look = machine.look(DEPLOYMENT)
        look = replace(look, cluster=with_users(look.cluster, b1=users))
        planned = next_turn(look, Colour.GREEN, planned, act, service.raft.dialect, POLICY)
        turns.append(planned.decision)
        if planned.decision is Turn.STEP:
            act = machine.act(planned, look, DEPLOYMENT)
        service.clock.sleep(planned.settle_seconds)
        assert len(turns) < 200
    return planned, turns


def test_a_whole_hand_over_waits_when_the_votes_have_moved_and_blue_still_runs() -> None:
    service = MemoryService()
    planned, turns = run(service, users=50, stop_after=None)
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.GREEN)
    assert turns[-9:] == [Turn.WAIT] * 8 + [Turn.DONE]
    assert service.voters() == {"g1", "g2", "g3"}
    assert planned.drained_seconds == 120


@pytest.mark.parametrize("waits", [1, 4])
def test_a_stop_while_it_waits_brings_the_votes_home_at_once(waits: int) -> None:
    service = MemoryService()
    planned, turns = run(service, users=50, stop_after=waits)
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.BLUE)
    assert service.voters() == {"b1", "b2", "b3"}
    last_wait = max(at for at, decision in enumerate(turns) if decision is Turn.WAIT)
    assert turns[last_wait + 1] is Turn.STEP
