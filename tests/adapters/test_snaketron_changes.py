"""Changes of a SnakeTron cluster: what was asked of whom, and what the answers mean."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.message import Message
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from benchmarks.verify import blackhole
from quorumshift.adapters.raft.snaketron import game_relay_pb2 as pb
from quorumshift.adapters.raft.snaketron.reasons import NOT_THE_LEADER
from quorumshift.domain.errors import ChangeRefused, QuorumshiftError, Transient
from tests.adapters.relay_nodes import FIRST, Script
from tests.adapters.relay_world import NOT_UP, World, new, old

JOIN, PROMOTE = "RequestJoinAsLearner", "RequestPromotion"
REMOVE, TRANSFER = "RequestRemoval", "RequestLeadershipTransfer"
REPLIES: dict[str, tuple[type[Message], str]] = {
    JOIN: (pb.JoinAsLearnerResponse, "accepted"),
    PROMOTE: (pb.PromotionResponse, "promoted"),
    REMOVE: (pb.RemovalResponse, "removed"),
    TRANSFER: (pb.LeadershipTransferResponse, "transferred"),
}


@pytest.fixture
def world() -> Iterator[World]:
    with contextlib.closing(World()) as world:
        yield world


def yes() -> dict[str, Message]:
    """Every change is made."""
    return {call: reply(**{made: True}) for call, (reply, made) in REPLIES.items()}


def no(reason: str) -> dict[str, Message]:
    """No change is made."""
    return {
        call: reply(**{made: False, "reason": reason}) for call, (reply, made) in REPLIES.items()
    }


def cluster(world: World, replies: dict[str, Message]) -> Script:
    """Node 1 leads 2 and 3, which answer that they do not. Returns the leader."""
    for number in (2, 3):
        status = new(str(number), "1", world.members(1, 2, 3))
        world.serve(number, Script(status, no(NOT_THE_LEADER)))
    return world.serve(1, Script(new("1", "1", world.members(1, 2, 3)), replies))


def change(world: World, call: str, via: list[str], *rows: tuple[str, int]) -> None:
    """Ask for a change: node 4, which is silent, comes in, and node 3 leads or leaves."""
    raft = world.raft(*rows)
    if call == JOIN:
        raft.admit(world.at(4), via)
    elif call == PROMOTE:
        raft.promote("4", via)
    else:
        {REMOVE: raft.remove, TRANSFER: raft.transfer}[call]("3", via)


def test_each_change_is_asked_of_the_leader_in_its_own_words(world: World) -> None:
    leader = cluster(world, yes())
    via = [world.at(n) for n in (1, 2, 3)]
    raft = world.raft(("4", 4))
    raft.admit(world.at(4), via)
    raft.promote("4", via)
    raft.remove("3", via)

    assert leader.asked == [
        (
            JOIN,
            pb.JoinAsLearnerRequest(node_id="4", grpc_addr=f"{world.at(4)}:{world.nodes.port}"),
        ),
        (PROMOTE, pb.PromotionRequest(node_id="4")),
        (REMOVE, pb.RemovalRequest(node_id="3")),
    ]


def test_a_node_that_tells_its_id_needs_no_table(world: World) -> None:
    leader = cluster(world, yes())
    world.serve(4, Script(new("44", "", [])))
    world.raft().admit(world.at(4), [world.at(1)])
    assert leader.asked[0][1].node_id == "44"
    world.raft(("4", 4)).admit(world.at(4), [world.at(1)])
    assert leader.asked[1][1].node_id == "44"  # its own word counts


@pytest.mark.parametrize("rows", [(), (("4", 4), ("5", 4))], ids=["none", "two"])
def test_nobody_is_admitted_without_an_id(world: World, rows: tuple[tuple[str, int], ...]) -> None:
    leader = cluster(world, yes())
    world.serve(4, Script(NOT_UP))
    with pytest.raises(Transient) as raised:
        change(world, JOIN, [world.at(1)], *rows)
    text = str(raised.value)
    assert text.startswith(f"Cannot admit {world.at(4)} as a learner: its Raft id is not known")
    assert "raft is not initialized" in text
    assert ("has for it: 4, 5" if rows else "no table of servers") in text
    assert leader.asked == []


def test_who_does_not_lead_passes_us_on(world: World) -> None:
    """The order of the addresses is kept, and the leader is found by its id where it is missing."""
    leader = cluster(world, yes())
    change(world, PROMOTE, [world.at(n) for n in (2, 9, 1)])
    change(world, PROMOTE, [world.at(3), world.at(2)])
    assert [call for call, _ in leader.asked] == [PROMOTE, PROMOTE]


@pytest.mark.parametrize("call", [JOIN, PROMOTE, REMOVE])
def test_when_nobody_leads_it_is_to_be_repeated(world: World, call: str) -> None:
    for number in (1, 2):
        status = new(str(number), "", world.members(1, 2, 3))
        world.serve(number, Script(status, no(NOT_THE_LEADER)))
    with pytest.raises(Transient) as raised:
        change(world, call, [world.at(1), world.at(2), world.at(9)], ("4", 4))
    text = str(raised.value)
    assert text.startswith("Cannot ")
    for number in (1, 2):
        assert f"{world.at(number)} answered 'Not the leader'" in text
    assert f"{world.at(9)}: no connection" in text
    assert text.endswith("Look again, then repeat the step")


SAYS: dict[str, dict[str, tuple[type[QuorumshiftError] | None, str]]] = {
    "Not yet: it is not in sync": {
        JOIN: (Transient, "Look again"),
        PROMOTE: (Transient, "Look again"),
        TRANSFER: (Transient, "Look again"),
    },
    "not yet:a voter is not connected": {REMOVE: (Transient, "Look again")},
    "Too many learners": {JOIN: (ChangeRefused, "present learner first")},
    "No such member": {
        PROMOTE: (ChangeRefused, "plan anew"),
        REMOVE: (None, ""),
        TRANSFER: (ChangeRefused, "plan anew"),
    },
    "only a voter can lead": {TRANSFER: (ChangeRefused, "Promote it first")},
    "the moon is full": {
        JOIN: (Transient, "read that node's log"),
        PROMOTE: (Transient, "read that node's log"),
        REMOVE: (ChangeRefused, "Read that node's log"),
        TRANSFER: (ChangeRefused, "Read that node's log"),
    },
    "": {PROMOTE: (Transient, "log"), REMOVE: (ChangeRefused, "log")},
}


@pytest.mark.parametrize(
    ("reason", "call", "error", "advice"),
    [(reason, call, *means) for reason, calls in SAYS.items() for call, means in calls.items()],
)
def test_no_and_not_yet_are_told_apart(
    world: World,
    reason: str,
    call: str,
    error: type[QuorumshiftError] | None,
    advice: str,
) -> None:
    cluster(world, no(reason))
    via = [world.at(n) for n in (1, 2, 3)]
    if error is None:
        change(world, call, via)
        return
    with pytest.raises(error, match=advice) as raised:
        change(world, call, via, ("4", 4))
    assert f": {world.at(1)} answered " in str(raised.value)
    assert (repr(reason) if reason else "without a reason") in str(raised.value)


def test_the_first_not_yet_is_believed(world: World) -> None:
    cluster(world, no("Not yet: a voter is not connected"))
    other = world.serve(5, Script(new("5", "1", []), yes()))
    with pytest.raises(Transient):
        change(world, REMOVE, [world.at(1), world.at(5)])
    assert other.asked == []


@pytest.mark.parametrize("reply", ["already a voter", None, "boom"], ids=["said", "lost", "error"])
def test_what_is_seen_to_be_done_is_done(world: World, reply: str | None) -> None:
    """A reason that says nothing to us, a lost reply, an error: the cluster is looked at."""
    answers: dict[str, Any] = dict.fromkeys(REPLIES, None)
    if reply == "boom":
        answers = dict.fromkeys(REPLIES, GRPCError(Status.INTERNAL, reply))
    elif reply is not None:
        answers = dict(no(reply))
    leader = cluster(world, answers)
    leader.status = new("1", "1", world.members(1, 2, 3, learners=(4,)))
    via = [world.at(1)]
    change(world, JOIN, via, ("4", 4))
    world.raft().promote("3", via)
    world.raft().remove("5", via)
    assert [call for call, _ in leader.asked] == [JOIN, PROMOTE, REMOVE]
    with pytest.raises(QuorumshiftError, match=world.at(1)):
        world.raft().promote("4", via)
    with pytest.raises(QuorumshiftError, match=world.at(1)):
        world.raft().remove("3", via)


def test_only_a_confirmed_list_shows_that_a_change_was_made(world: World) -> None:
    leader = cluster(world, dict.fromkeys(REPLIES, None))  # type: ignore[arg-type] # never replies
    leader.status = new("1", "1", world.members(1, 2, 3, 4), confirmed=False)
    with pytest.raises(Transient):
        change(world, PROMOTE, [world.at(1)])


def test_an_address_without_an_answer_is_one_of_several(world: World) -> None:
    leader = cluster(world, yes())
    with blackhole(world.at(8), world.nodes.port):
        change(world, PROMOTE, [world.at(8), world.at(1)])
        assert len(leader.asked) == 1
        with pytest.raises(Transient, match=r"no connection to port \d+ \(nothing within 0.5 s\)"):
            change(world, PROMOTE, [world.at(8)])
    with pytest.raises(Transient, match="no address to ask"):
        change(world, PROMOTE, [])


@pytest.mark.parametrize("call", [REMOVE, TRANSFER])
def test_a_call_that_the_leader_does_not_know_is_refused_by_name(world: World, call: str) -> None:
    world.serve(1, Script(old("1", leads=True), no("")), first=True)
    status = new("2", "1", world.members(1, 2, 3))
    world.serve(2, Script(status, no(NOT_THE_LEADER)))
    world.serve(3, Script(old("1"), no("")), first=True)
    with pytest.raises(ChangeRefused) as raised:
        change(world, call, [world.at(n) for n in (1, 2, 3)])
    at = world.at(1) if call == REMOVE else world.at(3)
    assert f"{at} does not know {call}" in str(raised.value)
    assert "docs/snaketron.md" in str(raised.value)


def test_a_follower_that_does_not_know_a_call_decides_nothing(world: World) -> None:
    world.serve(1, Script(new("1", "1", world.members(1, 2, 3)), no("Not yet: busy")))
    world.serve(2, Script(old("1")), first=True)
    with pytest.raises(Transient):
        change(world, REMOVE, [world.at(2), world.at(1)])
    world.nodes.stop(world.at(1))
    with pytest.raises(Transient, match="no connection"):
        change(world, REMOVE, [world.at(1), world.at(2)])


class Moving:
    """A leader that hands over: after ``seconds``, everybody names the new one."""

    def __init__(self, world: World, *, reply: Message | None, moves: bool = True) -> None:
        self.asked: list[str] = []
        self._world = world
        self._reply = reply
        self._moves = moves
        self._leader, self._term = "1", 3
        self._election: asyncio.Task[None] | None = None

    def serve(self, number: int, *, first: bool = False) -> None:
        """Node ``number``."""

        async def answer(call: str, request: Any) -> Message | None:
            if call == "GetRaftStatus":
                return self._status(number, first)
            assert (call, request.node_id) == (TRANSFER, "3")
            self.asked.append(self._world.at(number))
            if self._moves:
                self._election = asyncio.create_task(self._elect())
            return self._reply

        address = self._world.at(number)
        if first:
            self._world.nodes.serve(address, answer, calls=FIRST)
        else:
            self._world.nodes.serve(address, answer)

    async def _elect(self) -> None:
        await asyncio.sleep(0.15)
        self._leader, self._term = "3", 4

    def _status(self, number: int, first: bool) -> pb.RaftStatusResponse:
        if first:
            return old(self._leader, leads=str(number) == self._leader, term=self._term)
        members = self._world.members(1, 2, 3)
        return new(str(number), self._leader, members, term=self._term)


@pytest.mark.parametrize("lost", [False, True])
def test_leadership_is_handed_over_by_the_leader_and_seen_to_move(world: World, lost: bool) -> None:
    moving = Moving(world, reply=None if lost else yes()[TRANSFER])
    for number in (1, 2, 3):
        moving.serve(number)
    raft, via = world.raft(), [world.at(n) for n in (2, 1, 3)]
    try:
        raft.transfer("3", via)
    except Transient:
        assert lost  # it was looked at before the election's end
    deadline = time.monotonic() + 10
    while raft.observe(via).reports[world.at(2)].leader != "3":
        assert lost
        assert time.monotonic() < deadline
    raft.transfer("3", via)
    assert moving.asked == [world.at(1)]


def test_under_an_old_leader_the_voter_itself_stands_for_election(world: World) -> None:
    moving = Moving(world, reply=yes()[TRANSFER])
    for number in (1, 2, 3):
        moving.serve(number, first=number < 3)
    world.raft(("1", 1), ("2", 2)).transfer("3", [world.at(n) for n in (1, 2, 3)])
    assert moving.asked == [world.at(3)]


def test_a_move_that_nobody_sees_is_not_believed(world: World) -> None:
    moving = Moving(world, reply=yes()[TRANSFER], moves=False)
    for number in (1, 2, 3):
        moving.serve(number)
    with pytest.raises(Transient, match="node 1 leads") as raised:
        change(world, TRANSFER, [world.at(n) for n in (1, 2, 3)])
    assert f"{world.at(1)} answered that it is done" in str(raised.value)


def test_leadership_does_not_go_to_a_node_that_does_not_answer(world: World) -> None:
    leader = cluster(world, yes())
    world.nodes.stop(world.at(3))
    with pytest.raises(Transient, match=f"{world.at(3)}: no connection"):
        change(world, TRANSFER, [world.at(1), world.at(2)])
    assert leader.asked == []


def test_leadership_cannot_be_moved_while_nobody_leads(world: World) -> None:
    world.serve(2, Script(new("2", "1", world.members(1, 2, 3)), yes()))
    with pytest.raises(Transient, match="Cannot move leadership to node 3: "):
        change(world, TRANSFER, [world.at(2)])


def test_a_stranger_that_leads_in_a_later_term_is_not_asked(world: World) -> None:
    """It started a cluster of its own; the members' word counts."""
    leader = cluster(world, no("Not yet: busy"))
    stranger = world.serve(5, Script(old("5", leads=True, term=9), yes()), first=True)
    with pytest.raises(Transient, match=f"{world.at(1)} answered 'Not yet: busy'"):
        change(world, TRANSFER, [world.at(n) for n in (5, 1, 2, 3)])
    assert (len(leader.asked), stranger.asked) == (1, [])
