"""The hand-over, turn by turn, over a cluster with real rules."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.event_budget import BRISK_TURNS, least_pause
from quorumshift.domain.handover_steps import Kind
from quorumshift.domain.health import Decision
from quorumshift.domain.look import Look
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import Colour, Task, quorum
from quorumshift.domain.rollout import Progress
from quorumshift.usecases.hand_over import HandOver
from quorumshift.usecases.observer import Observer
from quorumshift.usecases.turns import (
    LONGEST_SECONDS,
    Act,
    Planned,
    Turn,
    next_turn,
)
from quorumshift.usecases.vote_locks import VoteLocks
from tests.usecases.service import DEPLOYMENT, MemoryService

POLICY = Policy(stabilisation_seconds=2, settle_deadline_seconds=20)
Meddle = Callable[[int], None]


def machine(service: MemoryService, policy: Policy = POLICY) -> HandOver:
    observer = Observer(service, service.raft, service.clock, policy)
    locks = VoteLocks(observer, service, policy)
    return HandOver(observer, service.raft, locks, service, service.clock, policy)


def run(
    service: MemoryService,
    goal: Colour = Colour.GREEN,
    meddle: Meddle = lambda turn: None,
    policy: Policy = POLICY,
) -> Planned:
    """The state machine's loop, payloads through JSON and back, until done or blocked."""
    hand_over = machine(service, policy)
    planned: Planned | None = None
    act: Act | None = None
    for turn in range(400):
        meddle(turn)
        look = hand_over.look(DEPLOYMENT)
        planned = next_turn(look, goal, planned, act, service.raft.dialect, policy)
        planned = from_json(Planned, to_json(planned))
        if planned.decision in (Turn.DONE, Turn.BLOCKED):
            return planned
        if planned.decision is Turn.STEP:
            act = hand_over.act(planned, look, DEPLOYMENT)
            check_locks(service, policy)
        service.clock.sleep(planned.settle_seconds)
    raise AssertionError(f"no end: {planned}")


def check_locks(service: MemoryService, policy: Policy) -> None:
    """Ending every unlocked task of either colour must leave a quorum, once locks are held; while
    a voter is dead that cannot be had at every moment (the model check knows what can)."""
    voters = service.voters()
    if not all(node.up for node in service.cluster.voters()):
        return
    if len(service.locked & voters) < quorum(len(voters)) and not policy.allow_unlocked:
        assert not any(address.startswith("g") for address in voters)


@pytest.mark.parametrize("size", [3, 5])
def test_the_votes_move_from_blue_to_green_and_blue_may_end(size: int) -> None:
    service = MemoryService(size)
    planned = run(service)
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.GREEN)
    assert service.voters() == {f"g{number}" for number in range(1, size + 1)}
    look, guard = machine(service).may_end(DEPLOYMENT)
    assert guard.decision is Decision.PROCEED
    assert not look.stopped


@pytest.mark.parametrize("turn", range(0, 30, 3))
def test_a_rollout_stopped_at_any_turn_brings_the_votes_home(turn: int) -> None:
    service = MemoryService()

    def stop(now: int) -> None:
        if now == turn:
            service.stop(DEPLOYMENT)

    planned = run(service, meddle=stop)
    if planned.goal is Colour.GREEN:  # it was done before the stop
        service.stop(DEPLOYMENT)
        planned = run(service, Colour.BLUE)
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.BLUE)
    assert service.voters() == {"b1", "b2", "b3"}
    assert not any(address.startswith("g") for address in service.locked)


NODES = ("b1", "b2", "b3", "g1", "g2", "g3")


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize(
    "theirs", [set(some) for many in (1, 2) for some in itertools.combinations(NODES, many)]
)
def test_what_others_protect_takes_a_place_and_is_never_unlocked(
    theirs: set[str], stopped: bool
) -> None:
    """Two of one colour leave no room for a quorum of locks on the other."""
    service = MemoryService()
    until = {address: service.clock.now() + 50_000 for address in theirs}
    for address in theirs:
        service.protect(address, until[address])

    def meddle(turn: int) -> None:
        assert {a: service.tasks[a].locked_until for a in theirs} == until
        if stopped and turn == 9:
            service.stop(DEPLOYMENT)

    planned = run(service, meddle=meddle)
    assert planned.decision is Turn.DONE
    room = len({address[0] for address in theirs}) == len(theirs)
    assert (planned.goal is Colour.GREEN) is (room and not stopped)
    if not room:
        assert f"somebody else protects {', '.join(sorted(theirs))}" in planned.turned
    observer = Observer(service, service.raft, service.clock, POLICY)
    VoteLocks(observer, service, POLICY).give_back(observer.look(None))
    assert service.locked == theirs


