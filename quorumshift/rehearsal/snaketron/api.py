"""The HTTP API of a node: as much of it as a load balancer needs."""

from __future__ import annotations

from aiohttp import web

from quorumshift.rehearsal.service.health import Health


class Api:
    """``GET /api/health``: 200 and ``OK`` when this node works, else the fault."""

    def __init__(self, health: Health, address: str, port: int) -> None:
        self._health = health
        self._address = address
        self._port = port
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises ``OSError`` when the port is taken."""
        app = web.Application()
        app.router.add_get("/api/health", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._address, self._port, backlog=1024).start()

    async def close(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, _request: web.Request) -> web.Response:
        fault = self._health.fault()
        if fault is None:
            return web.Response(text="OK")
        return web.Response(status=fault.status, text=fault.reason)
