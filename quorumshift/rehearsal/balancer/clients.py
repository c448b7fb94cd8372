"""A client's connection: requests one after the other, each decided on by itself."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from quorumshift.rehearsal.balancer.exchange import Exchange
from quorumshift.rehearsal.balancer.heads import LONGEST_HEAD, BadHead, Request, read_request
from quorumshift.rehearsal.balancer.routing import Router, choose_target

if TYPE_CHECKING:
    from quorumshift.rehearsal.balancer import state
    from quorumshift.rehearsal.balancer.counters import BalancerCounters


class Listener:
    """A port. ``router`` is replaced whole when rules change: the next request meets the new one,
    connections do not notice."""

    def __init__(self, spec: state.Listener, router: Router, counters: BalancerCounters) -> None:
        self.spec = spec
        self.router = router
        self.counters = counters
        self.port = str(spec.port).encode()
        self.closed = False
        self.clients: set[Client] = set()
        self.server: asyncio.Server | None = None

    async def open(self, address: str) -> None:
        """Begin to listen. Raises ``OSError``."""
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(
            lambda: Client(self), address, self.spec.port, backlog=512
        )

    def close(self) -> None:
        """Stop listening; clients that wait are sent away, requests under way finish."""
        self.closed = True
        if self.server is not None:
            self.server.close()
        for client in list(self.clients):
            if client.exchange is None:
                client.transport.close()

    def sweep(self) -> None:
        """Close what has not moved for the idle time-out."""
        before = time.monotonic() - self.spec.idle_timeout
        for client in list(self.clients):
            client.expire(before)


class Client(asyncio.Protocol):
    """The load balancer's side of a connection from a client.

    ``buffer``: bytes read and not passed on yet. ``keeps``: the connection outlives the answer
    that is being given.
    """

    __slots__ = (
        "_paused",
        "address",
        "buffer",
        "exchange",
        "keeps",
        "listener",
        "touched",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.exchange: Exchange | None = None
        self.buffer = b""
        self.keeps = True
        self.address = b""
        self.touched = time.monotonic()
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.address = transport.get_extra_info("peername")[0].encode()
        self.listener.clients.add(self)

    def data_received(self, data: bytes) -> None:
        if self.exchange is not None:
            self.exchange.from_client(data)
        else:
            self.buffer += data
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self.listener.clients.discard(self)
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            exchange.client_lost()

    def pause_writing(self) -> None:
        if self.exchange is not None and self.exchange.connection is not None:
            self.exchange.connection.hold(True)

    def resume_writing(self) -> None:
        if self.exchange is not None and self.exchange.connection is not None:
            self.exchange.connection.hold(False)

    def hold(self, paused: bool) -> None:
        """Stop or go on reading."""
        if paused is not self._paused and not self.transport.is_closing():
            self._paused = paused
            if paused:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def keep(self, data: bytes) -> None:
        """Hold on to bytes whose turn has not come."""
        self.buffer += data
        if len(self.buffer) > LONGEST_HEAD:
            self.hold(True)

    def take(self) -> bytes:
        """What was kept, to be passed on now."""
        data, self.buffer = self.buffer, b""
        self.hold(False)
        return data

    def done(self) -> None:
        """The answer is given: on to the next request, or close."""
        self.exchange = None
        self.touched = time.monotonic()
        if not self.keeps or self.listener.closed:
            self.transport.close()
            return
        self.hold(False)
        if self.buffer:
            asyncio.get_running_loop().call_soon(self._next)

    def refuse(self, status: int) -> None:
        """Answer as the load balancer itself."""
        own = self.listener.counters.own
        own[status] = own.get(status, 0) + 1
        phrase = HTTPStatus(status).phrase
        page = f"<html><head><title>{status} {phrase}</title></head></html>\r\n"
        self.answer(status, page.encode(), "text/html")

    def answer(self, status: int, body: bytes, content_type: str) -> None:
        """Write a whole answer."""
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nServer: awselb/2.0\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
            f"Connection: {'keep-alive' if self.keeps else 'close'}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)

    def expire(self, before: float) -> None:
        """End what has not moved since ``before``."""
        if self.exchange is not None:
            if self.exchange.touched < before:
                self.exchange.expire()
        elif self.touched < before:
            self.transport.close()

    def _next(self) -> None:
        if self.exchange is not None or self.transport.is_closing():
            return
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > LONGEST_HEAD:
                self._reject(400)
            return
        head, self.buffer = self.buffer[:end], self.buffer[end + 4 :]
        try:
            request = read_request(head.lstrip(b"\r\n"))
        except BadHead as error:
            self._reject(error.status)
            return
        self._serve(request)

    def _reject(self, status: int) -> None:
        self.keeps = False
        self.refuse(status)
        self.transport.close()

    def _serve(self, request: Request) -> None:
        forward = self.listener.router.route(request)
        group = forward.choose(request) if forward is not None else None
        target = choose_target(group, request) if group is not None else None
        if forward is not None and group is not None and target is not None:
            self.listener.counters.requests += 1
            group.counters.requests += 1
            self.exchange = Exchange(self, request, forward, target)
            self.exchange.start()
            return
        self.keeps = request.keep and request.framing.done
        if forward is not None and forward.action.status:
            action = forward.action
            self.answer(action.status, action.body.encode(), action.content_type)
        else:
            self.refuse(503)
        self.done()
