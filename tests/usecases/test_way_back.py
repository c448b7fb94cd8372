"""The way back against what lasts: tasks that are missing, voters that stay silent, steps that are
refused for good, or said to be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.raft import Colour, Task
from quorumshift.domain.standstill import Ailing, Memory
from quorumshift.usecases.turns import LONGEST_SECONDS, Act, Planned, Turn, next_turn
from tests.adapters.memory_cluster import MemoryNode
from tests.usecases.service import DEPLOYMENT, MemoryService
from tests.usecases.test_turns import POLICY, machine

Meddle = Callable[[Planned | None], None]
TURNS = 400
"""More than the longest standstill has, whose pauses are up to ten seconds."""


class Back:
    """A hand-over that is stopped once these vote, and its way back. ``fewest``: voters that were
    well, at the least; ``told``: how often people were to be told."""

    def __init__(self, voters: str, *, size: int = 3) -> None:
        self.service = service = MemoryService(size)
        self.planned: Planned | None = None
        self.act: Act | None = None
        self.told = 0
        while service.voters() != set(voters.split()):
            assert self.turn(Colour.GREEN).decision is not Turn.DONE, "it never comes to that"
        self.fewest = self.healthy()
        service.stop(DEPLOYMENT)

    def node(self, address: str) -> MemoryNode:
        node = self.service.cluster.at(address)
        assert node is not None
        return node

    def healthy(self) -> int:
        return sum(one.up for one in self.service.cluster.voters())

    def freeze(self, address: str) -> None:
        """Nothing answers there, not even when it is admitted once more."""
        node = self.node(address)
        node.up, node.frozen = False, True
        self.service.still.add(address)

    def start(self, address: str) -> None:
        """ECS starts a task of blue."""
        task = Task(f"arn:{address}", address, Colour.BLUE, ready=True)
        self.service.tasks[address] = task

    def turn(self, goal: Colour = Colour.BLUE) -> Planned:
        service, hand_over = self.service, machine(self.service)
        look = hand_over.look(DEPLOYMENT)
        planned = next_turn(look, goal, self.planned, self.act, service.raft.dialect, POLICY)
        self.planned = planned = from_json(Planned, to_json(planned))
        self.told += planned.tell
        if planned.decision is Turn.STEP:
            self.act = hand_over.act(planned, look, DEPLOYMENT)
        service.clock.sleep(planned.settle_seconds)
        return planned

    def run(self, meddle: Meddle = lambda planned: None) -> Planned:
        """To the end. No step of ours may leave fewer voters that are well than the minimum."""
        service = self.service
        self.began = service.clock.now()
        for _ in range(TURNS):
            meddle(self.planned)
            before = self.healthy()
            planned = self.turn()
            self.fewest = min(self.fewest, self.healthy())
            assert self.healthy() >= min(POLICY.minimum_voters, before)
            if planned.decision in (Turn.DONE, Turn.BLOCKED):
                return planned
        raise AssertionError(f"it goes in circles: {planned}")

    @property
    def took(self) -> float:
        return self.service.clock.now() - self.began


@pytest.mark.parametrize("missing", ["b2", "b2 b3"])
def test_tasks_that_are_missing_are_waited_for_with_the_minimum_of_voters(missing: str) -> None:
    back = Back("b1 g1 g2 g3") if " " in missing else Back("b1 b3 g1 g2")
    gone = [address for address in ("b1", "b2", "b3") if address not in back.service.voters()]
    for address in gone:
        back.service.kill(address)

    def start(planned: Planned | None) -> None:
        if back.service.clock.now() - back.began > 300:
            for number in range(len(gone)):
                if f"n{number}" not in back.service.tasks:
                    back.start(f"n{number}")

    planned = back.run(start)
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.BLUE)
    assert back.service.voters() == {a for a in back.service.tasks if a[0] in "bn"}
    assert len(back.service.voters()) == 3
    assert back.fewest == 3
    assert back.told == 1, "people are told, once"
    assert back.took < 360


def test_tasks_that_never_come_end_in_words_and_with_all_that_votes() -> None:
    back = Back("b1 b3 g1 g2")
    back.service.kill("b2")
    planned = back.run()
    assert planned.decision is Turn.BLOCKED
    assert back.fewest == 3
    assert "not done after 40 min" in planned.reason
    assert "Only 2 of 3 tasks of the goal exist" in planned.reason
    assert len(back.service.locked & back.service.voters()) == 2, "a quorum stays locked"


def test_another_ready_task_takes_the_place_of_a_frozen_voter() -> None:
    """b2 had left already and is ready; b3 freezes for good."""
    back = Back("b1 b3 g1 g2")
    back.freeze("b3")
    asked = len(back.service.raft.asked)
    planned = back.run(
        lambda _: back.start("b4") if back.took > 200 and "b4" not in back.service.tasks else None
    )
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.BLUE)
    assert back.service.voters() == {"b1", "b2", "b4"}
    assert "admit b3" not in back.service.raft.asked[asked:]


def test_whom_nobody_can_replace_is_not_admitted_again() -> None:
    back = Back("b1 b3 g1 g2")
    back.freeze("b3")
    asked = len(back.service.raft.asked)
    planned = back.run()
    assert planned.decision is Turn.BLOCKED
    assert back.service.voters() == {"b1", "b2"} | (back.service.voters() & {"g1", "g2"})
    assert back.healthy() == 3
    assert "admit b3" not in back.service.raft.asked[asked:]
    assert "b3 did not answer" in planned.reason
    assert "Stop that task" in planned.reason


def test_a_voter_that_is_cut_off_and_answers_clients_gives_way_too() -> None:
    back = Back("b1 b3 g1 g2")
    node = back.node("b3")
    node.up, node.cut = False, True
    back.service.still.add("b3")
    planned = back.run(
        lambda _: back.start("b4") if back.took > 100 and "b4" not in back.service.tasks else None
    )
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.BLUE)
    assert back.service.voters() == {"b1", "b2", "b4"}
    assert back.took < 300


@pytest.mark.parametrize(
    ("voters", "deaf"),
    [
        ("b1 b2 b3 g1", "g1"),
        ("b1 b3 g1", "g1"),
        ("b1 b3 g1 g2", "g1"),
        ("b1 b3 g1 g2", "g2"),
        ("b1 g1 g2 g3", "g3"),
        ("b1 g1 g2 g3", "g1"),
    ],
)
def test_a_green_node_that_cannot_be_dialled_does_not_block_the_way_back(
    voters: str, deaf: str
) -> None:
    back = Back(voters)
    back.node(deaf).deaf = True
    planned = back.run()
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.BLUE)
    assert back.service.voters() == {"b1", "b2", "b3"}
    assert back.took < 240


@pytest.mark.parametrize("how", ["refusing", "lying"])
def test_a_step_that_is_never_done_is_named_and_not_asked_for_ever(how: str) -> None:
    back = Back("b1 b2 b3 g1")
    what = f"remove {back.node('g1').raft_id}"
    getattr(back.service.raft, how).add(what)
    planned = back.run()
    assert planned.decision is Turn.BLOCKED
    assert back.took > LONGEST_SECONDS - 20
    assert "remove g1" in planned.reason
    assert ("answered no" if how == "refusing" else "does not show it") in planned.reason


@pytest.mark.parametrize("how", ["refusing", "lying"])
def test_what_is_never_done_for_one_is_done_for_another(how: str) -> None:
    """Leadership does not move to the first choice."""
    back = Back("b1 g1 g2 g3")
    assert back.service.cluster.leader == back.node("g1").raft_id
    getattr(back.service.raft, how).add(f"move leadership to {back.node('b1').raft_id}")
    planned = back.run()
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.BLUE)
    assert back.took < 60


def test_forward_a_step_that_is_said_to_be_done_and_is_not_turns_back() -> None:
    service = MemoryService()
    service.raft.lying.add("admit g1")
    back = Back.__new__(Back)
    back.service, back.planned, back.act, back.told = service, None, None, 0
    while (planned := back.turn(Colour.GREEN)).decision not in (Turn.DONE, Turn.BLOCKED):
        pass
    assert (planned.decision, planned.goal) == (Turn.DONE, Colour.BLUE)
    assert "does not show it" in planned.turned


def test_a_voter_that_blinks_in_the_last_resort_keeps_its_vote() -> None:
    """The last resort is against those that stay silent."""
    back = Back("b1 b3 g1 g2")
    back.service.still.add("b2")  # it learns nothing, for a long time
    blinked = back.node("b3")

    def blink(planned: Planned | None) -> None:
        blinked.up = back.took < 100 or round(back.took) % 45 > 15
        if back.took > 400:
            back.service.still.clear()
            blinked.up = True

    planned = back.run(blink)
    assert planned.lenient
    assert (planned.decision, back.service.voters()) == (Turn.DONE, {"b1", "b2", "b3"})
    assert f"remove {blinked.raft_id}" not in back.service.raft.asked


def test_what_is_remembered_survives_newer_and_older_payloads() -> None:
    back = Back("b1 b3 g1")
    planned = back.turn()
    data = to_json(planned)
    del data["memory"], data["told"], data["tell"], data["askedBefore"]
    older = from_json(Planned, {**data, "suspicion": None})
    assert replace(older, memory=planned.memory) == planned


def test_only_who_is_not_well_for_longer_than_anything_is_waited_for_is_silent() -> None:
    ailing = (Ailing("b1", "t1", votes=True, since=0.0), Ailing("b2", "t2", votes=True, since=5.0))
    memory = Memory(at=POLICY.settle_deadline_seconds + 5, ailing=ailing)
    assert memory.silent(POLICY) == {"b1"}
    assert memory.doubtful(POLICY) == []
    assert replace(memory, at=6.0).doubtful(POLICY) == ["b2"]
