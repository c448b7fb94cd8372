"""A real load balancer process with real targets around it, for tests."""

from __future__ import annotations

import asyncio
import functools
import json
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from quorumshift.domain.data import to_json
from quorumshift.rehearsal.balancer import state
from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.world import World

PORT = 8080
LISTENER = "arn:listener"


@dataclass
class Backend:
    """A target: answers its name, counts, and misbehaves when told to."""

    name: str
    address: str
    status: int = 200
    delay: float = 0.0
    served: int = 0
    connections: int = 0
    runner: web.AppRunner | None = None
    seen: list[dict[str, str]] = field(default_factory=list)

    async def start(self) -> None:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_get("/health", self._health)
        app.router.add_get("/ws", self._socket)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, self.address, PORT).start()

    async def stop(self) -> None:
        if self.runner is not None:
            await self.runner.cleanup()
            self.runner = None

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response(status=self.status, text=self.name)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.seen.append({**request.headers, "path": request.path})
        if self.delay:
            await asyncio.sleep(self.delay)
        self.served += 1
        if request.path == "/stream":
            answer = web.StreamResponse()
            answer.enable_chunked_encoding()
            await answer.prepare(request)
            for at in range(20):
                await answer.write(bytes([at]) * 50_000)
            return answer
        if request.path == "/cut":
            assert request.transport is not None
            request.transport.abort()
        headers = {"X-Target": self.name}
        return web.Response(body=body or self.name.encode(), headers=headers)

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        link = web.WebSocketResponse()
        await link.prepare(request)
        await link.send_str(self.name)
        async for message in link:
            await link.send_str(message.data)
        return link


class Rig:
    """The process, its standard input, and all that it has said."""

    def __init__(self, folder: Path, speed: float = 60) -> None:
        self.world = World(block=take_block(), speed=speed, directory=folder)
        self.groups: dict[str, state.Group] = {}
        self.rules: tuple[state.Rule, ...] = ()
        self.idle_timeout = 60.0
        self.said: list[dict[str, Any]] = []
        self.version = 0
        self.backends: list[Backend] = []
        self._heard = asyncio.Condition()

    async def __aenter__(self) -> Rig:
        self.process = self.world.processes.python(
            "quorumshift.rehearsal.balancer",
            "--address",
            self.world.block.balancer,
            "--speed",
            str(self.world.speed),
            log=self.world.directory / "balancer.log",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        self._pipe, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self.process.stdout
        )
        self._listening = loop.create_task(self._listen(reader))
        await self.until(lambda: self.heard("ready"))
        return self

    async def __aexit__(self, *_: object) -> None:
        for backend in self.backends:
            await backend.stop()
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert await asyncio.to_thread(self.process.wait, 5) == 0
        self._listening.cancel()
        self._pipe.close()
        self.world.processes.close()
        self.world.block.lock.close()

    @property
    def url(self) -> str:
        return f"http://{self.world.block.balancer}:{PORT}"

    async def backend(self, number: int, name: str, **how: Any) -> Backend:
        backend = Backend(name, self.world.block.task(number), **how)
        self.backends.append(backend)
        await backend.start()
        return backend

    def group(self, name: str, *addresses: str, **how: Any) -> None:
        health = state.HealthCheck("/health", 0, 30.0, 5.0, 2, 3, "200")
        targets = tuple(state.Target(address, PORT, how.pop("again", 1)) for address in addresses)
        values: dict[str, Any] = {
            "arn": name,
            "name": name,
            "balancer": "app/lb/1",
            "used": True,
            "delay": 30.0,
            "sticky": 0.0,
            "health": health,
            "targets": targets,
        }
        self.groups[name] = state.Group(**(values | how))

    def weights(self, sticky: float = 0.0, **weights: int) -> None:
        shares = tuple(state.Share(name, weight) for name, weight in weights.items())
        action = state.Action(shares, sticky, 0, "", "")
        self.rules = (state.Rule((), action),)

    async def apply(self, listeners: bool = True) -> None:
        """Send the desired state and wait until it is in force."""
        self.version += 1
        listener = state.Listener(LISTENER, "app/lb/1", PORT, self.idle_timeout, self.rules)
        desired = state.Desired((listener,) if listeners else (), tuple(self.groups.values()))
        order = {"version": self.version, "desired": to_json(desired)}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()
        await self.until(lambda: self.applied() is not None)

    def applied(self) -> dict[str, Any] | None:
        return next((one for one in self.heard("applied") if one["version"] == self.version), None)

    def heard(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.said if message["kind"] == kind]

    def health(self, address: str) -> list[str]:
        """The states that a target went through."""
        return [one["state"] for one in self.heard("health") if one["id"] == address]

    async def healthy(self, *addresses: str) -> None:
        for address in addresses:
            await self.until(functools.partial(self._well, address))

    def _well(self, address: str) -> bool:
        return self.health(address)[-1:] == ["healthy"]

    async def until(self, holds: Any, seconds: float = 10) -> None:
        async with asyncio.timeout(seconds), self._heard:
            await self._heard.wait_for(holds)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            async with self._heard:
                self.said.append(json.loads(line))
                self._heard.notify_all()


def listen(address: str, port: int) -> socket.socket:
    """Somebody else who listens there."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((address, port))
    holder.listen()
    return holder
