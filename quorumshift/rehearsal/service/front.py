"""The front of a node: HTTP and WebSocket on port 8080."""

from __future__ import annotations

import asyncio
import json
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from quorumshift.rehearsal.service.forward import PATIENCE_SECONDS, NotServed, Store
from quorumshift.rehearsal.service.gateway import Invalid
from quorumshift.rehearsal.service.node import HTTP_PORT, Node

SLOW_SECONDS = 1.5
LINGER_SECONDS = 0.3
"""How long a front that was told to end goes on taking requests: who sends them has learnt from
the health check, or from ``Connection: close``, that it should not."""
_FINISH_SECONDS = PATIENCE_SECONDS + 1
_PAGE = 500

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Front:
    """Every answer tells the version and the node, in the headers and in the JSON.

    ``GET /health``: 200 once the node has seen a leader. It tells whether *this node* works, not
    whether the cluster has a leader at the moment: otherwise one election would make every node
    unhealthy at once, and all of them would be replaced.
    ``GET``/``PUT /kv/<key>``: read, write (the body is the value).
    ``GET /kv?prefix=&after=&limit=``: many keys, in order. ``/ws``: echo.
    """

    def __init__(self, node: Node, store: Store, serves: Callable[[], str | None]) -> None:
        """``serves`` returns why the node cannot serve yet, ``None`` once it can."""
        self._node = node
        self._store = store
        self._serves = serves
        self._draining = False
        self._sockets: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()
        self._runner: web.AppRunner | None = None
        self._marks = {"X-Version": node.version, "X-Node": node.address}

    async def start(self) -> None:
        """Listen. Raises ``OSError`` when the port is taken."""
        app = web.Application(client_max_size=1 << 20)
        app.on_shutdown.append(self._close_sockets)
        app.router.add_get("/health", self._health)
        app.router.add_get("/kv", self._data(self._page))
        app.router.add_get("/kv/{key}", self._data(self._get))
        app.router.add_put("/kv/{key}", self._data(self._put))
        app.router.add_get("/ws", self._echo)
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=_FINISH_SECONDS
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, self._node.address, HTTP_PORT, backlog=1024).start()

    async def drain(self) -> None:
        """Finish what is under way and close: health first, then the port, then WebSockets."""
        self._draining = True
        await asyncio.sleep(LINGER_SECONDS)
        if self._runner is not None:
            await self._runner.cleanup()

    def _answer(self, status: int, **fields: Any) -> web.Response:
        body = {**fields, "version": self._node.version, "node": self._node.address}
        response = web.Response(
            status=status,
            body=json.dumps(body).encode(),
            headers=self._marks,
            content_type="application/json",
        )
        if self._draining:
            response.force_close()
        return response

    def _data(self, handler: Handler) -> Handler:
        slow = self._node.behaviour == "slow"

        async def handle(request: web.Request) -> web.StreamResponse:
            if slow:
                await asyncio.sleep(SLOW_SECONDS)
            try:
                return await handler(request)
            except NotServed as error:
                return self._answer(503, error=str(error))
            except (Invalid, ValueError) as error:
                return self._answer(400, error=str(error))

        return handle

    async def _health(self, _request: web.Request) -> web.Response:
        if self._node.behaviour == "unhealthy":
            return self._answer(500, error="this version was made to fail its health check")
        if self._draining:
            return self._answer(503, error="shutting down")
        missing = self._serves()
        return self._answer(200) if missing is None else self._answer(503, error=missing)

    async def _put(self, request: web.Request) -> web.Response:
        key = request.match_info["key"]
        revision = await self._store.put(key, await request.text())
        return self._answer(200, key=key, revision=revision)

    async def _get(self, request: web.Request) -> web.Response:
        key = request.match_info["key"]
        value = await self._store.get(key)
        if value is None:
            return self._answer(404, key=key, error="no such key")
        return self._answer(200, key=key, value=value)

    async def _page(self, request: web.Request) -> web.Response:
        query = request.query
        limit = int(query.get("limit", _PAGE))
        if not 1 <= limit <= _PAGE:
            return self._answer(400, error=f"limit is {limit}; allowed: 1 to {_PAGE}")
        page = await self._store.page(query.get("prefix", ""), query.get("after", ""), limit)
        return self._answer(200, items=page.items, more=page.more)

    async def _echo(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=30)
        socket.headers.update(self._marks)
        await socket.prepare(request)
        self._sockets.add(socket)
        if self._draining:
            await self._say_goodbye(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_json({"echo": message.data, **self._about()})
        return socket

    def _about(self) -> dict[str, str]:
        return {"version": self._node.version, "node": self._node.address}

    async def _close_sockets(self, _app: web.Application) -> None:
        await asyncio.gather(*(self._say_goodbye(socket) for socket in list(self._sockets)))

    async def _say_goodbye(self, socket: web.WebSocketResponse) -> None:
        if not socket.closed:
            await socket.send_json({"type": "Shutdown", **self._about()})
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"Shutdown")
