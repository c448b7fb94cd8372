"""A small game server for tests of the players: it speaks their protocol, and misbehaves when told
to."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

Spoil = Callable[[int, str], str]
"""``spoil(number, id)``: what to do instead of an honest answer to this command, see ``_answer``.
``number``: how many came before it."""


@dataclass
class Arcade:
    """It tells version and node to whoever connects, and keeps what it is told in ``store``.

    ``spoil``: see there. ``silent``: how many more connections get no Welcome. ``refusing``: new
    connections get 503. ``linger``: seconds for which an answer waits. ``heard``: the ids of all
    commands, in order, with the node that each connection was welcomed by. ``cookies``: those of
    each handshake; ``cookie``: what is set by each.
    """

    address: str
    port: int = 0
    version: str = "1"
    node: str = "a"
    store: dict[str, str] = field(default_factory=dict)
    spoil: Spoil = lambda _number, _id: ""
    silent: int = 0
    refusing: bool = False
    linger: float = 0.0
    cookie: str = ""
    heard: list[tuple[str, str]] = field(default_factory=list)
    cookies: list[dict[str, str]] = field(default_factory=list)
    open: dict[web.WebSocketResponse, str] = field(default_factory=dict)

    def __enter__(self) -> Arcade:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="arcade")
        self._thread.start()
        self._do(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"

    def drain(self) -> None:
        """Say ``Shutdown`` on what is open. Who comes now meets ``version`` and ``node``."""
        self._do(self._say_shutdown())

    def drop(self) -> int:
        """Break every connection off without a word; returns how many."""
        return int(self._do(self._break_off()))

    def close(self, node: str) -> None:
        """Close the connections that ``node`` welcomed, in due form."""
        self._do(self._close(node))

    def _do(self, deed: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(deed, self._loop).result(10)

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get("/health", self._health)
        app.router.add_get("/ws", self._serve)
        app.router.add_get("/kv", self._page)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.address, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response(text="OK")

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.cookies.append(dict(request.cookies))
        if self.refusing:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        if self.cookie:
            socket.set_cookie("sticky", self.cookie)
        await socket.prepare(request)
        node = self.node
        if self.silent:
            self.silent -= 1
            await socket.receive()
            return socket
        about = {"version": self.version, "node": node}
        self.open[socket] = node
        try:
            await socket.send_json({"type": "Welcome", **about})
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._answer(socket, node, json.loads(message.data))
        except ConnectionResetError:
            pass
        finally:
            del self.open[socket]
        return socket

    async def _answer(self, socket: web.WebSocketResponse, node: str, said: Any) -> None:
        """``nack``: refuse; ``lose``: acknowledge what is not kept; ``garble``: keep another value;
        ``mute``: keep it and say nothing; ``drop``: keep it and break off; ``twice``: acknowledge
        it twice; ``noise``: say something else before."""
        assert said["type"] == "Command"
        how = self.spoil(len(self.heard), said["id"])
        self.heard.append((said["id"], node))
        if self.linger:
            await asyncio.sleep(self.linger)
        if how not in ("nack", "lose"):
            self.store[said["id"]] = "wrong" if how == "garble" else said["value"]
        if how == "drop":
            self._abort(socket)
            return
        if how == "noise":
            await socket.send_str("no JSON")
            await socket.send_json({"type": "Scores", "of": [1, 2, 3]})
            await socket.send_bytes(b"\0")
        if how == "nack":
            await socket.send_json(
                {"type": "Nack", "id": said["id"], "reason": "the snake is dead"}
            )
        elif how != "mute":
            for _ in range(2 if how == "twice" else 1):
                await socket.send_json({"type": "Ack", "id": said["id"]})

    async def _page(self, request: web.Request) -> web.Response:
        query = request.query
        limit = int(query["limit"])
        wanted = sorted(
            key
            for key in self.store
            if key.startswith(query["prefix"]) and key > query.get("after", "")
        )
        items = {key: self.store[key] for key in wanted[:limit]}
        return web.json_response({"items": items, "more": len(wanted) > limit})

    async def _say_shutdown(self) -> None:
        for socket in tuple(self.open):
            await socket.send_json({"type": "Shutdown"})

    async def _break_off(self) -> int:
        broken = tuple(self.open)
        for socket in broken:
            self._abort(socket)
        return len(broken)

    async def _close(self, node: str) -> None:
        wanted = [socket for socket, by in self.open.items() if by == node]
        await asyncio.gather(*(socket.close(code=1011) for socket in wanted))

    def _abort(self, socket: web.WebSocketResponse) -> None:
        transport = socket._req.transport if socket._req is not None else None
        if transport is not None:
            transport.abort()