def test_one_look_at_a_lock_that_seems_to_be_anothers_does_not_turn_it_back() -> None:
    """What stands beside a lock may be told later than the lock itself."""
    service = MemoryService()
    dialect = service.raft.dialect
    look = machine(service).look(DEPLOYMENT)
    later = look.cluster.at + 50_000
    nodes = tuple(
        replace(node, locked_until=later, foreign_until=later)
        if node.address in ("b1", "b2")
        else node
        for node in look.cluster.nodes
    )
    late = replace(look, cluster=replace(look.cluster, nodes=nodes))
    first = next_turn(late, Colour.GREEN, None, None, dialect, POLICY)
    assert (first.decision, first.goal) == (Turn.WAIT, Colour.GREEN)
    assert "somebody else protects b1, b2" in first.reason
    assert next_turn(look, Colour.GREEN, first, None, dialect, POLICY).decision is Turn.STEP


@pytest.mark.parametrize("goal", [Colour.GREEN, Colour.BLUE])
def test_a_protection_that_was_too_short_is_put_back_before_its_task_is_to_end(
    goal: Colour,
) -> None:
    """CodeDeploy waits for the end of every protection: for theirs, and not for ours."""
    service = MemoryService()
    leaving = "b1" if goal is Colour.GREEN else "g1"
    if goal is Colour.BLUE:
        run(service)
        service.stop(DEPLOYMENT)
    service.protect(leaving, theirs := service.clock.now() + 900)
    planned = run(service, goal)
    assert (planned.decision, planned.goal) == (Turn.DONE, goal)
    assert service.tasks[leaving].locked_until == theirs
    assert leaving not in service.voters()


def test_without_locks_a_hand_over_needs_no_room_for_them() -> None:
    service = MemoryService()
    for address in ("b1", "b2", "b3"):
        service.protect(address, service.clock.now() + 50_000)
    planned = run(service, policy=replace(POLICY, allow_unlocked=True))
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.GREEN)
    assert service.locked == {"b1", "b2", "b3"}


def test_a_green_task_that_vanishes_before_the_point_of_no_return_turns_it_back() -> None:
    service = MemoryService()

    def kill(turn: int) -> None:
        if service.cluster.at("g1") is not None and "g2" in service.tasks:
            service.kill("g2")  # and nobody starts another one

    planned = run(service, meddle=kill)
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.BLUE)
    assert planned.turned
    assert service.voters() == {"b1", "b2", "b3"}


def test_votes_are_called_home_only_once_the_rollout_has_stopped() -> None:
    """It may be ending blue already: then it succeeds, and whoever was called is overtaken."""
    service = MemoryService()
    run(service)
    before, hand_over = service.voters(), machine(service)
    planned: Planned | None = None
    for turn in range(60):
        look = hand_over.look(DEPLOYMENT)
        planned = next_turn(
            look, Colour.BLUE, planned, None, service.raft.dialect, POLICY, called_home=True
        )
        if turn < 20:
            assert service.voters() == before
        if turn == 20:
            assert planned.decision is Turn.WAIT
            assert "has not stopped yet" in planned.reason
            service.stop(DEPLOYMENT)
        if planned.decision is Turn.STEP:
            hand_over.act(planned, look, DEPLOYMENT)
        service.clock.sleep(planned.settle_seconds)
    assert service.voters() == {"b1", "b2", "b3"}


def test_locks_are_renewed_while_the_stop_is_waited_for() -> None:
    service = MemoryService()
    run(service)
    for address, task in service.tasks.items():
        if task.locked_until:
            service.tasks[address] = replace(task, locked_until=service.clock.now() + 60)
    look = machine(service).look(DEPLOYMENT)
    dialect = service.raft.dialect
    found = next_turn(look, Colour.BLUE, None, None, dialect, POLICY, called_home=True)
    assert found.decision is Turn.STEP
    assert found.plan.step is not None
    assert found.plan.step.kind is Kind.LOCK


def test_a_step_that_is_refused_for_too_long_turns_it_back() -> None:
    service = MemoryService()
    service.cluster.nodes["3"].since = 1e9  # never connected for long enough: etcd refuses
    planned = run(service)
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.BLUE)
    assert "too young" in planned.turned


def test_a_way_back_that_is_blocked_waits_before_its_last_resort() -> None:
    service = MemoryService()
    while "g1" not in service.voters():
        look = machine(service).look(DEPLOYMENT)
        planned = next_turn(look, Colour.GREEN, None, None, service.raft.dialect, POLICY)
        machine(service).act(planned, look, DEPLOYMENT)
    seen = machine(service).look(DEPLOYMENT)
    unable = replace(service.raft.dialect, removal=False)
    first = next_turn(seen, Colour.BLUE, None, None, unable, POLICY)
    assert (first.decision, first.lenient) == (Turn.WAIT, False)
    assert "cannot remove a member" in first.reason
    later = Look(replace(seen.cluster, at=seen.cluster.at + 21), stopped=False)
    last = next_turn(later, Colour.BLUE, first, None, unable, POLICY)
    assert (last.decision, last.lenient) == (Turn.BLOCKED, True)


