"""Looking until it is known."""

from __future__ import annotations

import pytest

from quorumshift.domain.errors import ClusterUnsafe, ClusterUnsettled, Transient
from quorumshift.domain.health import Decision
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation
from quorumshift.ports import Roster
from quorumshift.usecases.observer import PAUSE, Observer, Settling, require
from tests.domain.strategies import fleet
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


def counted(service: MemoryService) -> list[int]:
    """How often the service is looked at from now on."""
    looks, roster = [0], service.roster

    def look(deployment: str | None) -> Roster:
        looks[0] += 1
        return roster(deployment)

    service.roster = look  # type: ignore[method-assign] # to count is the test
    return looks


def test_whether_it_is_healthy_now_takes_one_look_and_no_pause() -> None:
    service = MemoryService(green=False)
    looks, began = counted(service), service.clock.now()
    assert observer(service).healthy(None).verdict.decision is Decision.PROCEED
    assert looks == [1]
    assert service.clock.now() - began < 0.5


def test_once_is_one_look_whatever_it_shows() -> None:
    service = MemoryService(green=False)
    service.kill("b3")
    looks = counted(service)
    seen = observer(service).once(None)
    assert (looks, seen.verdict.decision) == ([1], Decision.ABORT)
    assert len(seen.observation.nodes) == 3


def test_what_never_settles_is_given_the_time_between_two_looks_as_well() -> None:
    service = MemoryService(green=False)
    service.cluster.leader = None
    service.cluster._election_at = 1e9
    began = service.clock.now()
    assert observer(service).settled(None).verdict.decision is Decision.WAIT
    assert service.clock.now() - began == pytest.approx(5 + 20, abs=1)


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
    looks, began = counted(service), service.clock.now()
    seen = observer(service).settled(None)
    assert (looks, seen.verdict.decision) == ([2], Decision.ABORT)
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


WELL, DEAD, LEADERLESS = fleet(3, 0), fleet(3, 0, silent="b3"), fleet(3, 0, leader="")


@pytest.mark.parametrize(
    ("shown", "decision"),
    [
        ([DEAD, WELL], Decision.PROCEED),
        ([DEAD, DEAD, WELL], Decision.ABORT),
        ([LEADERLESS, DEAD, WELL], Decision.PROCEED),
        ([DEAD, LEADERLESS, DEAD, WELL], Decision.PROCEED),
    ],
)
def test_only_a_no_that_is_said_twice_in_a_row_is_one(
    shown: list[ClusterObservation], decision: Decision
) -> None:
    service = MemoryService(green=False)
    looks = iter(shown)
    first = service.raft.dialect.first_contract
    settling = Settling(lambda _: next(looks), first, service.clock, POLICY)
    assert settling.healthy(None).verdict.decision is decision


def test_without_time_to_settle_one_look_is_all() -> None:
    service = MemoryService(green=False)
    looks = iter([LEADERLESS])
    first = service.raft.dialect.first_contract
    hasty = Policy(settle_deadline_seconds=0)
    seen = Settling(lambda _: next(looks), first, service.clock, hasty).healthy(None)
    assert seen.verdict.decision is Decision.WAIT


def test_a_look_that_never_succeeds_is_given_up_at_the_deadline() -> None:
    service = MemoryService(green=False)
    looks = [0]

    def throttled(deployment: str | None) -> ClusterObservation:
        looks[0] += 1
        raise Transient("slow down")

    began = service.clock.now()
    first = service.raft.dialect.first_contract
    with pytest.raises(Transient, match="slow down"):
        Settling(throttled, first, service.clock, POLICY).healthy(None)
    assert service.clock.now() - began == pytest.approx(20)
    assert looks == [20 / PAUSE + 1]
