"""How a node of SnakeTron gets into a cluster by itself: by asking the leader.

It asks to be admitted as a learner; whether it asks for its vote as well is the settings' business.
etcd takes one learner at a time, and nobody for five seconds after a change, so a refused request
is made again. A node that was taken out by somebody else does not come back by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from google.protobuf.message import Message

from quorumshift.adapters.raft.snaketron import game_relay_pb2 as pb
from quorumshift.rehearsal.service.core import Core
from quorumshift.rehearsal.snaketron.peers import NoPeer, Peers, Reply
from quorumshift.rehearsal.snaketron.raft import Raft, RaftDown
from quorumshift.rehearsal.snaketron.refusals import NOT_THE_LEADER
from quorumshift.rehearsal.snaketron.settings import Settings
from quorumshift.rehearsal.snaketron.table import Row

AGAIN_SECONDS = 0.2
CAUGHT_UP = 10
"""A learner that has fewer entries than this to apply asks for its vote."""


class Joining:
    """One node's way in."""

    def __init__(self, settings: Settings, core: Core, raft: Raft, peers: Peers) -> None:
        self._settings = settings
        self._core = core
        self._raft = raft
        self._peers = peers
        self._leader: Row | None = None
        self._stopped = asyncio.Event()
        self._over = asyncio.Event()
        self._said = ""

    async def follow(self) -> None:
        """Get in, and vote where the settings say so; then wait for ever."""
        try:
            await self._until(self._is_in)
            if self._settings.votes_by_itself:
                await self._until(self._has_a_vote)
        finally:
            self._over.set()
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Ask for nothing any more. Returns when what was asked last has been answered."""
        self._stopped.set()
        await self._over.wait()

    async def _until(self, done: Callable[[], Awaitable[bool]]) -> None:
        while not self._stopped.is_set() and not await done():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_SECONDS):
                    await self._stopped.wait()

    async def _is_in(self) -> bool:
        """Whether we are a member; if not, we ask to be one."""
        members = self._core.view.members
        if any(member.address == self._core.node.address for member in members):
            return True
        if not members:
            return False  # no cluster yet, or none that can be seen
        try:
            request = pb.JoinAsLearnerRequest(
                node_id=self._raft.raft_id, grpc_addr=self._settings.grpc_address
            )
        except RaftDown:
            return False
        told = await self._ask("RequestJoinAsLearner", request, pb.JoinAsLearnerResponse)
        return told is not None and self._heard("join", told.accepted, told.reason)

    async def _has_a_vote(self) -> bool:
        """Whether we vote, or never will; if neither, we ask for it once we have caught up."""
        if self._core.membership.taken_out.is_set():
            return True
        try:
            status, raft_id = await self._raft.status(), self._raft.raft_id
        except RaftDown:
            return False
        if not status.learner:
            return True
        if status.index - status.applied >= CAUGHT_UP:
            return False
        request = pb.PromotionRequest(node_id=raft_id)
        told = await self._ask("RequestPromotion", request, pb.PromotionResponse)
        return told is not None and self._heard("promotion", told.promoted, told.reason)

    async def _ask(self, method: str, request: Message, reply: type[Reply]) -> Reply | None:
        """Ask the leader; ``None`` when none is known or it does not answer."""
        if self._leader is None:
            self._leader = await self._peers.find_leader(self._raft.raft_id)
        if self._leader is None:
            return None
        try:
            return await self._peers.change(self._leader, method, request, reply)
        except NoPeer as error:
            self._leader = None
            self._say(str(error))
            return None

    def _heard(self, what: str, done: bool, reason: str) -> bool:
        if reason == NOT_THE_LEADER:
            self._leader = None
        self._say(f"{what}: {'done' if done else reason}")
        return done

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            print(text, flush=True)
