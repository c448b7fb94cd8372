"""Real gRPC servers on loopback addresses that answer as a test tells them to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from google.protobuf.message import Message
from grpclib.const import Cardinality, Handler
from grpclib.exceptions import GRPCError
from grpclib.server import Server, Stream

from quorumshift.adapters.raft.snaketron import game_relay_pb2 as pb

T = TypeVar("T")
Answer = Callable[[str, Any], Awaitable[Message | None]]
"""Gets a call's name and its request. ``None``: the stream is reset instead of answered."""

FIRST: Mapping[str, tuple[type[Message], type[Message]]] = {
    "GetRaftStatus": (pb.Empty, pb.RaftStatusResponse),
    "RequestJoinAsLearner": (pb.JoinAsLearnerRequest, pb.JoinAsLearnerResponse),
    "RequestPromotion": (pb.PromotionRequest, pb.PromotionResponse),
}
"""The calls of the first contract."""
ALL: Mapping[str, tuple[type[Message], type[Message]]] = {
    **FIRST,
    "RequestRemoval": (pb.RemovalRequest, pb.RemovalResponse),
    "RequestLeadershipTransfer": (
        pb.LeadershipTransferRequest,
        pb.LeadershipTransferResponse,
    ),
}


class _Servicer:
    def __init__(
        self,
        service: str,
        calls: Mapping[str, tuple[type[Message], type[Message]]],
        answer: Answer,
    ) -> None:
        self._service = service
        self._calls = calls
        self._answer = answer

    def __mapping__(self) -> dict[str, Handler]:
        return {
            f"/{self._service}/{name}": Handler(
                self._serving(name), Cardinality.UNARY_UNARY, request, reply
            )
            for name, (request, reply) in self._calls.items()
        }

    def _serving(self, name: str) -> Callable[[Stream[Any, Any]], Coroutine[Any, Any, None]]:
        async def serve(stream: Stream[Any, Any]) -> None:
            reply = await self._answer(name, await stream.recv_message())
            if reply is None:
                await stream.cancel()
            else:
                await stream.send_message(reply)

        return serve


class RelayNodes:
    """The servers, all on ``port``, which is free at ``address``, on one event loop in a thread of
    its own."""

    def __init__(self, address: str) -> None:
        self.address = address
        with socket.create_server((address, 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay-nodes")
        self._thread.start()
        self._servers: dict[str, Server] = {}

    def serve(
        self,
        address: str,
        answer: Answer,
        *,
        calls: Mapping[str, tuple[type[Message], type[Message]]] = ALL,
        service: str = "game_relay.GameRelay",
    ) -> None:
        """Start a server at ``address``."""
        self._servers[address] = self._run(self._start(address, service, calls, answer))

    def stop(self, address: str) -> None:
        """End the server at ``address``; connections are refused from now on."""
        self._run(self._stop(self._servers.pop(address)))

    def close(self) -> None:
        """End them all."""
        for address in list(self._servers):
            self.stop(address)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(
        self,
        address: str,
        service: str,
        calls: Mapping[str, tuple[type[Message], type[Message]]],
        answer: Answer,
    ) -> Server:
        server = Server([_Servicer(service, calls, answer)])
        await server.start(address, self.port)
        return server

    async def _stop(self, server: Server) -> None:
        server.close()
        await server.wait_closed()


class Script:
    """An :data:`Answer`. ``status``: what it says of itself. ``replies``: to each change, a
    message, an error, or ``None`` for a lost reply; a list is used up one by one. ``asked``: the
    changes that reached it, with their requests."""

    def __init__(
        self,
        status: pb.RaftStatusResponse | GRPCError,
        replies: Mapping[str, Message | GRPCError | None] | None = None,
        *,
        seconds: float = 0.0,
    ) -> None:
        self.status = status
        self.replies = dict(replies or {})
        self.asked: list[tuple[str, Any]] = []
        self._seconds = seconds

    async def __call__(self, call: str, request: Any) -> Message | None:
        await asyncio.sleep(self._seconds)
        if call == "GetRaftStatus":
            return _said(self.status)
        self.asked.append((call, request))
        return _said(self.replies[call])


def _said(reply: Message | GRPCError | None) -> Message | None:
    if isinstance(reply, GRPCError):
        raise reply
    return reply


def member(node_id: str, address: str, *, learner: bool = False) -> pb.RaftMember:
    """One entry of a status."""
    return pb.RaftMember(node_id=node_id, grpc_addr=f"{address}:50051", is_learner=learner)
