"""A quorum of the votes is locked, and given back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorumshift.domain.errors import ChangeRefused
from quorumshift.domain.policy import Policy
from quorumshift.usecases.observer import Observer
from quorumshift.usecases.vote_locks import VoteLocks
from tests.usecases.service import DEPLOYMENT, MemoryService

POLICY = Policy()


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


def test_all_locks_are_given_back() -> None:
    service = MemoryService()
    service.lock(["arn:b1", "arn:g2"], 120)
    observer = Observer(service, service.raft, service.clock, POLICY)
    for _ in range(2):
        locks(service).give_back(observer.look(None))
        assert service.locked == set()
