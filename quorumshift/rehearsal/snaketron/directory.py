"""Which Raft id is at which address: the table of servers, as this node last read it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from quorumshift.rehearsal.snaketron.table import Row, Unreachable

_AGAIN_SECONDS = 0.5
"""Between two looks for what was not found."""
_PATIENCE_SECONDS = 0.5
"""Whoever asks is answered by then; the look goes on behind."""


class Directory:
    """``read``: all rows, the oldest first; it may raise :class:`Unreachable`.

    An address belongs to the newest row that has it: tasks come and go, and so do addresses.
    """

    def __init__(self, read: Callable[[], Awaitable[tuple[Row, ...]]]) -> None:
        self._read = read
        self._rows: dict[str, Row] = {}
        self._ids: dict[str, str] = {}
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = float("-inf")
        self._doubt: Unreachable | None = None

    def take(self, rows: Iterable[Row]) -> None:
        """What somebody else has just read."""
        self._rows = {row.raft_id: row for row in rows}
        self._ids = {row.address: row.raft_id for row in self._rows.values()}
        self._doubt = None

    @property
    def alive(self) -> tuple[Row, ...]:
        """The servers whose heartbeat was young at the last look."""
        return tuple(row for row in self._rows.values() if row.alive and self.is_current(row))

    def is_current(self, row: Row) -> bool:
        """No newer server has its address."""
        return self._ids.get(row.address) == row.raft_id

    async def ids(self, addresses: Iterable[str]) -> Mapping[str, str]:
        """Address → id, of those that are known; looks again when one is not."""
        wanted = set(addresses)
        if not wanted <= self._ids.keys():
            await self._look()
        return {address: self._ids[address] for address in wanted & self._ids.keys()}

    async def row(self, raft_id: str) -> Row | None:
        """The server with this id, as far as is known; looks again when there is none."""
        if raft_id not in self._rows:
            await self._look()
        return self._rows.get(raft_id)

    async def sure_row(self, raft_id: str) -> Row | None:
        """The same. Raises :class:`Unreachable` when there may be one that could not be read."""
        row = await self.row(raft_id)
        if row is None and self._doubt is not None:
            raise self._doubt
        return row

    async def _look(self) -> None:
        """Read the table, unless somebody has just done so."""
        now = asyncio.get_running_loop().time()
        if self._looking is None or (
            self._looking.done() and now - self._looked_at > _AGAIN_SECONDS
        ):
            self._looked_at = now
            self._looking = asyncio.create_task(self._refresh())
        _, late = await asyncio.wait([self._looking], timeout=_PATIENCE_SECONDS)
        if late:
            self._doubt = Unreachable("the table of servers could not be read yet")

    async def _refresh(self) -> None:
        try:
            self.take(await self._read())
        except Unreachable as error:  # the next heartbeat prints it
            self._doubt = error
