"""Looking until it is known."""

from __future__ import annotations

import pytest

from quorumshift.domain.errors import ClusterUnsafe, ClusterUnsettled, Transient
from quorumshift.domain.health import Decision
from quorumshift.domain.policy import Policy
from quorumshift.ports import Roster
from quorumshift.usecases.observer import Observer, require
from tests.usecases.service import MemoryService

POLICY = Policy(stabilisation_seconds=5, settle_deadline_seconds=20)


def observer(service: MemoryService, policy: Policy = POLICY) -> Observer:
    return Observer(service, service.raft, service.clock, policy)


def test_a_healthy_cluster_is_looked_at_twice() -> None:
    service = MemoryService(green=False)
    began = service.clock.now()
    seen = observer(service).settled(None)
    assert seen.verdict.decision is Decision.PROCEED
    assert service.clock.now() - began == pytest.approx(5)


def test_whether_it_is_healthy_now_takes_one_look_and_no_pause() -> None:
    service = MemoryService(green=False)
    looks, roster = [0], service.roster

    def counted(deployment: str | None) -> Roster:
        looks[0] += 1
        return roster(deployment)

    service.roster = counted  # type: ignore[method-assign] # to count is the test
    began = service.clock.now()
    assert observer(service).healthy(None).verdict.decision is Decision.PROCEED
    assert looks == [1]
    assert service.clock.now() - began < 0.5


def test_an_election_is_waited_for() -> None:
    service = MemoryService(green=False)
    service.cluster.leader = None
    service.cluster._election_at = service.clock.now() + 3
    assert observer(service).settled(None).verdict.decision is Decision.PROCEED


def test_a_leader_lost_between_the_two_looks_begins_the_wait_anew() -> None:
    service = MemoryService(green=False)
    sleep = service.clock.sleep
    moved: list[bool] = []

    def move(seconds: float) -> None:
        sleep(seconds)
        if seconds == 5 and not moved:
            moved.append(True)
            service.raft.transfer("2", ["b1"])

    service.clock.sleep = move  # type: ignore[method-assign] # the fault is the test
    began = service.clock.now()
    assert observer(service).settled(None).verdict.decision is Decision.PROCEED
    assert service.clock.now() - began > 10


def test_a_missing_voter_is_refused_after_a_second_look_not_after_the_deadline() -> None:
    service = MemoryService(green=False)
    service.kill("b3")
    began = service.clock.now()
    seen = observer(service).settled(None)
    assert seen.verdict.decision is Decision.ABORT
    assert service.clock.now() - began < 2
    with pytest.raises(ClusterUnsafe, match=r"nothing was deployed: .*b3"):
        require(seen, "nothing was deployed")


def test_no_leader_for_ever_is_unsettled_at_the_deadline() -> None:
    service = MemoryService(green=False)
    service.cluster.leader = None
    service.cluster._election_at = 1e9
    seen = observer(service).healthy(None)
    assert seen.verdict.decision is Decision.WAIT
    with pytest.raises(ClusterUnsettled, match="did not settle before the deadline"):
        require(seen, "nothing was deployed")


def test_a_throttled_look_is_repeated() -> None:
    service = MemoryService(green=False)
    roster, left = service.roster, [2]

    def throttled(deployment: str | None) -> Roster:
        if left[0]:
            left[0] -= 1
            raise Transient("rate exceeded")
        return roster(deployment)

    service.roster = throttled  # type: ignore[method-assign] # the fault is the test
    assert observer(service).healthy(None).verdict.decision is Decision.PROCEED
    assert left == [0]
