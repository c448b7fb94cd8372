"""Who is struck: found from what runs and from what the cluster's observer sees."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from quorumshift.domain.handover_steps import Kind, Step
from quorumshift.domain.raft import Standing
from quorumshift.rehearsal.aws.ecs import EcsEngine
from quorumshift.rehearsal.observer import MemberSeen, Observer, ObserverSnapshot
from quorumshift.rehearsal.victims import Victims
from quorumshift.rehearsal.waiting import NotSeen, wait_for
from quorumshift.rehearsal.world import World

VOTER, LEARNER, OUTSIDE = Standing.VOTER, Standing.LEARNER, Standing.OUTSIDE


@dataclass
class Service:
    """Stands in for ECS and the observer: tasks and members, changed by the test."""

    records: list[Any] = field(default_factory=list)
    members: list[MemberSeen] = field(default_factory=list)

    def run(self, address: str, task_set: str, standing: Standing, *, leads: bool = False) -> None:
        arn = f"arn:{address}"
        self.records.append(
            SimpleNamespace(address=address, task_set=task_set, arn=arn, pid=1, wanted=True)
        )
        self.members.append(MemberSeen(address, standing, leads, standing is not OUTSIDE))

    def tasks(self) -> list[Any]:
        return self.records

    def task_at(self, address: str) -> str:
        return str(next(t.arn for t in self.records if t.address == address and t.pid))

    def kill(self, arn: str, how: signal.Signals) -> None:
        assert how is signal.SIGKILL
        task = next(task for task in self.records if task.arn == arn)
        task.pid = None
        self.members = [
            MemberSeen(
                m.address, m.standing, m.is_leader, m.answering and m.address != task.address
            )
            for m in self.members
        ]

    def snapshot(self) -> ObserverSnapshot:
        leader = next((m.address for m in self.members if m.is_leader), None)
        return ObserverSnapshot(0.0, tuple(self.members), 2, leader, True, 0.0, 0, 0.0)


@pytest.fixture
def service() -> Service:
    made = Service()
    for number, leads in enumerate((False, True, False)):
        made.run(f"blue-{number}", "set-1", VOTER, leads=leads)
    return made


@pytest.fixture
def victims(service: Service, tmp_path: Path) -> Victims:
    world = World(block=cast("Any", None), speed=60, directory=tmp_path)
    return Victims(world, cast("EcsEngine", service), cast("Observer", service))


def step(address: str) -> Step:
    return Step(Kind.PROMOTE, address, "1", None, "why")


def test_blue_is_what_ran_first(service: Service, victims: Victims) -> None:
    service.run("blue-9", "set-1", OUTSIDE)  # ECS's replacement of a dead one
    service.run("green-0", "set-2", OUTSIDE)
    assert victims.leader() == victims.blue_leader() == "blue-1"
    assert victims.blue_follower() == victims.follower() == "blue-0"
    assert victims.green(None) == "green-0"


def test_the_green_node_of_the_step_goes_first_then_voters(
    service: Service, victims: Victims
) -> None:
    service.run("green-0", "set-2", OUTSIDE)
    service.run("green-1", "set-2", LEARNER)
    assert victims.green(step("blue-0")) == "green-1"
    service.run("green-2", "set-2", VOTER)
    assert victims.green(step("blue-0")) == "green-2"
    assert victims.green(step("green-0")) == "green-0"


def test_who_is_not_there_any_more_is_said(service: Service, victims: Victims) -> None:
    with pytest.raises(NotSeen, match="no green task runs; strike later"):
        victims.green(None)
    service.members = []
    service.run("green-0", "set-2", VOTER, leads=True)
    with pytest.raises(NotSeen, match="no blue node leads: green-0 does, and it is green"):
        victims.blue_leader()
    with pytest.raises(NotSeen, match="no blue follower votes"):
        victims.blue_follower()


def test_a_kill_is_over_when_it_is_seen(service: Service, victims: Victims) -> None:
    victims.kill("blue-0", "a follower")
    assert service.records[0].pid is None
    assert victims.blue_follower() == "blue-2"


def test_waiting_ends(tmp_path: Path) -> None:
    world = World(block=cast("Any", None), speed=60, directory=tmp_path)
    with pytest.raises(NotSeen, match="waited 0 s for a leader, which did not happen: all of it"):
        wait_for(world, lambda: False, "a leader", 0.0, lambda: "all of it")
    world.stopping.set()
    with pytest.raises(NotSeen, match="the rehearsal ended while it waited for a leader"):
        wait_for(world, lambda: False, "a leader", 5.0)
