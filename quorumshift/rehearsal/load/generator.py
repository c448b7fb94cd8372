"""The load itself: an open loop, which keeps its rate however slow the answers are.

A request's time counts from the moment it was due, not from when it could be sent, so a stall is
seen by every request that had to wait for it. No request is tried twice, and none takes part in
the load balancer's stickiness: each goes where the weights send it.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time

import aiohttp
from yarl import URL

from quorumshift.rehearsal.load.tally import Tally
from quorumshift.rehearsal.read_back import ReadBack, value_of
from quorumshift.rehearsal.reporting import standard_input, write_report

TIMEOUT_SECONDS = 10.0
CONNECTIONS = 256
KEEP_ALIVE_SECONDS = 30.0
"""How long an idle connection is used again. Half of the load balancer's idle time-out (60 s): who
keeps a connection for as long as the other side sends, now and then, into one that just closes."""
_REPORT_SECONDS = 0.5


def run(url: str, rate: int, writes: int) -> int:
    """Put load on ``url`` until told to finish; ``writes``: percent. Returns the exit code."""
    return asyncio.run(_run(url, rate, writes))


async def _run(url: str, rate: int, writes: int) -> int:
    commands = await standard_input()
    async with _session() as session:
        generator = Generator(session, url, rate, writes)
        told = asyncio.create_task(commands.readline())
        endless = [asyncio.create_task(generator.issue()), asyncio.create_task(_report(generator))]
        ended, _ = await asyncio.wait([told, *endless], return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()  # raises what went wrong in one that should not have ended
        endless[0].cancel()
        order = told.result().split()
        if order[:1] != [b"finish"]:
            return 0  # nobody is there to read a result
        await generator.settle()
        lost, unreadable = await generator.read_back(float(order[1]))
        endless[1].cancel()
        write_report(
            result=generator.tally.result(
                acknowledged=len(generator.acknowledged), lost=lost, unreadable=unreadable
            )
        )
    return 0


def _session() -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEP_ALIVE_SECONDS),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    # aiohttp sends a request again when a kept-alive connection turns out to be closed. Here that
    # is a failed request like any other; there is no public switch (tests hold this one).
    session._retry_connection = False
    return session


class Generator:
    """Sends requests and keeps the score. ``writes``: percent of the requests."""

    def __init__(self, session: aiohttp.ClientSession, url: str, rate: int, writes: int) -> None:
        self.tally = Tally()
        self.acknowledged: list[str] = []
        self._session = session
        self._url = url.rstrip("/")
        self._rate = rate
        self._writes = writes
        self._run = secrets.token_hex(4)
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._under_way: set[asyncio.Task[None]] = set()

    async def issue(self) -> None:
        """Start a request whenever one is due, for ever."""
        number = 0
        self._began = self._clock()
        self.tally.began = time.time()
        while True:
            due = number / self._rate
            ahead = due - self.elapsed()
            if ahead > 0:
                await asyncio.sleep(ahead)
            self._start(number, due)
            number += 1

    def elapsed(self) -> float:
        """Seconds since the first request."""
        return self._clock() - self._began

    async def settle(self) -> None:
        """Wait for the requests that are under way; each ends within the time-out."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    def _start(self, number: int, due: float) -> None:
        spread = number * self._writes % 100 < self._writes  # evenly over the time
        write = spread or not self.acknowledged
        key = f"{self._run}-{number:08d}" if write else random.choice(self.acknowledged)
        task = asyncio.create_task(self._request(write, key, due))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _request(self, write: bool, key: str, due: float) -> None:
        version: str | None = None
        error: str | None = None
        method = "PUT" if write else "GET"
        body = value_of(key).encode() if write else None
        try:
            async with self._session.request(method, self._address(key), data=body) as response:
                version = response.headers.get("X-Version")
                answer = await response.read()
                error = _wrong(response.status, answer, None if write else value_of(key))
        except TimeoutError:
            error = f"no answer within {TIMEOUT_SECONDS:.0f} s"
        except (aiohttp.ClientError, OSError) as broken:
            error = f"{type(broken).__name__}: {broken}"
        if write and error is None:
            self.acknowledged.append(key)
        self.tally.add(
            due=due,
            took=self.elapsed() - due,
            write=write,
            version=version,
            error=None if error is None else f"{method}: {error}",
        )

    def _address(self, key: str) -> URL:
        return URL(f"{self._url}/kv/{key}", encoded=True)

    async def read_back(self, seconds: float) -> tuple[int, int]:
        """How many acknowledged writes are lost, and how many could not be read in time."""
        stored = ReadBack(self._session, self._url, f"{self._run}-")
        return await stored.compare(self.acknowledged, seconds)


def _wrong(status: int, answer: bytes, expected: str | None) -> str | None:
    if not 200 <= status < 300:
        return f"{status} {_reason(answer)}"
    if expected is None:
        return None
    try:
        value = json.loads(answer)["value"]
    except (ValueError, KeyError):
        return f"{status}, but not an answer of the service: {answer[:200]!r}"
    return None if value == expected else f"{status}, but the value is wrong: {value[:50]!r}"


def _reason(answer: bytes) -> str:
    """The service's own reason where it is one, so that equal failures read alike."""
    try:
        return str(json.loads(answer)["error"])
    except (ValueError, KeyError, TypeError):
        return answer[:200].decode(errors="replace")


async def _report(generator: Generator) -> None:
    while True:
        await asyncio.sleep(_REPORT_SECONDS)
        write_report(snapshot=generator.tally.snapshot(generator.elapsed()))
