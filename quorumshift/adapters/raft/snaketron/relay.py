"""One call to one node's ``game_relay.GameRelay``, over gRPC.

A node is never trusted to speak gRPC: whatever listens on the port may refuse, stay silent, drip
bytes, send something else or send without end. Each of these ends in :class:`NotSent`,
:class:`NoReply` or :class:`Declined` before the deadline, and in nothing else. Plain HTTP/2: the
nodes' security group is what keeps others out.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.message import Message
from grpclib.client import Channel, Handler, Stream, UnaryUnaryMethod
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from grpclib.metadata import decode_grpc_message
from grpclib.protocol import H2Protocol

from quorumshift.adapters.raft.snaketron import game_relay_pb2 as pb

SERVICE = "game_relay.GameRelay"
_MOST_BYTES = 1 << 20
"""More than any connection of ours brings: a member takes about 30 bytes."""
_MOST_TEXT = 160
_TYPE_AT, _SETTINGS = 3, b"\x04"
"""A server's first frame is of this type, which stands here (RFC 9113, sections 3.4 and 4.1)."""
_STRANGER = "it does not speak gRPC"
_LOG = logging.getLogger(__name__)

T = TypeVar("T")
Answered = TypeVar("Answered", bound=Message)


class NotSent(Exception):
    """No connection: the node certainly did not get the request."""


class NoReply(Exception):
    """The request may have reached the node, but no usable answer came back."""


class Declined(Exception):
    """The node answered with a gRPC status other than OK. ``code``: its name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code} {message[:_MOST_TEXT]!r}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Call:
    """One change as it is asked. ``made``: the answer's field that says whether it was made."""

    method: str
    request: Message
    reply: type[Message]
    made: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node answered to a change. ``reason``: why it was not made."""

    made: bool
    reason: str

    def __str__(self) -> str:
        return repr(self.reason[:_MOST_TEXT]) if self.reason else "no, without a reason"


def join(node_id: str, grpc_addr: str) -> Call:
    """Make a node a learner."""
    request = pb.JoinAsLearnerRequest(node_id=node_id, grpc_addr=grpc_addr)
    return Call("RequestJoinAsLearner", request, pb.JoinAsLearnerResponse, "accepted")


def promotion(node_id: str) -> Call:
    """Make a learner a voter."""
    request = pb.PromotionRequest(node_id=node_id)
    return Call("RequestPromotion", request, pb.PromotionResponse, "promoted")


def removal(node_id: str) -> Call:
    """Take a member out (extension)."""
    request = pb.RemovalRequest(node_id=node_id)
    return Call("RequestRemoval", request, pb.RemovalResponse, "removed")


def transfer(node_id: str) -> Call:
    """Hand leadership to this voter (extension)."""
    request = pb.LeadershipTransferRequest(node_id=node_id)
    return Call("RequestLeadershipTransfer", request, pb.LeadershipTransferResponse, "transferred")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` to its end on an event loop of its own."""

    async def main() -> T:
        # Bytes that grpclib cannot make sense of end the call that waits for them, with a reason.
        # What asyncio would print beside it helps nobody.
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: _LOG.debug("%s", context))
        return await work

    return asyncio.run(main())


async def status(address: str, port: int, seconds: float) -> pb.RaftStatusResponse:
    """What the node says of itself. Raises as :func:`change` does."""
    return await _ask(address, port, "GetRaftStatus", pb.Empty(), pb.RaftStatusResponse, seconds)


async def change(address: str, port: int, call: Call, seconds: float) -> Answer:
    """Ask for one change, all within ``seconds``.

    Raises :class:`NotSent`, :class:`NoReply` or :class:`Declined`, with a reason that a person can
    read.
    """
    reply: Any = await _ask(address, port, call.method, call.request, call.reply, seconds)
    return Answer(bool(getattr(reply, call.made)), str(reply.reason))


