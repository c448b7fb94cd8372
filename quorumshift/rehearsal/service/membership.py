"""The life of a node's own member: outside, admitted, taken out, perhaps admitted again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from quorumshift.rehearsal.service.entry import Start, decide
from quorumshift.rehearsal.service.etcd import Etcd
from quorumshift.rehearsal.service.gateway import Gateway, Member, NoAnswer
from quorumshift.rehearsal.service.node import Node, read_instances
from quorumshift.rehearsal.service.view import WATCHFUL_SECONDS, View

_ASK_SECONDS = 2.0
_PEER_SECONDS = 0.5
_PROOF_SECONDS = 20.0
"""How long to look for a quorum that says whether our member was taken out; the front forwards
meanwhile, so there is no hurry."""
_STARTS = 5


class MemberLost(Exception):
    """etcd ended although nobody had taken its member out: the task is of no use any more."""


class Membership:
    """Starts etcd when there is a place for it and looks after it. ``taken_out``: set once our
    member has been in the cluster, and was removed from it."""

    def __init__(self, node: Node, gateway: Gateway, view: View) -> None:
        self.etcd = Etcd(node)
        self.taken_out = asyncio.Event()
        self._node = node
        self._gateway = gateway
        self._view = view
        self._removed: set[str] = set()
        self._took_part = False

    async def live(self) -> None:
        """Runs until cancelled. Raises :class:`MemberLost` when etcd ends by itself.

        A member that was taken out leaves a node that goes on serving by forwarding; should it be
        admitted again, it starts as a new member on an empty disk.
        """
        while True:
            await self._take_part(await self._wait_for_start())

    async def _wait_for_start(self) -> Start:
        self._view.watchful = True
        said = ""
        while True:
            decision = decide(
                self._node.address,
                self._node.cluster_size,
                read_instances(self._node.instances),
                await self._lists(),
                removed=self._removed,
                may_found=not self._took_part,
            )
            if isinstance(decision, Start):
                self._view.watchful = False
                return decision
            if decision.reason != said:
                said = decision.reason
                _say(said)
            await asyncio.sleep(WATCHFUL_SECONDS)

    async def _lists(self) -> list[tuple[Member, ...]]:
        """What the leader tells; before one is known, what anybody tells."""
        if self._view.reign is not None and self._view.members:
            return [self._view.members]
        peers = [
            each.address
            for each in read_instances(self._node.instances)
            if each.address != self._node.address
        ]
        told = await asyncio.gather(*(self._list_of(peer) for peer in peers))
        return [members for members in told if members is not None]

    async def _list_of(self, peer: str) -> tuple[Member, ...] | None:
        try:
            return (await self._gateway.members(peer, _PEER_SECONDS)).members
        except NoAnswer:
            return None

    async def _take_part(self, start: Start) -> None:
        """From the start of etcd to the removal of its member."""
        for _ in range(_STARTS):
            _say(f"etcd starts, cluster {start.state}: {start.cluster}")
            await self.etcd.start(start)
            code = await self.etcd.ended()
            if self.etcd.took_part():
                self._took_part = True
                break
            # The peer that etcd asked for the member list was behind: nothing has happened yet.
            await asyncio.sleep(WATCHFUL_SECONDS)
            start = await self._wait_for_start()
        else:
            raise MemberLost(f"etcd could not start, {_STARTS} times (exit code {code})")
        await self._prove_removal(start, code)

    async def _prove_removal(self, start: Start, code: int) -> None:
        """Returns when a quorum confirms that the member is out; raises otherwise."""
        clock = asyncio.get_running_loop().time
        if code < 0:  # by a signal; etcd whose member was taken out exits by itself
            raise MemberLost(f"etcd was ended by signal {-code}: this task ends")
        deadline = clock() + _PROOF_SECONDS
        said = "no member of the cluster answered"
        while clock() < deadline:
            last_known = {each.raft_id for each in self._ours(self._view.members)}
            members = await self.confirmed_members()
            if members is None:
                await asyncio.sleep(WATCHFUL_SECONDS)
                continue
            now = {each.raft_id for each in self._ours(members)}
            if not now or (start.raft_id is not None and start.raft_id not in now):
                self.taken_out.set()
                self._removed |= (last_known | {start.raft_id or ""}) - now
                _say("our member was taken out of the cluster; this node forwards from now on")
                return
            said = "its member is still in the cluster"
            break
        raise MemberLost(f"etcd ended with exit code {code}, and {said}: this task ends")

    def _ours(self, members: Iterable[Member]) -> list[Member]:
        return [member for member in members if member.address == self._node.address]

    async def confirmed_members(self) -> tuple[Member, ...] | None:
        """The members as a quorum confirms them; ``None`` when none does."""
        reign = await self._view.find_leader(_ASK_SECONDS)
        if reign is None:
            return None
        try:
            told = await self._gateway.members(reign.address, _ASK_SECONDS, confirmed=True)
        except NoAnswer:
            self._view.doubt(reign)
            return None
        return told.members


def _say(text: str) -> None:
    print(text, flush=True)
