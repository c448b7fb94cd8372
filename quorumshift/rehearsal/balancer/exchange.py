"""One request on its way to a target, and the answer on its way back.

How ALB answers when something fails, and so this one:

- the target refuses the connection: ALB answers 502. This one is kinder: no byte of the request
  has left, so it asks the group's other targets first, each once; only then 502. The refusal is
  counted (TargetConnectionErrorCount), so that it is seen all the same.
- no connection within ten seconds, or no answer within the idle time-out: 504.
- the target closes the connection while the request is under way, or answers nonsense: 502. Once a
  byte of the request has left, it is never sent again.
- the target goes away in the middle of its answer: the client's connection is closed.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from quorumshift.rehearsal.balancer.framing import BadFraming
from quorumshift.rehearsal.balancer.heads import (
    LONGEST_HEAD,
    BadHead,
    Request,
    Response,
    read_response,
)
from quorumshift.rehearsal.balancer.routing import Forward
from quorumshift.rehearsal.balancer.targets import Target, TargetConnection

if TYPE_CHECKING:
    from quorumshift.rehearsal.balancer.clients import Client


class Exchange:
    """``sent``: the request is on its way. ``tunnel``: a WebSocket; bytes pass as they are."""

    __slots__ = (
        "_began",
        "_connecting",
        "_head",
        "_response",
        "client",
        "connection",
        "forward",
        "over",
        "request",
        "target",
        "touched",
        "tunnel",
    )

    def __init__(self, client: Client, request: Request, forward: Forward, target: Target) -> None:
        self.client = client
        self.request = request
        self.forward = forward
        self.target = target
        self.connection: TargetConnection | None = None
        self.tunnel = False
        self.over = False
        self.touched = time.monotonic()
        self._began = 0.0
        self._head = b""
        self._response: Response | None = None
        self._connecting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Send the request, at once if an idle connection waits."""
        connection = self.target.take_idle()
        if connection is not None:
            self._send(connection)
        else:
            self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        target: Target | None = self.target
        tried: set[Target] = set()
        status = 502
        while target is not None:
            try:
                connection = target.take_idle() or await target.connect(target.group.source)
            except OSError as error:
                target.group.counters.refused += 1
                status = 504 if isinstance(error, TimeoutError) else 502
                tried.add(target)
                target = target.group.pick(tried)
                continue
            if self.over:
                target.give_back(connection)
            else:
                self.target = target
                self._send(connection)
            return
        if not self.over:
            self._fail(status)

    def _send(self, connection: TargetConnection) -> None:
        self.connection = connection
        connection.exchange = self
        client = self.client
        head = self.request.to_target(client.address, client.listener.port)
        self.touched = self._began = time.monotonic()
        if client.buffer and not self.request.framing.done:
            self._pass_body(client.take(), head)
        else:
            connection.transport.write(head)

    def from_client(self, data: bytes) -> None:
        """More of the request, or already the next one."""
        if self.tunnel and self.connection is not None:
            self.touched = time.monotonic()
            self.connection.transport.write(data)
        elif self.connection is None or self.request.framing.done:
            self.client.keep(data)
        else:
            self.touched = time.monotonic()
            self._pass_body(data)

    def _pass_body(self, data: bytes, head: bytes = b"") -> None:
        assert self.connection is not None
        framing = self.request.framing
        try:
            end = framing.feed(data, 0)
        except BadFraming:
            self._fail(400)
            return
        if end < len(data):
            self.client.keep(data[end:])
            data = data[:end]
        self.connection.transport.write(head + data if head else data)

    def from_target(self, data: bytes) -> None:
        """More of the answer."""
        self.touched = time.monotonic()
        if self.tunnel:
            self.client.transport.write(data)
        elif self._response is not None:
            self._pass_answer(b"", data)
        else:
            self._head += data
            try:
                self._read_heads()
            except BadHead:
                self._fail(502)

    def _read_heads(self) -> None:
        while self._response is None:
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                if len(self._head) > LONGEST_HEAD:
                    raise BadHead(502, "the answer's head is too long")
                return
            head, rest = self._head[:end], self._head[end + 4 :]
            response = read_response(head, self.request.method)
            if response.status < 200 and response.status != 101:
                self.client.transport.write(head + b"\r\n\r\n")  # 100 Continue and the like
                self._head = rest
                continue
            self._head = b""
            self._begin_answer(response, rest)

    def _begin_answer(self, response: Response, rest: bytes) -> None:
        client, request = self.client, self.request
        group = self.target.group
        group.counters.answered(response.status, self.touched - self._began)
        if response.status == 101 and not request.upgrade:
            raise BadHead(502, "an upgrade that nobody asked for")
        self._response = response
        self.tunnel = response.status == 101
        client.keeps = (
            request.keep
            and not response.endless
            and request.framing.done
            and not client.listener.closed
        )
        head = response.to_client(
            client.keeps, request.modern, self.forward.cookies(self.target, group.speed)
        )
        if self.tunnel:
            client.transport.write(head + rest)
            if client.buffer and self.connection is not None:
                self.connection.transport.write(client.take())
        else:
            self._pass_answer(head, rest)

    def _pass_answer(self, head: bytes, data: bytes) -> None:
        assert self._response is not None
        framing = self._response.framing
        try:
            end = framing.feed(data, 0)
        except BadFraming:
            self._break()
            return
        clean = end == len(data)
        if not clean:
            data = data[:end]
        if head or data:
            self.client.transport.write(head + data)
        if framing.done:
            self._finish(clean and self._response.reusable and self.request.framing.done)

    def _finish(self, reusable: bool) -> None:
        connection, self.connection = self.connection, None
        self.over = True
        if connection is not None:
            if reusable:
                self.target.give_back(connection)
            else:
                connection.close()
        self.client.done()

    def _fail(self, status: int) -> None:
        """Answer in the target's stead, or break off if its answer has begun."""
        if self._response is not None:
            self._break()
            return
        self.over = True
        self._drop()
        self._answer(status)

    def _answer(self, status: int) -> None:
        client = self.client
        client.keeps = self.request.keep and self.request.framing.done
        client.refuse(status)
        client.done()

    def _break(self) -> None:
        self.over = True
        self._drop()
        self.client.transport.abort()

    def _drop(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.exchange = None
            connection.abort()

    def target_lost(self) -> None:
        """The target's side is closed."""
        self.connection = None
        response = self._response
        if self.over:
            return
        self.over = True
        if response is None:
            self._answer(502)
        elif self.tunnel or response.endless:
            self.client.transport.close()
        else:
            self.client.transport.abort()

    def client_lost(self) -> None:
        """The client's side is closed; nobody wants the answer."""
        self.over = True
        connection, self.connection = self.connection, None
        if connection is not None:
            if self.tunnel:
                connection.close()
            else:
                connection.exchange = None
                connection.abort()

    def expire(self) -> None:
        """Nothing has moved for longer than the idle time-out."""
        self._fail(504)
