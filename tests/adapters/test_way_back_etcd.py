"""The way back on a real etcd, against nodes that are frozen or cannot be dialled."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from quorumshift.adapters.clock import SystemClock
from quorumshift.domain.handover_steps import Kind
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import Colour, Task
from quorumshift.domain.rollout import Progress, Rollout
from quorumshift.ports import Roster
from quorumshift.usecases import hand_over as module
from quorumshift.usecases.hand_over import HandOver
from quorumshift.usecases.observer import Observer
from quorumshift.usecases.turns import Act, Planned, Turn, next_turn
from quorumshift.usecases.vote_locks import VoteLocks
from tests.adapters.etcd_cluster import EtcdBench

POLICY = Policy(stabilisation_seconds=1, settle_deadline_seconds=3)
LONGEST_SECONDS = 60.0


class Service:
    """Tasks with locks around an etcd. ``founder``: whose etcd starts a cluster of its own once it
    is admitted. ``steps``: tried, in order; ``reasons``: of all turns."""

    def __init__(
        self,
        etcd: EtcdBench,
        blue: Sequence[str],
        green: Sequence[str],
        progress: Progress = Progress.STOPPED,
        founder: str = "",
    ) -> None:
        self.etcd = etcd
        self.progress = progress
        self.founder = founder
        self.colours = dict.fromkeys(blue, Colour.BLUE) | dict.fromkeys(green, Colour.GREEN)
        self.until: dict[str, float] = {}
        self.steps: list[tuple[Kind, str]] = []
        self.reasons: set[str] = set()
        observer = Observer(self, etcd.control, SystemClock(), POLICY)
        locks = VoteLocks(observer, self, POLICY)
        self.hand_over = HandOver(
            observer,
            etcd.control,
            locks,
            self,  # type: ignore[arg-type] # it is only looked at
            SystemClock(),
            POLICY,
        )

    def roster(self, deployment: str | None) -> Roster:
        tasks = (Task(at, at, c, True, self.until.get(at)) for at, c in self.colours.items())
        return Roster(tuple(tasks), 3, True)

    def lock(self, tasks: Sequence[str], minutes: int) -> None:
        self.until |= dict.fromkeys(tasks, time.time() + minutes * 60)

    def release(self, tasks: Sequence[str]) -> None:
        for task in tasks:
            self.until.pop(task, None)

    def look(self, deployment: str) -> Rollout:
        return Rollout(deployment, self.progress)

    def active(self) -> str | None:
        return None

    def boot(self, address: str) -> None:
        if address == self.founder:
            self.etcd.start(address, (address,), "new")
        else:
            self.etcd.boot(address)

    def run(self, goal: Colour = Colour.BLUE) -> Planned:
        planned: Planned | None = None
        act: Act | None = None
        began = time.monotonic()
        while planned is None or planned.decision not in (Turn.DONE, Turn.BLOCKED):
            assert time.monotonic() - began < LONGEST_SECONDS, planned and planned.reason
            look = self.hand_over.look("d-1")
            planned = next_turn(look, goal, planned, act, self.etcd.control.dialect, POLICY)
            if planned.decision is Turn.STEP and (step := planned.plan.step):
                self.steps.append((step.kind, step.address))
                act = self.hand_over.act(planned, look, "d-1")
                if step.kind is Kind.ADMIT and not act.refused:
                    self.boot(step.address)
            self.reasons.add(planned.reason)
            time.sleep(min(planned.settle_seconds, 0.2))
        return planned

    def voters(self) -> set[str]:
        return {node.address for node in self.hand_over.look("d-1").cluster.voters}


def test_others_take_the_place_of_a_voter_that_is_frozen(etcd: EtcdBench) -> None:
    one, frozen, green = etcd.voters
    ready, third = etcd.spare(0), etcd.spare(1)
    service = Service(etcd, (one, frozen, ready, third), (green,))
    etcd.freeze(frozen)
    planned = service.run()
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.BLUE)
    assert service.voters() == {one, ready, third}
    assert (Kind.ADMIT, frozen) not in service.steps


def test_a_green_node_that_cannot_be_dialled_is_asked_itself(
    etcd: EtcdBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others refuse every admission beside it; to remove it first would leave two voters."""
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 1.0)
    one, two, deaf = etcd.voters
    ready = etcd.spare(0)
    service = Service(etcd, (one, two, ready), (deaf,))
    etcd.crash(deaf)
    etcd.start(deaf, etcd.voters, "existing", deaf=True)
    planned = service.run()
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.BLUE)
    assert service.voters() == {one, two, ready}
    assert any("unhealthy cluster" in reason for reason in service.reasons), "it was refused first"


def test_a_green_node_that_founds_a_cluster_of_its_own_is_passed_over(etcd: EtcdBench) -> None:
    """It is admitted before anybody can tell, and its place is another one's then."""
    founder, *others = (etcd.spare(number) for number in range(4))
    service = Service(etcd, etcd.voters, (founder, *others), Progress.RUNNING, founder)
    planned = service.run(Colour.GREEN)
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.GREEN)
    assert service.voters() == set(others)
    assert (Kind.REMOVE, founder) in service.steps, "it had a place"
    own = etcd.control.observe([founder]).members
    assert [member.address for member in own] == [founder], "nothing was ever asked of it"
