"""This node's own member of the Raft cluster, and what it tells of itself over gRPC."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from quorumshift.adapters.raft.snaketron import game_relay_pb2 as pb
from quorumshift.rehearsal.service.core import Core
from quorumshift.rehearsal.service.gateway import Member, NoAnswer, Status
from quorumshift.rehearsal.snaketron.directory import Directory
from quorumshift.rehearsal.snaketron.players import Players
from quorumshift.rehearsal.snaketron.registration import Registration
from quorumshift.rehearsal.snaketron.settings import Settings

_ASK_SECONDS = 1.0
_SHARE = 0.6
"""Of the time that the caller still has, for a quorum's word."""


class RaftDown(Exception):
    """This node has no Raft that could answer; the message says why."""


class Raft:
    """Ids are those of the table of servers. etcd has ids of its own, and so it is asked and told
    by address."""

    def __init__(
        self,
        settings: Settings,
        core: Core,
        registration: Registration,
        directory: Directory,
        players: Players,
    ) -> None:
        self._settings = settings
        self._core = core
        self._registration = registration
        self._directory = directory
        self._players = players
        self._own = settings.node.address

    @property
    def raft_id(self) -> str:
        """Ours. Raises :class:`RaftDown` before there is one."""
        if self._registration.raft_id is None:
            raise RaftDown("this node has no id yet: the table of servers could not be written")
        return self._registration.raft_id

    async def status(self) -> Status:
        """What etcd says of itself. Raises :class:`RaftDown` when it says nothing."""
        try:
            return await self._core.gateway.status(self._own, _ASK_SECONDS)
        except NoAnswer as error:
            raise RaftDown(f"Raft is not up: {error}") from None

    async def confirmed_members(self, seconds: float = _ASK_SECONDS) -> tuple[Member, ...]:
        """The members, as a quorum has just confirmed them. Raises ``NoAnswer``."""
        told = await self._core.gateway.members(self._own, seconds, confirmed=True)
        return told.members

    async def tell(self, seconds: float | None) -> pb.RaftStatusResponse:
        """Answer GetRaftStatus within the ``seconds`` that the caller waits, where it says so.

        Raises :class:`RaftDown`.
        """
        raft_id, extended = self.raft_id, self._settings.extended
        if extended and not self._core.membership.etcd.runs:
            return pb.RaftStatusResponse(node_id=raft_id, open_connections=len(self._players))
        status = await self.status()
        members, confirmed = await self._members(status, seconds)
        ids = await self._directory.ids(member.address for member in members)
        answer = pb.RaftStatusResponse(
            is_leader=status.leads,
            leader_id=raft_id if status.leads else _leader_id(status, members, ids),
            leader_addr=self._settings.grpc_address if status.leads else "",
            current_term=status.term,
            last_log_index=status.index,
            last_applied=status.applied,
        )
        if extended:
            answer.node_id = raft_id
            answer.open_connections = len(self._players)
            # A part of the list would be taken for all of it.
            if ids.keys() >= {member.address for member in members}:
                answer.members.extend(await self._entries(members, ids))
                answer.members_confirmed = confirmed
        return answer

    async def _members(
        self, status: Status, seconds: float | None
    ) -> tuple[tuple[Member, ...], bool]:
        """The members as this node knows them, and whether a quorum has just confirmed them."""
        if status.learner:  # etcd does not let one be asked: what the leader told us last
            return self._core.view.members, False
        gateway = self._core.gateway
        if self._settings.extended and status.leads:
            patience = min(_ASK_SECONDS, _SHARE * (seconds or _ASK_SECONDS))
            with contextlib.suppress(NoAnswer):  # cut off from a quorum, it knows what it knew
                told = await gateway.members(self._own, patience, confirmed=True)
                return told.members, (told.told_by, told.term) == (status.raft_id, status.term)
        with contextlib.suppress(NoAnswer):
            return (await gateway.members(self._own, _ASK_SECONDS)).members, False
        return self._core.view.members, False

    async def _entries(
        self, members: tuple[Member, ...], ids: Mapping[str, str]
    ) -> list[pb.RaftMember]:
        entries = []
        for member in members:
            row = await self._directory.row(ids[member.address])
            entries.append(
                pb.RaftMember(
                    node_id=ids[member.address],
                    grpc_addr=row.grpc_address if row else "",
                    is_learner=member.learner,
                )
            )
        return entries


def _leader_id(status: Status, members: tuple[Member, ...], ids: Mapping[str, str]) -> str:
    """Empty when none is known."""
    address = next((each.address for each in members if each.raft_id == status.leader), "")
    return ids.get(address, "")
