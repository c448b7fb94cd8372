"""The WebSockets of a front."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod

from aiohttp import WSCloseCode, WSMsgType, web

from quorumshift.rehearsal.service.node import Node

_PING_SECONDS = 30
_CLOSE_SECONDS = 10.0


class Sockets(ABC):
    """All that are open, and what is said on them. ``close_seconds``: how long to wait for the
    other side to agree that a socket is closed."""

    def __init__(self, node: Node, close_seconds: float = _CLOSE_SECONDS) -> None:
        self.draining = False
        self._about = {"version": node.version, "node": node.address}
        self._marks = {"X-Version": node.version, "X-Node": node.address}
        self._close_seconds = close_seconds
        self._open: set[web.WebSocketResponse] = set()

    def __len__(self) -> int:
        return len(self._open)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One WebSocket, from its opening to its end."""
        socket = web.WebSocketResponse(heartbeat=_PING_SECONDS, timeout=self._close_seconds)
        socket.headers.update(self._marks)
        await socket.prepare(request)
        self._open.add(socket)
        try:
            with contextlib.suppress(ConnectionResetError):  # the other side has gone
                await self._opened(socket)
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        await self._heard(socket, message.data)
        finally:
            self._open.discard(socket)
            self._ended(socket)
        return socket

    async def drain(self) -> None:
        """The node was told to end; sockets stay open."""
        self.draining = True

    async def close(self) -> None:
        """Say goodbye on all of them."""
        await asyncio.gather(*(self._say_goodbye(socket) for socket in tuple(self._open)))

    async def _say_goodbye(self, socket: web.WebSocketResponse) -> None:
        if not socket.closed:
            with contextlib.suppress(ConnectionResetError):
                await self._last_word(socket)
                await socket.close(code=WSCloseCode.GOING_AWAY, message=b"Shutdown")

    @abstractmethod
    async def _opened(self, socket: web.WebSocketResponse) -> None:
        """A socket has been opened."""

    @abstractmethod
    async def _heard(self, socket: web.WebSocketResponse, text: str) -> None:
        """A text has come."""

    @abstractmethod
    async def _last_word(self, socket: web.WebSocketResponse) -> None:
        """The socket is about to be closed."""

    def _ended(self, socket: web.WebSocketResponse) -> None:  # noqa: B027 # most have nothing to do
        """The socket is closed."""


class Echo(Sockets):
    """Sends back what it hears, with the version and the node."""

    async def _opened(self, socket: web.WebSocketResponse) -> None:
        if self.draining:
            await self._say_goodbye(socket)

    async def _heard(self, socket: web.WebSocketResponse, text: str) -> None:
        await socket.send_json({"echo": text, **self._about})

    async def _last_word(self, socket: web.WebSocketResponse) -> None:
        await socket.send_json({"type": "Shutdown", **self._about})
