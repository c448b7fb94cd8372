"""The changes that the contract's calls ask for, made through etcd.

Only the leader makes one, and each is safe to repeat: what is so already is answered with yes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from quorumshift.rehearsal.service.core import Core
from quorumshift.rehearsal.service.gateway import Invalid, Member, NoAnswer
from quorumshift.rehearsal.service.node import PEER_PORT
from quorumshift.rehearsal.snaketron.directory import Directory
from quorumshift.rehearsal.snaketron.raft import Raft
from quorumshift.rehearsal.snaketron.refusals import NOT_THE_LEADER, NOT_YET, in_words
from quorumshift.rehearsal.snaketron.table import Unreachable

_SECONDS = 3.0
_LEADER_SECONDS = 1.0
_AGAIN_SECONDS = 0.05
_MEMBER = "/v3/cluster/member/"
TRANSFER = "/v3/maintenance/transfer-leadership"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether it is so now, and if not, a ``reason`` for a person."""

    done: bool
    reason: str = ""


Members = Mapping[str, Member]
Change = Callable[[Members], Awaitable[Outcome]]


class Changes:
    """``raft_id`` is always an id of the table of servers. All raise ``RaftDown``."""

    def __init__(self, core: Core, directory: Directory, raft: Raft, *, extended: bool) -> None:
        self._core = core
        self._directory = directory
        self._raft = raft
        self._why = in_words if extended else str
        self._own = core.node.address

    async def join(self, raft_id: str, grpc_address: str) -> Outcome:
        """Make the server at ``grpc_address`` (``host:port``) a learner."""
        return await self._as_leader(partial(self._join, raft_id, grpc_address))

    async def promote(self, raft_id: str) -> Outcome:
        """Give a learner its vote; etcd refuses that until the learner has caught up."""
        return await self._as_leader(partial(self._promote, raft_id))

    async def remove(self, raft_id: str) -> Outcome:
        """Take a member out."""
        return await self._as_leader(partial(self._remove, raft_id))

    async def transfer(self, raft_id: str) -> Outcome:
        """Hand leadership to a voter. Asked of that voter itself, it takes leadership over."""
        if raft_id == self._raft.raft_id:
            return await self._lead()
        return await self._as_leader(partial(self._transfer, raft_id))

    async def _as_leader(self, change: Change) -> Outcome:
        if not (await self._raft.status()).leads:
            return Outcome(False, NOT_THE_LEADER)
        try:
            members = await self._raft.confirmed_members()
            return await change({member.address: member for member in members})
        except (NoAnswer, Invalid, Unreachable) as error:
            return Outcome(False, self._why(error))

    async def _join(self, raft_id: str, grpc_address: str, members: Members) -> Outcome:
        address = grpc_address.rpartition(":")[0]
        row = await self._directory.sure_row(raft_id)
        if row is None or row.address != address:
            at = f"at {row.address}" if row else "nowhere"
            asked = address or repr(grpc_address)
            return Outcome(False, f"server {raft_id} is registered {at}, not at {asked}")
        if address not in members:
            peers = [f"http://{address}:{PEER_PORT}"]
            await self._ask(_MEMBER + "add", peerURLs=peers, isLearner=True)
        return Outcome(True)

    async def _promote(self, raft_id: str, members: Members) -> Outcome:
        member = await self._member(raft_id, members)
        if isinstance(member, str):
            return Outcome(False, f"No such member: {member}; let it join as a learner first")
        if member.learner:
            await self._ask(_MEMBER + "promote", ID=member.raft_id)
        return Outcome(True)

    async def _remove(self, raft_id: str, members: Members) -> Outcome:
        member = await self._member(raft_id, members)
        if isinstance(member, str):
            known = await self._directory.sure_row(raft_id) is not None
            return Outcome(known, "" if known else member)
        await self._ask(_MEMBER + "remove", ID=member.raft_id)
        return Outcome(True)

    async def _transfer(self, raft_id: str, members: Members) -> Outcome:
        member = await self._member(raft_id, members)
        if isinstance(member, str):
            return Outcome(False, f"Only a voter can lead: {member}")
        await self._ask(TRANSFER, targetID=member.raft_id)
        return Outcome(True)

    async def _lead(self) -> Outcome:
        """Stand for election: etcd can do so only by its leader's leave."""
        status = await self._raft.status()
        if status.leads:
            return Outcome(True)
        clock = asyncio.get_running_loop().time
        deadline = clock() + _LEADER_SECONDS
        said = f"{NOT_YET}: no leader is known that could give way"
        while (left := deadline - clock()) > 0:
            reign = await self._core.view.find_leader(left)
            if reign is None:
                continue
            try:
                await self._ask(TRANSFER, reign.address, targetID=status.raft_id)
            except (NoAnswer, Invalid) as error:
                said = self._why(error)
                self._core.view.doubt(reign)  # it may have been led by another one for a while
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                return Outcome(True)
        return Outcome(False, said)

    async def _member(self, raft_id: str, members: Members) -> Member | str:
        """The member that is this server; else why there is none."""
        row = await self._directory.sure_row(raft_id)
        if row is None:
            return f"there is no server {raft_id!r} in the table"
        if not self._directory.is_current(row):
            return f"server {raft_id} is gone: a newer one has its address {row.address}"
        return members.get(row.address, f"server {raft_id} at {row.address} is no member")

    async def _ask(self, path: str, address: str = "", **body: object) -> None:
        """Raises ``NoAnswer`` and ``Invalid``."""
        question = json.dumps(body).encode()
        await self._core.gateway.call(address or self._own, path, question, _SECONDS)
