"""A target and the connections to it.

A connection is reused only while nothing has arrived on it: the kernel is asked right before a
request is sent, so a target that closed an idle connection costs nothing. What remains is the
target that closes in the very moment of sending; ALB answers 502 then ("configure the idle timeout
of your application to be larger than the idle timeout configured for the load balancer"), and so
does this one.
"""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING

from quorumshift.rehearsal.balancer import state

if TYPE_CHECKING:
    from quorumshift.rehearsal.balancer.exchange import Exchange
    from quorumshift.rehearsal.balancer.groups import Group

CONNECT_TIMEOUT = 10.0  # ALB's, in real seconds

INITIAL = ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY = ("healthy", "", "")
DRAINING = (
    "draining",
    "Target.DeregistrationInProgress",
    "Target deregistration is in progress",
)
UNUSED = (
    "unused",
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
GONE = (
    "unused",
    "Target.NotRegistered",
    "Target is not registered to the target group",
)


class Target:
    """One registration of an address in a group.

    ``health``: state, reason and description as DescribeTargetHealth has them. ``active``: the
    connections in use; ``idle``: those that wait, the most recently used last.
    """

    __slots__ = ("active", "failures", "group", "health", "idle", "spec", "successes", "watch")

    def __init__(self, group: Group, spec: state.Target) -> None:
        self.group = group
        self.spec = spec
        self.health = UNUSED
        self.successes = 0
        self.failures = 0
        self.idle: list[TargetConnection] = []
        self.active: set[TargetConnection] = set()
        self.watch: asyncio.Task[None] | None = None

    def take_idle(self) -> TargetConnection | None:
        """A connection that is still good, if there is one."""
        while self.idle:
            connection = self.idle.pop()
            if connection.quiet():
                self.active.add(connection)
                return connection
            connection.close()
        return None

    async def connect(self, source: str) -> TargetConnection:
        """A new connection. Raises ``OSError`` (``TimeoutError`` after ten seconds)."""
        loop = asyncio.get_running_loop()
        link = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            link.setblocking(False)
            link.bind((source, 0))
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await loop.sock_connect(link, (self.spec.id, self.spec.port))
        except BaseException:
            link.close()
            raise
        _, connection = await loop.create_connection(
            lambda: TargetConnection(self, link), sock=link
        )
        self.active.add(connection)
        return connection

    def give_back(self, connection: TargetConnection) -> None:
        """The exchange is over and the connection may serve another."""
        self.active.discard(connection)
        connection.exchange = None
        if self.health is DRAINING or self.health is GONE:
            connection.close()
        else:
            connection.rest()
            self.idle.append(connection)

    def close_idle(self, before: float | None = None) -> None:
        """Close the connections that nobody uses (since ``before``, if given)."""
        stale = [one for one in self.idle if before is None or one.touched < before]
        self.idle = [one for one in self.idle if one not in stale]
        for connection in stale:
            connection.close()

    def cut_tunnels(self) -> None:
        """Close the WebSockets."""
        for connection in list(self.active):
            if connection.exchange is not None and connection.exchange.tunnel:
                connection.abort()

    def cut(self) -> None:
        """Close everything, now."""
        self.close_idle()
        for connection in list(self.active):
            connection.abort()


class TargetConnection(asyncio.Protocol):
    """The load balancer's side of a connection to a target."""

    __slots__ = ("_link", "_paused", "exchange", "target", "touched", "transport")

    transport: asyncio.Transport

    def __init__(self, target: Target, link: socket.socket) -> None:
        self.target = target
        self.exchange: Exchange | None = None
        self.touched = time.monotonic()
        self._link = link
        self._paused = False

    def quiet(self) -> bool:
        """Still open, as far as the kernel knows, and nothing unasked for has come."""
        if self.transport.is_closing():
            return False
        try:
            self._link.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        return False

    def rest(self) -> None:
        """Back to the idle ones."""
        self.touched = time.monotonic()
        self.hold(False)

    def hold(self, paused: bool) -> None:
        """Stop or go on reading, because the client is slow or has caught up."""
        if paused is not self._paused and not self.transport.is_closing():
            self._paused = paused
            if paused:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def close(self) -> None:
        """Close after what is written has left."""
        self.target.active.discard(self)
        self.exchange = None
        self.transport.close()

    def abort(self) -> None:
        """Close now; the exchange learns of it as of a lost connection."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.exchange is None:
            self.transport.abort()  # an answer to nothing
            return
        self.touched = time.monotonic()
        self.exchange.from_target(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.target.active.discard(self)
        if self in self.target.idle:
            self.target.idle.remove(self)
        if self.exchange is not None:
            exchange, self.exchange = self.exchange, None
            exchange.target_lost()

    def pause_writing(self) -> None:
        if self.exchange is not None:
            self.exchange.client.hold(True)

    def resume_writing(self) -> None:
        if self.exchange is not None:
            self.exchange.client.hold(False)
