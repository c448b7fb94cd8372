"""A hand-over that is killed anywhere goes on from what it sees, and two of them do no harm."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.health import Decision
from quorumshift.domain.look import Look
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import Colour, quorum
from quorumshift.usecases.hand_over import HandOver
from quorumshift.usecases.observer import Observer
from quorumshift.usecases.turns import Act, Planned, Turn, next_turn
from quorumshift.usecases.vote_locks import VoteLocks
from tests.usecases.service import DEPLOYMENT, MemoryService

POLICY = Policy(stabilisation_seconds=2, settle_deadline_seconds=20)
MOST_TURNS = 300
TURNS = 25
"""More than a hand-over of three voters takes."""


@dataclass
class Driver:
    """One execution of the state machine: what it carries from turn to turn, and where it is."""

    service: MemoryService
    asked: Colour = Colour.GREEN
    last: Planned | None = None
    act: Act | None = None
    look: Look | None = None

    def __post_init__(self) -> None:
        observer = Observer(self.service, self.service.raft, self.service.clock, POLICY)
        locks = VoteLocks(observer, self.service, POLICY)
        self.hand_over = HandOver(
            observer, self.service.raft, locks, self.service, self.service.clock, POLICY
        )

    @property
    def ended(self) -> bool:
        return self.last is not None and self.last.decision in (Turn.DONE, Turn.BLOCKED)

    def plan(self) -> None:
        """Observe and Plan; the payload as JSON and back."""
        self.look = self.hand_over.look(DEPLOYMENT)
        dialect = self.service.raft.dialect
        planned = next_turn(self.look, self.asked, self.last, self.act, dialect, POLICY)
        self.last = from_json(Planned, to_json(planned))

    def do(self) -> None:
        """Act, however old the observation is by now; and what must hold afterwards."""
        if self.last is None or self.look is None or self.last.decision is not Turn.STEP:
            return
        voters = self.service.voters()
        self.act = self.hand_over.act(self.last, self.look, DEPLOYMENT)
        assert len(voters ^ self.service.voters()) <= 1, "two changes at once"
        check(self.service)

    def turn(self) -> None:
        """One whole turn."""
        self.plan()
        self.do()
        assert self.last is not None
        self.service.clock.sleep(self.last.settle_seconds)

    def finish(self) -> Planned:
        """Turn after turn, to the end."""
        for _ in range(MOST_TURNS):
            self.turn()
            if self.last is not None and self.ended:
                return self.last
        raise AssertionError(f"no end: {self.last}")


def check(service: MemoryService) -> None:
    """A quorum is up; and locked, as soon as green votes."""
    voters = service.cluster.voters()
    assert sum(one.up for one in voters) >= quorum(len(voters)), "the quorum is lost"
    addresses = {one.address for one in voters}
    if any(address.startswith("g") for address in addresses):
        assert len(service.locked & addresses) >= quorum(len(voters)), "the quorum is not locked"


def check_done(service: MemoryService, last: Planned) -> None:
    assert (last.decision, last.goal) == (Turn.DONE, Colour.GREEN), last.reason
    assert service.voters() == {"g1", "g2", "g3"}
    _, guard = Driver(service).hand_over.may_end(DEPLOYMENT)
    assert guard.decision is Decision.PROCEED


@pytest.mark.parametrize("killed", range(TURNS))
@pytest.mark.parametrize("where", ["before the plan", "before the act", "after the act"])
def test_killed_anywhere_and_started_again_with_the_same_input(killed: int, where: str) -> None:
    service = MemoryService()
    first = Driver(service)
    for _ in range(killed):
        first.turn()
    if where != "before the plan":
        first.plan()
    if where == "after the act":
        first.do()
    check_done(service, Driver(service).finish())


@pytest.mark.parametrize("killed", range(TURNS))
def test_killed_in_an_act_whose_function_runs_on_while_it_is_resumed(killed: int) -> None:
    service = MemoryService()
    first = Driver(service)
    for _ in range(killed):
        first.turn()
    first.plan()
    resumed = Driver(service, last=first.last, look=first.look)
    resumed.do()  # Act is run again with the same input
    resumed.turn()
    first.do()  # and now the function that nobody waits for is done
    check_done(service, resumed.finish())


@pytest.mark.parametrize("stopped", range(0, TURNS, 2))
def test_a_way_back_that_is_killed_is_resumed_as_a_way_back(stopped: int) -> None:
    service = MemoryService()
    first = Driver(service)
    for _ in range(stopped):
        first.turn()
    service.stop(DEPLOYMENT)
    first.turn()
    last = Driver(service).finish()
    assert (last.decision, last.goal) == (Turn.DONE, Colour.BLUE)
    assert service.voters() == {"b1", "b2", "b3"}


DEEDS = ["plan one", "do one", "plan two", "do two", "kill one", "kill two", "wait"]


@settings(max_examples=60, deadline=None)
@given(deeds=st.lists(st.sampled_from(DEEDS), max_size=120))
def test_two_at_once_do_no_harm_however_they_interleave(deeds: list[str]) -> None:
    service = MemoryService()
    drivers = {"one": Driver(service), "two": Driver(service)}
    for deed in deeds:
        what, _, who = deed.partition(" ")
        if what == "kill":
            drivers[who] = Driver(service)
        elif what == "plan":
            drivers[who].plan()
        elif what == "do":
            drivers[who].do()
        service.clock.sleep(1)
    check_done(service, Driver(service).finish())