async def _ask(
    address: str,
    port: int,
    method: str,
    request: Message,
    reply: type[Answered],
    seconds: float,
) -> Answered:
    try:
        ipaddress.ip_address(address)  # a name would be looked up, outside of any deadline
    except ValueError:
        raise NotSent(f"{address!r} is not an IP address") from None
    channel = _Channel(address, port)
    async with channel:
        call = UnaryUnaryMethod[Message, Answered](
            channel, f"/{SERVICE}/{method}", type(request), reply
        )
        # grpclib ends calls by cancelling their task, so each has a task of its own.
        task = asyncio.create_task(_exchange(channel, call, request, seconds))
        done, _ = await asyncio.wait([task], timeout=seconds)
        if not done:
            task.cancel()
            await asyncio.wait([task])
        try:
            answer = task.result()
        except GRPCError as error:
            raise Declined(error.status.name, error.message or "") from None
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 # see the module's text
            why = _reason(error, channel, seconds)
            if channel.sent:
                raise NoReply(f"no usable answer on port {port} ({why})") from None
            raise NotSent(f"no connection to port {port} ({why})") from None
    if answer is None:
        raise NoReply(f"no usable answer on port {port} (an empty one)")
    return answer


async def _exchange(
    channel: _Channel, call: UnaryUnaryMethod[Message, Answered], request: Message, seconds: float
) -> Answered | None:
    async with call.open(timeout=seconds) as stream:
        await stream.send_request()
        channel.sent = True
        await stream.send_message(request, end=True)
        try:
            return await stream.recv_message()
        except GRPCError as error:
            raise _status_told(error, stream) from None


def _status_told(error: GRPCError, stream: Stream[Any, Any]) -> GRPCError:
    """grpclib takes no status from an answer without a content type, which is how its own server,
    and others, say that they do not know a call."""
    headers = dict(stream._stream.headers or ())
    if "content-type" in headers or "grpc-status" not in headers:
        return error
    try:
        told = Status(int(headers["grpc-status"]))
    except ValueError:
        return error
    return GRPCError(told, decode_grpc_message(headers.get("grpc-message", "")))


def _reason(error: BaseException, channel: _Channel, seconds: float) -> str:
    if isinstance(error, TimeoutError | asyncio.CancelledError):
        return f"nothing within {seconds:g} s"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    if channel.ended:
        return channel.ended
    if isinstance(error, AttributeError):  # grpclib has nothing left of a connection that ended
        return "connection lost"
    text = str(error)[:_MOST_TEXT] or type(error).__name__
    if isinstance(error, StreamTerminatedError) and text == "Protocol error":
        return _STRANGER
    return text[:1].lower() + text[1:]


class _Channel(Channel):
    """One connection. ``sent``: a request has gone out on it. ``ended``: why it ended, where that
    is known."""

    sent = False
    ended = ""

    def _protocol_factory(self) -> H2Protocol:
        return _Wary(self, Handler(), self._config, self._h2_config)


class _Wary(H2Protocol):
    """Ends a connection that does not begin as HTTP/2 does, or brings more than we can use.

    A stranger's first words may look like the head of a frame that never comes, and HTTP/2's own
    windows bound nothing: grpclib opens them again as it reads.
    """

    def __init__(self, channel: _Channel, *rest: Any) -> None:
        super().__init__(*rest)
        self._channel = channel
        self._received = 0
        self._head = b""

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        self._head += data[: _TYPE_AT + 1 - len(self._head)]
        if self._head[_TYPE_AT:] not in (b"", _SETTINGS):
            self._end(_STRANGER)
        elif self._received > _MOST_BYTES:
            self._end(f"more than {_MOST_BYTES:,} bytes")
        else:
            super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        if hasattr(self.processor, "processors"):  # else it is closed, and its call knows why
            self._channel.ended = "connection lost"
            super().connection_lost(exc)

    def _end(self, why: str) -> None:
        self._channel.ended = why
        self.processor.close(why)
