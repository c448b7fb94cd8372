"""Other nodes, asked over gRPC as the contract says."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from google.protobuf.message import Message
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError

from quorumshift.adapters.raft.snaketron import game_relay_pb2 as pb
from quorumshift.rehearsal.snaketron.directory import Directory
from quorumshift.rehearsal.snaketron.table import Row

Reply = TypeVar("Reply", bound=Message)

SERVICE = "game_relay.GameRelay"
_ASK_SECONDS = 1.0
_CHANGE_SECONDS = 3.0


class NoPeer(Exception):
    """A node did not answer; the message says which and why."""


class Peers:
    """One connection to each node that was ever asked. To be made inside a running event loop."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._channels: dict[str, Channel] = {}

    def close(self) -> None:
        """Close all connections."""
        for channel in self._channels.values():
            channel.close()

    async def find_leader(self, own: str) -> Row | None:
        """Ask everybody alive but ``own``, a Raft id, who leads; the one who answers in the highest
        term is believed. A follower knows the leader's id alone: the table has its address."""
        others = [row for row in self._directory.alive if row.raft_id != own]
        told = await asyncio.gather(*(self._status(row) for row in others))
        known = [
            (status.current_term, row.raft_id if status.is_leader else status.leader_id)
            for row, status in zip(others, told, strict=True)
            if status is not None and (status.is_leader or status.leader_id)
        ]
        return await self._directory.row(max(known)[1]) if known else None

    async def change(self, row: Row, method: str, request: Message, reply: type[Reply]) -> Reply:
        """Ask for a change of the membership. Raises :class:`NoPeer`."""
        return await self._call(row, method, request, reply, _CHANGE_SECONDS)

    async def _status(self, row: Row) -> pb.RaftStatusResponse | None:
        try:
            return await self._call(
                row, "GetRaftStatus", pb.Empty(), pb.RaftStatusResponse, _ASK_SECONDS
            )
        except NoPeer:
            return None

    async def _call(
        self, row: Row, method: str, request: Message, reply: type[Reply], seconds: float
    ) -> Reply:
        try:
            channel = self._channel(row.grpc_address)
            call = UnaryUnaryMethod(channel, f"/{SERVICE}/{method}", type(request), reply)
            return await call(request, timeout=seconds)
        except (GRPCError, ProtocolError, StreamTerminatedError, OSError, ValueError) as error:
            said = error.message if isinstance(error, GRPCError) else error
            raise NoPeer(f"server {row.raft_id} at {row.grpc_address}, {method}: {said}") from None

    def _channel(self, grpc_address: str) -> Channel:
        """Raises ``ValueError`` for what is not ``host:port``: the table may hold anything."""
        if grpc_address not in self._channels:
            host, _, port = grpc_address.rpartition(":")
            self._channels[grpc_address] = Channel(host, int(port))
        return self._channels[grpc_address]
