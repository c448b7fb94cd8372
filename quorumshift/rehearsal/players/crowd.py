"""All players together: they come, give commands at an even pace, and are replaced as they go."""

from __future__ import annotations

import asyncio
import itertools
import random
import secrets
import time

import aiohttp

from quorumshift.rehearsal.players.player import Arena, Player
from quorumshift.rehearsal.players.tally import PlayersResult, PlayersSnapshot, Tally
from quorumshift.rehearsal.read_back import ReadBack
from quorumshift.rehearsal.reporting import standard_input, write_report

ARRIVALS_A_SECOND = 300
"""How fast the first players come."""
_REPORT_SECONDS = 0.5
_SETTLE_SECONDS = 5.0
"""After the end so much longer than for one answer."""


def run(url: str, count: int, pace: float, session: tuple[float, float], patience: float) -> int:
    """Keep ``count`` players on ``url`` until told to finish. Returns the exit code."""
    return asyncio.run(_run(url, count, pace, session, patience))


async def _run(
    url: str, count: int, pace: float, session: tuple[float, float], patience: float
) -> int:
    orders = await standard_input()
    async with aiohttp.TCPConnector(limit=0) as connector:
        crowd = Crowd(connector, url, count, pace, session, patience)
        told = asyncio.create_task(orders.readline())
        endless = [asyncio.create_task(each) for each in (crowd.play(), crowd.command())]
        endless.append(asyncio.create_task(crowd.watch()))
        ended, _ = await asyncio.wait([told, *endless], return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()  # raises what went wrong in one that should not have ended
        endless[1].cancel()
        order = told.result().split()
        if order[:1] == [b"finish"]:
            write_report(result=await crowd.finish(float(order[1])))
        crowd.arena.over = True
        for task in endless:
            task.cancel()
        await asyncio.gather(*endless, return_exceptions=True)
    return 0


class Crowd:
    """``pace``: commands a second, of all. ``session``: seconds, at least and at most.
    ``patience``: seconds for an answer."""

    def __init__(
        self,
        connector: aiohttp.BaseConnector,
        url: str,
        count: int,
        pace: float,
        session: tuple[float, float],
        patience: float,
    ) -> None:
        self._url = url.rstrip("/")
        self._pace = pace
        self._session = session
        self._run = f"p{secrets.token_hex(4)}"
        self._numbers = itertools.count()
        self._seats: list[Player | None] = [None] * count
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._tally = Tally(count, time.time())
        self.arena = Arena(f"{self._url}/ws", connector, self._tally, self.elapsed, patience)

    def elapsed(self) -> float:
        """Seconds since the first player came."""
        return self._clock() - self._began

    async def play(self) -> None:
        """Until they are told to finish."""
        async with asyncio.TaskGroup() as seats:
            for seat in range(len(self._seats)):
                seats.create_task(self._take(seat))
            await asyncio.Event().wait()

    async def command(self) -> None:
        """One command after the other, each player in turn, for ever. Nobody gives one in the
        place of a player who has left."""
        for number in itertools.count():
            ahead = number / self._pace - self.elapsed()
            if ahead > 0:
                await asyncio.sleep(ahead)
            player = self._seats[number % len(self._seats)]
            if player is not None:
                await player.command(f"{self._run}-{number:08d}")

    async def watch(self) -> None:
        """Report, note every second who is connected, and look after what is overdue."""
        for beat in itertools.count():
            await asyncio.sleep(max(0.0, beat * _REPORT_SECONDS - self.elapsed()))
            at = self.elapsed()
            self._tally.tick(int(at))
            for player in self._players():
                player.check(at)
            write_report(snapshot=self.snapshot())

    def snapshot(self) -> PlayersSnapshot:
        """The counts so far."""
        return self._tally.snapshot(self.elapsed(), self._waiting())

    async def finish(self, seconds: float) -> PlayersResult:
        """Wait for answers, read back for at most so many ``seconds``, and count it all up."""
        at_end = self.snapshot()
        self.arena.finishing = True
        deadline = self._clock() + min(seconds, self.arena.patience + _SETTLE_SECONDS)
        while self._waiting() and self._clock() < deadline:
            await asyncio.sleep(0.02)
        unanswered, at = self._waiting(), self.elapsed()
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self.arena.patience),
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as session:
            stored = ReadBack(session, self._url, f"{self._run}-")
            acknowledged = tuple(self._tally.acknowledged)
            lost, unreadable = await stored.compare(acknowledged, seconds)
        return self._tally.result(at_end, at, unanswered, lost, unreadable)

    async def _take(self, seat: int) -> None:
        """One player after the other."""
        await asyncio.sleep(seat / ARRIVALS_A_SECOND)
        while True:
            player = Player(self.arena, next(self._numbers), random.uniform(*self._session))
            self._seats[seat] = player
            await player.play()

    def _players(self) -> list[Player]:
        return [player for player in self._seats if player is not None]

    def _waiting(self) -> int:
        return sum(player.waiting for player in self._players())
