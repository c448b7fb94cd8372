"""One connection of a player, from its Welcome to its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

_TIMEOUT = aiohttp.ClientWSTimeout(ws_close=1.0)
_LONGEST_MESSAGE = 1 << 16
_ENDS = (
    aiohttp.WSMsgType.CLOSE,
    aiohttp.WSMsgType.CLOSING,
    aiohttp.WSMsgType.CLOSED,
    aiohttp.WSMsgType.ERROR,
)


class NoLink(Exception):
    """There is none; the message says why."""


@dataclass(eq=False)
class Link:
    """One connection. ``told``: it heard ``Shutdown``; ``leaving``: the player wants to be rid of
    it; ``owes``: commands without an answer; ``fault``: why it was, or should be, given up."""

    socket: aiohttp.ClientWebSocketResponse
    version: str
    node: str
    since: float
    told: bool = False
    leaving: bool = False
    ended: bool = False
    owes: int = 0
    fault: str = ""

    async def words(self) -> AsyncIterator[dict[str, Any]]:
        """What the node says, until the connection has ended."""
        while (message := await self.socket.receive()).type not in _ENDS:
            yield _read(message)
        self.fault = self.fault or f"closed with {_shown(message)}"

    async def close(self) -> None:
        """In due form; what is still said is not heard."""
        await self.socket.close()


async def open_link(
    session: aiohttp.ClientSession, url: str, clock: Callable[[], float], patience: float
) -> Link:
    """Connect and wait for the Welcome, at most ``patience`` seconds. Raises :class:`NoLink`."""
    try:
        async with asyncio.timeout(patience):
            socket = await session.ws_connect(url, timeout=_TIMEOUT, max_msg_size=_LONGEST_MESSAGE)
            try:
                first = await socket.receive()
            except BaseException:
                await socket.close()
                raise
    except aiohttp.WSServerHandshakeError as error:
        raise NoLink(f"status {error.status}") from None
    except TimeoutError:
        raise NoLink(f"no answer within {patience:.0f} s") from None
    except (aiohttp.ClientError, OSError) as error:
        raise NoLink(f"{type(error).__name__}: {error}") from error
    said = _read(first)
    if said.get("type") != "Welcome":
        await socket.close()
        raise NoLink(f"{_shown(first)} instead of a Welcome")
    return Link(socket, str(said.get("version")), str(said.get("node")), clock())


def _read(message: aiohttp.WSMessage) -> dict[str, Any]:
    """The object it holds; an empty one where it is something else."""
    if message.type is not aiohttp.WSMsgType.TEXT:
        return {}
    try:
        said = json.loads(message.data)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _shown(message: aiohttp.WSMessage) -> str:
    if message.type is aiohttp.WSMsgType.TEXT:
        return f"{str(message.data)[:100]!r}"
    if message.type is aiohttp.WSMsgType.CLOSE:
        return f"code {message.data}"
    return "no word"
