"""A quorum of the votes is locked, and given back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from quorumshift.domain.errors import ChangeRefused, Transient
from quorumshift.domain.policy import Policy
from quorumshift.usecases.observer import Observer
from quorumshift.usecases.vote_locks import VoteLocks
from tests.usecases.service import DEPLOYMENT, MemoryService

POLICY = Policy()
LOCKED = POLICY.lock_minutes * 60


def locks(service: MemoryService, policy: Policy = POLICY) -> VoteLocks:
    observer = Observer(service, service.raft, service.clock, policy)
    return VoteLocks(observer, service, policy)


@pytest.mark.parametrize(("size", "needed"), [(3, 2), (5, 3)])
def test_a_quorum_is_locked_with_the_leader_in_it(size: int, needed: int) -> None:
    service = MemoryService(size)
    locks(service).take(DEPLOYMENT)
    assert len(service.locked) == needed
    assert "b1" in service.locked


def test_taking_twice_changes_nothing() -> None:
    service = MemoryService()
    locks(service).take(DEPLOYMENT)
    before = service.locked
    locks(service).take(DEPLOYMENT)
    assert service.locked == before


def test_locks_that_a_dead_execution_left_on_others_make_room() -> None:
    service = MemoryService()
    service.lock(["arn:g1", "arn:g2", "arn:g3"], 120)
    locks(service).take(DEPLOYMENT)
    assert len(service.locked & service.voters()) == 2


def test_what_cannot_be_locked_is_refused_unless_the_policy_allows_it() -> None:
    service = MemoryService()
    service.lock = lambda tasks, minutes: None  # type: ignore[method-assign] # the fault
    with pytest.raises(ChangeRefused, match="only 0 of the 2 votes"):
        locks(service).take(DEPLOYMENT)
    locks(service, replace(POLICY, allow_unlocked=True)).take(DEPLOYMENT)


@dataclass
class Overtaken(MemoryService):
    """A hand-over takes the vote of b3, and then its lock, just before it is locked."""

    def lock(self, tasks: Sequence[str], minutes: int) -> None:
        if "b3" in self.voters():
            self.raft.remove("3", ["b1"])
            self.release(["arn:b3"])
        super().lock(tasks, minutes)


@pytest.mark.parametrize("left", [10, LOCKED])
def test_a_task_whose_vote_went_meanwhile_is_not_left_locked(left: float) -> None:
    """It is blue's, and CodeDeploy could not end it before the lock does, hours later."""
    service = Overtaken()
    for address in ("b2", "b3"):
        until = service.clock.now() + left
        service.tasks[address] = replace(service.tasks[address], locked_until=until)
    ours, seen = locks(service), Observer(service, service.raft, service.clock, POLICY).look(None)
    if left < 3600:
        ours.keep(seen)
    else:
        ours.renew(seen)
    assert service.locked == {"b2"}
    assert service.tasks["b2"].locked_until == service.clock.now() + LOCKED


def test_a_place_that_others_have_taken_is_named() -> None:
    service = MemoryService()
    for address in ("g1", "g2"):
        service.protect(address, service.clock.now() + 50_000)
    with pytest.raises(
        ChangeRefused, match=r"at most 3 tasks.*, and somebody else protects g1, g2"
    ):
        locks(service).take(DEPLOYMENT)
    assert service.locked == {"b1", "g1", "g2"}


def test_a_look_that_nobody_answers_says_nothing_of_locks() -> None:
    """The hook asks again; before, it said that ECS protects too few tasks."""
    service = MemoryService()

    def silence(tasks: object, minutes: int) -> None:
        for node in service.cluster.nodes.values():
            node.up = False

    service.lock = silence  # type: ignore[method-assign] # the fault
    with pytest.raises(Transient, match="nobody told who votes"):
        locks(service).take(DEPLOYMENT)


def test_all_locks_are_given_back() -> None:
    service = MemoryService()
    service.lock(["arn:b1", "arn:g2"], 120)
    observer = Observer(service, service.raft, service.clock, POLICY)
    for _ in range(2):
        locks(service).give_back(observer.look(None))
        assert service.locked == set()
