"""How long it takes to see how a cluster of SnakeTron nodes stands, also where some are dead."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from grpclib.const import Cardinality, Handler
from grpclib.server import Server, Stream

from benchmarks import page
from quorumshift.adapters.raft.snaketron import game_relay_pb2 as pb
from quorumshift.adapters.raft.snaketron.control import SnaketronRaft
from quorumshift.domain.raft import Membership
from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.processes import die_with_parent

TIMES = 20
DEADLINE = 1.0
"""Seconds for one call, as in the functions."""
MOST_OF_SLOWEST = 1.5
MOST_OF_DEADLINE = 1.1
MOST_SECONDS_MANY = 2.0
_SLOW_MS = (40, 60, 100)
_QUICK_MS = 20


@dataclass(frozen=True, slots=True)
class Scene:
    """A cluster. ``answers``: how long each node that answers takes, in ms; ``mute``: how many
    take the call and never answer; ``unreachable``: how many the kernel answers for nobody."""

    answers: tuple[int, ...]
    mute: int = 0
    unreachable: int = 0

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return len(self.answers) + self.mute + self.unreachable


FEW = Scene(_SLOW_MS)
SOME_DEAD = Scene((_QUICK_MS,) * 5, mute=2, unreachable=2)
MANY = Scene((_QUICK_MS,) * 101)


def measure(command: str) -> page.Section:
    """The section."""
    few, dead, many = (observations(scene, TIMES) for scene in (FEW, SOME_DEAD, MANY))
    answer_times = ", ".join(str(one) for one in _SLOW_MS)
    rows = [
        (f"3 nodes that answer after {answer_times} ms, ms", _ms(few)),
        (
            "the same ÷ the slowest node's own answer time",
            page.spread([one * 1000 / max(_SLOW_MS) for one in few], 2),
        ),
        (
            f"{SOME_DEAD.size} nodes, {SOME_DEAD.mute} of them mute and {SOME_DEAD.unreachable} "
            f"unreachable, deadline {DEADLINE * 1000:,.0f} ms, ms",
            _ms(dead),
        ),
        (f"{MANY.size} nodes that answer after {_QUICK_MS} ms, ms", _ms(many)),
    ]
    return page.Section(page.section(command, rows), missed(few, dead, many))


def missed(few: Sequence[float], dead: Sequence[float], many: Sequence[float]) -> tuple[str, ...]:
    """The goals that the slowest of these (seconds) did not reach, a sentence each."""
    goals = (
        ("3 nodes", few, MOST_OF_SLOWEST * max(_SLOW_MS) / 1000),
        ("9 nodes with 4 dead", dead, MOST_OF_DEADLINE * DEADLINE),
        ("101 nodes", many, MOST_SECONDS_MANY),
    )
    return tuple(
        f"{what} took {max(took) * 1000:,.0f} ms (goal {most * 1000:,.0f})"
        for what, took, most in goals
        if max(took) > most
    )


def observations(scene: Scene, times: int) -> list[float]:
    """Seconds of each observation. Raises ``RuntimeError`` when one is not what it should be."""
    with contextlib.ExitStack() as stack:
        block = take_block()
        stack.enter_context(contextlib.closing(block.lock))
        at = [block.task(number) for number in range(scene.size)]
        with socket.create_server((at[0], 0)) as probe:
            port: int = probe.getsockname()[1]
        alive = len(scene.answers) + scene.mute
        waits: dict[str, float | None] = dict.fromkeys(at[:alive])
        waits.update(zip(at, (one / 1000 for one in scene.answers), strict=False))
        stack.enter_context(_serving(at, waits, port))
        for address in at[alive:]:
            stack.enter_context(blackhole(address, port))
        raft = SnaketronRaft(port, DEADLINE)
        return [_observation(raft, at, len(scene.answers)) for _ in range(times)]


def _observation(raft: SnaketronRaft, at: Sequence[str], answering: int) -> float:
    began = time.perf_counter()
    view = raft.observe(at)
    took = time.perf_counter() - began
    if (view.membership, len(view.reports)) != (Membership.CONFIRMED, answering):
        raise RuntimeError(f"{len(view.reports)} of {answering} were heard: {view.unknown}")
    return took


@contextlib.contextmanager
def blackhole(address: str, port: int) -> Iterator[None]:
    """Listen at ``address`` with a backlog that is full: the kernel answers nobody any more."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind((address, port))
        server.listen(0)
        while True:
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0.2)
            try:
                filler.connect((address, port))
            except TimeoutError:
                break
        yield


@contextlib.contextmanager
def _serving(at: Sequence[str], waits: Mapping[str, float | None], port: int) -> Iterator[None]:
    """Nodes in a process of their own; ``at``: all members, the first leads; ``waits``: seconds
    until each that is served answers (``None``: never)."""
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    process = fork.Process(target=_serve, args=(at, waits, port, there), daemon=True)
    process.start()
    try:
        here.recv()
        yield
    finally:
        process.terminate()
        process.join()


def _serve(
    at: Sequence[str], waits: Mapping[str, float | None], port: int, ready: Connection
) -> None:
    die_with_parent()
    asyncio.run(_serve_for_ever(at, waits, port, ready))


async def _serve_for_ever(
    at: Sequence[str], waits: Mapping[str, float | None], port: int, ready: Connection
) -> None:
    servers = []
    for address, seconds in waits.items():
        server = Server([_Node(at, address, port, seconds)])
        await server.start(address, port)
        servers.append(server)
    ready.send(True)
    await asyncio.gather(*(server.wait_closed() for server in servers))


class _Node:
    """Answers GetRaftStatus after ``seconds``, and nothing else."""

    def __init__(self, at: Sequence[str], address: str, port: int, seconds: float | None) -> None:
        self._seconds = seconds
        self._status = pb.RaftStatusResponse(
            is_leader=address == at[0],
            leader_id="1",
            current_term=1,
            last_log_index=1,
            last_applied=1,
            node_id=str(at.index(address) + 1),
            members=[
                pb.RaftMember(node_id=str(number), grpc_addr=f"{one}:{port}")
                for number, one in enumerate(at, 1)
            ],
            members_confirmed=address == at[0],
        )

    def __mapping__(self) -> dict[str, Handler]:
        path = "/game_relay.GameRelay/GetRaftStatus"
        kind = Cardinality.UNARY_UNARY
        return {path: Handler(self._answer, kind, pb.Empty, pb.RaftStatusResponse)}

    async def _answer(self, stream: Stream[Any, Any]) -> None:
        await stream.recv_message()
        if self._seconds is None:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(self._seconds)
            await stream.send_message(self._status)


def _ms(seconds: Sequence[float]) -> str:
    return page.spread([one * 1000 for one in seconds])