def test_a_step_that_is_early_waits_inside_and_costs_no_turn() -> None:
    service = MemoryService()
    hand_over = machine(service)
    while True:
        look = hand_over.look(DEPLOYMENT)
        planned = next_turn(look, Colour.GREEN, None, None, service.raft.dialect, POLICY)
        if planned.plan.step is not None and planned.plan.step.kind is Kind.ADMIT:
            break
        hand_over.act(planned, look, DEPLOYMENT)
    service.cluster.nodes["3"].since = began = service.clock.now()  # it has just reconnected
    assert hand_over.act(planned, look, DEPLOYMENT) == Act("")
    assert 4 < service.clock.now() - began < 10
    assert planned.settle_seconds == 0


def test_it_rests_where_the_policy_asks_for_it_and_then_goes_on() -> None:
    service = MemoryService()
    policy = replace(POLICY, bake_before_majority=True, stabilisation_seconds=4)
    planned = run(service, policy=policy)
    assert planned.goal is Colour.GREEN
    assert planned.rested


def test_a_cluster_that_never_settles_is_given_up_in_time() -> None:
    service = MemoryService()
    service.cluster.leader = None
    service.cluster._election_at = 1e9
    look = machine(service).look(DEPLOYMENT)
    first = next_turn(look, Colour.GREEN, None, None, service.raft.dialect, POLICY)
    assert first.decision is Turn.WAIT
    later = Look(replace(look.cluster, at=look.cluster.at + LONGEST_SECONDS + 1), False)
    last = next_turn(later, Colour.GREEN, first, None, service.raft.dialect, POLICY)
    assert last.decision is Turn.BLOCKED
    assert "not done after 40 min" in last.reason


def test_many_turns_slow_it_down_so_that_its_history_lasts_as_long_as_it() -> None:
    service = MemoryService()
    look = machine(service).look(DEPLOYMENT)
    first = next_turn(look, Colour.GREEN, None, None, service.raft.dialect, POLICY)
    assert (first.turns, first.settle_seconds) == (1, 0)
    for turns in (BRISK_TURNS - 1, BRISK_TURNS):
        last = replace(first, turns=turns)
        planned = next_turn(look, Colour.GREEN, last, None, service.raft.dialect, POLICY)
        assert planned.turns == turns + 1
        assert planned.settle_seconds == least_pause(turns + 1)
    assert planned.settle_seconds > 0


def test_a_hand_over_that_is_started_again_goes_on_from_what_it_sees() -> None:
    service = MemoryService()

    class Killed(Exception):
        pass

    def kill(turn: int) -> None:
        if turn == 9:
            raise Killed

    with pytest.raises(Killed):
        run(service, meddle=kill)
    assert run(service).decision is Turn.DONE
    assert service.voters() == {"g1", "g2", "g3"}


def test_a_stopped_rollout_is_seen_by_the_look() -> None:
    service = MemoryService()
    service.rollout = replace(service.rollout, progress=Progress.FAILED)
    assert machine(service).look(DEPLOYMENT).stopped


def test_a_voter_that_is_silent_for_one_look_keeps_its_vote() -> None:
    service = MemoryService()
    node = service.cluster.at("b3")
    assert node is not None
    voters: list[set[str]] = []

    def blink(turn: int) -> None:
        node.up = turn != 3
        voters.append(service.voters())

    assert run(service, meddle=blink).goal is Colour.GREEN
    assert "b3" in voters[9], "it was taken out after one look that got no answer"


def test_a_voter_that_stays_silent_is_taken_out_after_the_stabilisation_time() -> None:
    service = MemoryService()
    node = service.cluster.at("b3")
    assert node is not None
    gone_with: list[set[str]] = []

    def silence(turn: int) -> None:
        node.up = turn < 3
        if "b3" not in service.voters() and not gone_with:
            gone_with.append(service.voters())

    assert run(service, meddle=silence).goal is Colour.GREEN
    assert gone_with[0] >= {"b1", "b2"}, "the sick voter leaves first"


def test_a_way_back_replaces_a_blue_voter_that_stays_silent() -> None:
    service = MemoryService()
    node = service.cluster.at("b3")
    assert node is not None

    def stop(turn: int) -> None:
        node.up = turn < 8
        if turn == 8:
            service.stop(DEPLOYMENT)
        if "b3" in service.tasks and "b3" not in service.voters():
            del service.tasks["b3"]  # its process has ended, and its task with it
            service.tasks["b4"] = Task("arn:b4", "b4", Colour.BLUE, ready=True)

    planned = run(service, meddle=stop)
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.BLUE)
    assert planned.lenient
    assert service.voters() == {"b1", "b2", "b4"}
