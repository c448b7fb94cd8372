"""One player: commands now and then, over one connection, and over the next when it has to be.

Told ``Shutdown``, it opens the next connection first and leaves the old one when that owes it no
answer. When a connection breaks, it opens another at once. What was not answered when its
connection ended goes out again over the next one under the same id, so that it is done once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import aiohttp

from quorumshift.rehearsal.players.link import Link, NoLink, open_link
from quorumshift.rehearsal.players.tally import Cause, Tally
from quorumshift.rehearsal.read_back import value_of

SETTLED_SECONDS = 1.0
"""A connection that ends sooner counts as a failure, after which the player takes its time."""
BACK_OFF_SECONDS = (0.05, 1.0)
"""After the first failure, doubling, and at most; each varies by half of itself."""


@dataclass
class Arena:
    """What all players share. ``elapsed``: seconds since the first came. ``patience``: a connection
    that owes an answer for so many seconds is given up. ``finishing``: nobody leaves any more.
    ``over``: nor is anything sent again."""

    url: str
    connector: aiohttp.BaseConnector
    tally: Tally
    elapsed: Callable[[], float]
    patience: float
    finishing: bool = False
    over: bool = False


@dataclass
class _Command:
    """``link``: where it went out last; ``None``: nowhere, or that one has ended."""

    key: str
    link: Link | None = None
    at: float = 0.0
    times: int = 0


class Player:
    """:meth:`play` is its whole life: it wants to leave after so many ``seconds``."""

    def __init__(self, arena: Arena, number: int, seconds: float) -> None:
        self._arena = arena
        self._tally = arena.tally
        self._number = number
        self._came = arena.elapsed()
        self._ends = self._came + seconds
        self._session = aiohttp.ClientSession(
            connector=arena.connector,
            connector_owner=False,
            cookie_jar=aiohttp.CookieJar(unsafe=True),  # of an address: there is no name
        )
        self._link: Link | None = None
        self._links: set[Link] = set()
        self._waiting: dict[str, _Command] = {}
        self._stirred = asyncio.Event()
        self._failed = 0
        self._gone = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """Commands without an answer."""
        return len(self._waiting)

    async def play(self) -> None:
        """Come, stay, and leave when nothing waits for an answer any more."""
        async with self._session:
            cause: Cause | None = None
            while (link := await self._next(cause)) is not None:
                old, self._link = self._link, link
                if old is not None:
                    self._leave(old)
                await self._send_what_waits()
                await self._stay(link)
                cause = Cause.TOLD if link.told else Cause.BROKEN
                lived = self._arena.elapsed() - link.since
                self._failed = 0 if lived >= SETTLED_SECONDS else self._failed + 1
            self._gone = True
            self._tally.gone(self._number)
            for link in tuple(self._links):
                self._leave(link)
            await asyncio.gather(*self._tasks)

    async def command(self, key: str) -> None:
        """Give a command, unless it is not in yet or about to leave."""
        if self._link is None or self._wants_to_leave():
            return
        self._tally.sent += 1
        self._waiting[key] = _Command(key)
        await self._send_what_waits()

    def check(self, at: float) -> None:
        """Give up connections that owe an answer for too long."""
        late = {
            command.link
            for command in self._waiting.values()
            if command.link is not None and at - command.at > self._arena.patience
        }
        for link in late:
            if link is not None and not link.fault:
                link.fault = f"no answer within {self._arena.patience:.0f} s"
                self._close(link)

    def _wants_to_leave(self) -> bool:
        return self._arena.elapsed() >= self._ends

    def _may_go(self) -> bool:
        return self._wants_to_leave() and not self._waiting and not self._arena.finishing

    async def _next(self, cause: Cause | None) -> Link | None:
        """The next connection, tried for until it is there; ``None``: the player may go."""
        while not self._may_go():
            if self._failed:
                least, most = BACK_OFF_SECONDS
                pause = min(most, least * 2 ** min(self._failed - 1, 10))
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))
            try:
                arena = self._arena
                link = await open_link(self._session, arena.url, arena.elapsed, arena.patience)
            except NoLink as error:
                self._failed += 1
                self._tally.failures.note(f"connecting: {error}", self._arena.elapsed())
                continue
            finally:
                if cause is None:
                    self._tally.entered(self._arena.elapsed() - self._came)
            self._tally.opened(self._number, link.version, link.node, link.since, cause)
            self._links.add(link)
            self._start(self._read(link))
            return link
        return None

    async def _stay(self, link: Link) -> None:
        """Until it has to change over, or may go."""
        while not (link.told or link.ended or self._may_go()):
            self._stirred.clear()
            left = self._ends - self._arena.elapsed()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left if left > 0 else None):
                    await self._stirred.wait()

    async def _read(self, link: Link) -> None:
        try:
            async for said in link.words():
                self._heard(link, said)
        finally:
            self._ended(link)

    def _heard(self, link: Link, said: dict[str, Any]) -> None:
        kind = said.get("type")
        if kind == "Shutdown":
            link.told = True
            self._stirred.set()
        elif kind in ("Ack", "Nack"):
            reason = f"refused: {said.get('reason')}" if kind == "Nack" else None
            self._answered(str(said.get("id")), reason)

    def _answered(self, key: str, refused: str | None) -> None:
        command = self._waiting.pop(key, None)
        if command is None:
            return  # it went out twice, and has been answered on the other connection
        if refused is None:
            self._tally.acknowledged.append(key)
        else:
            self._tally.nacked += 1
            self._tally.failures.note(refused, self._arena.elapsed())
        if command.link is not None:
            command.link.owes -= 1
            if command.link.leaving and not command.link.owes:
                self._close(command.link)
        if not self._waiting:
            self._stirred.set()

    def _ended(self, link: Link) -> None:
        link.ended = True
        self._links.discard(link)
        at = self._arena.elapsed()
        self._tally.closed(self._number, link.version, link.node, at, wanted=self._gone)
        if not link.told and not link.leaving:
            self._tally.failures.note(f"connection: {link.fault}", at)
        for command in self._waiting.values():
            if command.link is link:
                command.link = None
        if not self._arena.over:
            self._start(self._send_what_waits())
        self._stirred.set()

    async def _send_what_waits(self) -> None:
        """Send over the present connection what is not under way over any."""
        link = self._link
        if link is None or link.ended:
            return
        for command in [each for each in self._waiting.values() if each.link is None]:
            command.link, command.at = link, self._arena.elapsed()
            command.times += 1
            self._tally.resent += command.times > 1
            link.owes += 1
            text = {"type": "Command", "id": command.key, "value": value_of(command.key)}
            with contextlib.suppress(aiohttp.ClientError, ConnectionError):
                await link.socket.send_str(json.dumps(text))  # who reads learns that it has ended

    def _leave(self, link: Link) -> None:
        link.leaving = True
        if not link.owes and not link.ended:
            self._close(link)

    def _close(self, link: Link) -> None:
        self._start(link.close())

    def _start(self, deed: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(deed)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
