"""The front of a node: HTTP and WebSocket on port 8080."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from quorumshift.rehearsal.service.forward import PATIENCE_SECONDS, NotServed, Store
from quorumshift.rehearsal.service.gateway import Invalid
from quorumshift.rehearsal.service.health import Health
from quorumshift.rehearsal.service.node import HTTP_PORT, Node
from quorumshift.rehearsal.service.sockets import Sockets

SLOW_SECONDS = 1.5
LINGER_SECONDS = 0.3
"""How long a front that was told to end goes on taking requests: who sends them has learnt from
the health check, or from ``Connection: close``, that it should not."""
_FINISH_SECONDS = PATIENCE_SECONDS + 1
_PAGE = 500

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Front:
    """Every answer tells the version and the node, in the headers and in the JSON.

    ``GET /health``: whether this node works.
    ``GET``/``PUT /kv/<key>``: read, write (the body is the value).
    ``GET /kv?prefix=&after=&limit=``: many keys, in order. ``/ws``: a WebSocket.
    """

    def __init__(
        self, node: Node, store: Store, health: Health, sockets: Sockets, port: int = HTTP_PORT
    ) -> None:
        self._node = node
        self._store = store
        self._node_health = health
        self._sockets = sockets
        self._port = port
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
        app.router.add_get("/ws", self._sockets.serve)
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=_FINISH_SECONDS
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, self._node.address, self._port, backlog=1024).start()

    async def drain(self, linger: float = LINGER_SECONDS) -> None:
        """Finish what is under way and close: health first, then the port, then WebSockets.

        ``linger``: seconds for which requests are still taken.
        """
        self._node_health.draining = True
        await self._sockets.drain()
        await asyncio.sleep(linger)
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
        if self._node_health.draining:
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
        fault = self._node_health.fault()
        return (
            self._answer(200) if fault is None else self._answer(fault.status, error=fault.reason)
        )

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

    async def _close_sockets(self, _app: web.Application) -> None:
        await self._sockets.close()
