"""Players, on their WebSockets: JSON texts in both directions.

From a player: ``{"type": "Command", "id": key, "value": text}``, as many at once as they like. To a
player: ``Welcome`` first; ``Ack`` {id} once a command's value is on a majority's disks, or ``Nack``
{id, reason}; ``Shutdown`` when the node was taken out of the cluster, or is told to end, with time
to open a connection elsewhere;
``Error`` {reason} for what is no command.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict
from typing import Any

from aiohttp import web

from quorumshift.rehearsal.service.forward import NotServed, Store
from quorumshift.rehearsal.service.front import SLOW_SECONDS
from quorumshift.rehearsal.service.gateway import Invalid
from quorumshift.rehearsal.service.node import Node
from quorumshift.rehearsal.service.sockets import Sockets

_AT_ONCE = 64
"""Commands of one player that are under way; more are read when one of them is done."""
_FINISH_SECONDS = 0.3
"""For commands under way when a socket is about to be closed."""
_CLOSE_SECONDS = 0.3
_TELL_SECONDS = 0.2

Socket = web.WebSocketResponse
Commands = dict[asyncio.Task[None], str]


class NotACommand(Exception):
    """The message says what is wrong with a text."""


class Players(Sockets):
    """All of a node. Its commands go to ``store``."""

    def __init__(self, node: Node, store: Store) -> None:
        super().__init__(node, close_seconds=_CLOSE_SECONDS)
        self._store = store
        self._slow = node.behaviour == "slow"
        self._commands: defaultdict[Socket, Commands] = defaultdict(dict)

    async def drain(self) -> None:
        """Tell everybody to go elsewhere; who is slow to hear it is not waited for."""
        await super().drain()
        told = [asyncio.create_task(self._tell_shutdown(each)) for each in tuple(self._open)]
        if told:
            await asyncio.wait(told, timeout=_TELL_SECONDS)

    async def send_on(self, seconds: float) -> None:
        """Tell those who are here to go elsewhere, one after the other over this time, so that they
        do not all come to the same door at once. Who comes later may stay."""
        here = tuple(self._open)
        for each in here:
            await self._tell_shutdown(each)
            await asyncio.sleep(seconds / len(here))

    async def _opened(self, socket: Socket) -> None:
        await socket.send_json({"type": "Welcome", **self._about})
        if self.draining:
            await self._tell_shutdown(socket)

    async def _heard(self, socket: Socket, text: str) -> None:
        try:
            key, value = read_command(text)
        except NotACommand as error:
            await socket.send_json({"type": "Error", "reason": str(error)})
            return
        under_way = self._commands[socket]
        command = asyncio.create_task(self._do(socket, key, value))
        under_way[command] = key
        command.add_done_callback(lambda done: under_way.pop(done, None))
        if len(under_way) >= _AT_ONCE:
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)

    async def _do(self, socket: Socket, key: str, value: str) -> None:
        if self._slow:
            await asyncio.sleep(SLOW_SECONDS)
        try:
            await self._store.put(key, value)
        except (NotServed, Invalid) as error:
            await _send(socket, {"type": "Nack", "id": key, "reason": str(error)})
        else:
            await _send(socket, {"type": "Ack", "id": key})

    async def _last_word(self, socket: Socket) -> None:
        """Let commands finish; those that do not are refused rather than left without a word."""
        under_way = dict(self._commands.get(socket, {}))
        if not under_way:
            return
        _, late = await asyncio.wait(under_way, timeout=_FINISH_SECONDS)
        for command in late:
            command.cancel()
            reason = "the node was told to end; whether it was written is not known"
            await _send(socket, {"type": "Nack", "id": under_way[command], "reason": reason})

    def _ended(self, socket: Socket) -> None:
        for command in self._commands.pop(socket, {}):
            command.cancel()

    async def _tell_shutdown(self, socket: Socket) -> None:
        await _send(socket, {"type": "Shutdown", **self._about})


def read_command(text: str) -> tuple[str, str]:
    """Key and value of a command. Raises :class:`NotACommand`."""
    try:
        told = json.loads(text)
    except ValueError:
        raise NotACommand("the text is not JSON") from None
    if not isinstance(told, dict) or told.get("type") != "Command":
        raise NotACommand('the text is not {"type": "Command", "id": …, "value": …}')
    key, value = told.get("id"), told.get("value")
    if not isinstance(key, str) or not key or not isinstance(value, str):
        raise NotACommand("a command needs an id that is not empty and a value, both texts")
    return key, value


async def _send(socket: Socket, message: dict[str, Any]) -> None:
    """Say it, unless the player has gone."""
    if not socket.closed:
        with contextlib.suppress(ConnectionResetError):
            await socket.send_json(message)
