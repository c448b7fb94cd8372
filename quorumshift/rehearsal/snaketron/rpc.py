"""The gRPC service ``game_relay.GameRelay`` of one node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar

from google.protobuf.message import Message
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from quorumshift.adapters.raft.snaketron import game_relay_pb2 as pb
from quorumshift.rehearsal.snaketron.changes import Changes
from quorumshift.rehearsal.snaketron.peers import SERVICE
from quorumshift.rehearsal.snaketron.raft import Raft, RaftDown

Request = TypeVar("Request", bound=Message)
Reply = TypeVar("Reply", bound=Message)


class GameRelay:
    """To a node of the first contract what was added is UNIMPLEMENTED."""

    def __init__(self, raft: Raft, changes: Changes, *, extended: bool) -> None:
        self._raft = raft
        self._changes = changes
        self._extended = extended

    def __mapping__(self) -> dict[str, Handler]:
        """What grpclib's server asks for."""
        methods = {
            "GetRaftStatus": _handler(self._status, pb.Empty, pb.RaftStatusResponse),
            "RequestJoinAsLearner": _handler(
                self._join, pb.JoinAsLearnerRequest, pb.JoinAsLearnerResponse
            ),
            "RequestPromotion": _handler(self._promote, pb.PromotionRequest, pb.PromotionResponse),
            "RequestRemoval": _handler(
                self._remove if self._extended else _unknown, pb.RemovalRequest, pb.RemovalResponse
            ),
            "RequestLeadershipTransfer": _handler(
                self._transfer if self._extended else _unknown,
                pb.LeadershipTransferRequest,
                pb.LeadershipTransferResponse,
            ),
        }
        return {f"/{SERVICE}/{name}": handler for name, handler in methods.items()}

    async def _status(self, _: pb.Empty, seconds: float | None) -> pb.RaftStatusResponse:
        return await self._raft.tell(seconds)

    async def _join(self, asked: pb.JoinAsLearnerRequest, _: Any) -> pb.JoinAsLearnerResponse:
        said = await self._changes.join(asked.node_id, asked.grpc_addr)
        return pb.JoinAsLearnerResponse(accepted=said.done, reason=said.reason)

    async def _promote(self, asked: pb.PromotionRequest, _: Any) -> pb.PromotionResponse:
        said = await self._changes.promote(asked.node_id)
        return pb.PromotionResponse(promoted=said.done, reason=said.reason)

    async def _remove(self, asked: pb.RemovalRequest, _: Any) -> pb.RemovalResponse:
        said = await self._changes.remove(asked.node_id)
        return pb.RemovalResponse(removed=said.done, reason=said.reason)

    async def _transfer(
        self, asked: pb.LeadershipTransferRequest, _: Any
    ) -> pb.LeadershipTransferResponse:
        said = await self._changes.transfer(asked.node_id)
        return pb.LeadershipTransferResponse(transferred=said.done, reason=said.reason)


async def _unknown(_asked: Message, _seconds: float | None) -> NoReturn:
    """grpclib's own answer to a method that it does not know lacks a header that clients expect."""
    raise GRPCError(Status.UNIMPLEMENTED, "Method not found")


def _handler(
    answer: Callable[[Request, float | None], Awaitable[Reply]],
    request: type[Request],
    reply: type[Reply],
) -> Handler:
    """``answer`` gets the request and the seconds that its caller still waits, if it said so."""

    async def handle(stream: Stream[Request, Reply]) -> None:
        asked = await stream.recv_message()
        if asked is None:
            raise GRPCError(Status.INVALID_ARGUMENT, "no request was sent")
        seconds = stream.deadline.time_remaining() if stream.deadline else None
        try:
            await stream.send_message(await answer(asked, seconds))
        except RaftDown as error:
            raise GRPCError(Status.UNAVAILABLE, str(error)) from None

    return Handler(handle, Cardinality.UNARY_UNARY, request, reply)
