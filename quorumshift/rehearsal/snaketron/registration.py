"""Our own row in the table of servers, from the first heartbeat to the last word.

A database that is down costs the cluster nothing: who has an id goes on, and says again what it
could not say.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial

from quorumshift.rehearsal.snaketron.aside import aside
from quorumshift.rehearsal.snaketron.directory import Directory
from quorumshift.rehearsal.snaketron.table import Table, Unreachable

HEARTBEAT_SECONDS = 5.0
_AGAIN_SECONDS = 1.0
ACTIVE, DRAINING, OFFLINE = "active", "draining", "offline"


class Registration:
    """``raft_id``: ours; ``None`` until the row is in the table."""

    def __init__(self, table: Table, directory: Directory) -> None:
        self.raft_id: str | None = None
        self._table = table
        self._directory = directory
        self._status = ACTIVE
        self._wake = asyncio.Event()
        self._left = asyncio.Event()

    async def keep(self) -> None:
        """Register, then beat, until there is nothing more to say; then wait for ever."""
        silent = False
        while not self._left.is_set() and (self.raft_id or self._status == ACTIVE):
            self._wake.clear()
            try:
                await self._beat()
            except Unreachable as error:
                if not silent:
                    print(f"registration: {error}; trying again", flush=True)
                silent, pause = True, _AGAIN_SECONDS
            else:
                if silent:
                    print("registration: the database answers again", flush=True)
                silent, pause = False, HEARTBEAT_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
        await asyncio.Event().wait()

    def drain(self) -> None:
        """Say at the next heartbeat, which is now, that we are about to end."""
        self._status = DRAINING
        self._wake.set()

    async def leave(self, seconds: float) -> None:
        """Say that we have ended, and beat no more. Returns after ``seconds`` even if the database
        has not heard it. :meth:`keep` must be running: whatever it is saying is said first."""
        self._status = OFFLINE
        self._wake.set()
        if self.raft_id is None:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._left.wait()
        except TimeoutError:
            print(f"registration: the database could not be told {OFFLINE!r}", flush=True)

    async def _beat(self) -> None:
        if self.raft_id is None:
            self.raft_id = await aside(self._table.register)
            print(f"registered as server {self.raft_id}", flush=True)
        if self._status == OFFLINE:
            await aside(partial(self._table.mark, self.raft_id, OFFLINE))
            self._left.set()
            return
        self._directory.take(await aside(partial(self._table.beat, self.raft_id, self._status)))
