"""Three voters hand over to three others while writes go on: the planner on a real etcd."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from quorumshift.domain.errors import Transient
from quorumshift.domain.guard import termination_guard
from quorumshift.domain.handover import Kind, Step, hold
from quorumshift.domain.health import Decision
from quorumshift.domain.joining import combine
from quorumshift.domain.look import Look
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Task, quorum
from quorumshift.usecases.turns import Planned, Turn, next_turn
from tests.adapters.etcd_cluster import EtcdBench

SIZE = 3
DEADLINE_SECONDS = 60.0


@dataclass
class Locks:
    """ECS task protection with its budget."""

    until: dict[str, float] = field(default_factory=dict)

    def act(self, step: Step, minutes: int) -> None:
        for task in step.tasks:
            if step.kind is Kind.LOCK:
                self.until[task] = time.time() + minutes * 60
            else:
                self.until.pop(task, None)
        assert len(self.until) <= SIZE, "DEPLOYMENT_BLOCKED"


class HandOver:
    """Observe, plan, act, as the state machine does."""

    def __init__(self, etcd: EtcdBench) -> None:
        self.etcd = etcd
        self.policy = Policy()
        self.locks = Locks()
        self.green = tuple(etcd.spare(number) for number in range(SIZE))
        self.voters: list[frozenset[str]] = []
        self.last: Planned | None = None

    def observe(self) -> ClusterObservation:
        colours = dict.fromkeys(self.etcd.voters, Colour.BLUE)
        colours |= dict.fromkeys(self.green, Colour.GREEN)
        tasks = [
            Task(f"task/{address}", address, colour, True, self.locks.until.get(f"task/{address}"))
            for address, colour in colours.items()
        ]
        view = self.etcd.control.observe(list(colours))
        return combine(at=time.time(), tasks=tasks, desired=SIZE, view=view)

    def turn(self) -> Planned:
        seen = self.observe()
        dialect = self.etcd.control.dialect
        self.last = next_turn(
            Look(seen, stopped=False), Colour.GREEN, self.last, None, dialect, self.policy
        )
        found = self.last.plan
        assert (self.last.goal, self.last.decision is Turn.BLOCKED) == (Colour.GREEN, False)
        if self.last.decision is Turn.STEP and found.step is not None:
            if self.voters:
                locked = [node for node in seen.voters if node.locked_until]
                assert len(locked) >= quorum(len(seen.voters)), "a quorum of the votes is locked"
            if found.path:
                assert found.path[0].tolerance >= self.policy.tolerance
                self.voters.append(frozenset(node.address for node in seen.voters))
            self.act(found.step, seen)
        return self.last

    def act(self, step: Step, seen: ClusterObservation) -> None:
        control = self.etcd.control
        answering = [node for node in seen.voters if node.report]
        leads = sorted(answering, key=lambda node: node.report.leader != node.raft_id)  # type: ignore[union-attr] # they answered
        via = [node.address for node in leads]
        if step.kind in (Kind.LOCK, Kind.RELEASE):
            self.locks.act(step, self.policy.lock_minutes)
        elif step.kind is Kind.ADMIT:
            control.admit(step.address, via)
            self.etcd.boot(step.address)
        else:
            assert step.raft_id is not None
            change = {
                Kind.PROMOTE: control.promote,
                Kind.TRANSFER: control.transfer,
                Kind.REMOVE: control.remove,
            }[step.kind]
            change(step.raft_id, via)

    def run(self) -> None:
        before = hold(self.observe(), self.policy)
        assert before is not None
        self.locks.act(before, self.policy.lock_minutes)
        deadline = time.monotonic() + DEADLINE_SECONDS
        todo = None
        while todo is None or todo.decision is not Turn.DONE:
            assert time.monotonic() < deadline, todo and todo.reason
            try:
                todo = self.turn()
            except Transient:
                self.etcd.pause()
                continue
            if todo.decision is Turn.WAIT:
                self.etcd.pause()


class Writer:
    """Writes one key after another, each until it is acknowledged by some node."""

    def __init__(self, etcd: EtcdBench) -> None:
        self._etcd = etcd
        self.acknowledged: list[str] = []
        self.longest = 0.0

    @contextmanager
    def writing(self) -> Iterator[None]:
        over = threading.Event()

        def write() -> None:
            for number in itertools.count():
                key, began = f"key-{number}", time.monotonic()
                for address in itertools.cycle(self._etcd.addresses()):
                    if over.is_set():
                        return
                    if self._etcd.write(key, str(number), address):
                        break
                self.acknowledged.append(key)
                self.longest = max(self.longest, time.monotonic() - began)
                time.sleep(0.005)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def test_three_voters_hand_over_to_three_others(etcd: EtcdBench) -> None:
    hand_over, writer = HandOver(etcd), Writer(etcd)
    with writer.writing():
        began = time.monotonic()
        hand_over.run()
        took = time.monotonic() - began
        seen = hand_over.observe()
        verdict = termination_guard(seen, Colour.BLUE, hand_over.policy)
        assert verdict.decision is Decision.PROCEED, verdict.sentence
        for address in etcd.voters:
            if etcd.running(address):
                etcd.crash(address)  # all of blue ends at once
        written = len(writer.acknowledged)
        while len(writer.acknowledged) < written + 20:
            etcd.pause()

    print(
        f"{took:.1f} s, {len(writer.acknowledged)} writes, longest {writer.longest * 1000:.0f} ms"
    )
    assert {node.address for node in seen.voters} == set(hand_over.green)
    steps = list(itertools.pairwise(hand_over.voters))
    assert all(len(before ^ after) <= 1 for before, after in steps), "one voter at a time"
    lost = [
        key
        for key in writer.acknowledged
        if etcd.read(key, hand_over.green[0]) != key.removeprefix("key-")
    ]
    assert lost == []
