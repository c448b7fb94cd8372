"""One connection of a peer, passed on to etcd: held back, slowed down, or simply passed on.

A network that is cut is *silent*. So nothing is closed: a link that is held back is not read, and
what was under way waits in the kernel's buffers, as a TCP without acknowledgements keeps it, even
the news that one side has closed. To etcd this is another matter than connections that break.
Those it notices at once, reports as errors and dials anew every 100 ms. Silence only Raft notices:
followers miss heartbeats, and a leader steps down when it has heard of no quorum for an election
timeout. The connections themselves live on for minutes (the five seconds after which etcd means to
give up reading never begin: in 3.5 the dialler that knows of them is not the one that is used), so
at the mend everything goes on where it was, late news first.

Who dials meanwhile is accepted, because the kernel does that, and then waits for an answer where a
real network would let it wait for a connection. At the mend such links are broken off: etcd dials
anew, and finds no more of them than if its packets had been lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum, auto

SLOW_BYTES_PER_SECOND = 1000
"""On each connection. A leader's heartbeats need about half of it, a log that grows by 25 writes a
second four times as much."""
FREE_BYTES = 2000
"""Of each slow connection, at full speed: the member list, without which no etcd starts."""
_SLICE_SECONDS = 0.05
_SLICE_BYTES = int(SLOW_BYTES_PER_SECOND * _SLICE_SECONDS)


class _Hold(Enum):
    """Why an end is not read."""

    OPENING = auto()
    CUT = auto()
    FULL = auto()
    SLOW = auto()


class End(asyncio.Protocol):
    """One end of a link. What is read here is written at ``other``; ``slow``: a little at a time.
    ``ready``: called once connected; ``lost``: called in the end."""

    other: End

    def __init__(self, ready: Callable[[], None], lost: Callable[[], None]) -> None:
        self.transport: asyncio.Transport | None = None
        self.slow = False
        self._ready = ready
        self._lost = lost
        self._holds = {_Hold.OPENING}
        self._free = FREE_BYTES
        self._pending = b""

    def hold(self, reason: _Hold) -> None:
        """Do not read until every reason is gone."""
        self._holds.add(reason)
        if self.transport is not None:
            self.transport.pause_reading()

    def release(self, reason: _Hold) -> None:
        """This reason is gone."""
        self._holds.discard(reason)
        if self.transport is not None and not self._holds:
            self.transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Send."""
        if self.transport is not None:
            self.transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.pause_reading()
        self._ready()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()

    def data_received(self, data: bytes) -> None:
        if not self.slow:
            self.other.write(data)
            return
        free, self._pending = data[: self._free], data[self._free :]
        self._free -= len(free)
        self.other.write(free)
        self._write_slice()

    def pause_writing(self) -> None:
        self.other.hold(_Hold.FULL)

    def resume_writing(self) -> None:
        self.other.release(_Hold.FULL)

    def _write_slice(self) -> None:
        """The next of what was read, and on with reading once all of it was written."""
        if not self._pending:
            self.release(_Hold.SLOW)
            return
        self.hold(_Hold.SLOW)
        if _Hold.CUT not in self._holds:
            self.other.write(self._pending[:_SLICE_BYTES])
            self._pending = self._pending[_SLICE_BYTES:]
        if self.transport is not None and not self.transport.is_closing():
            asyncio.get_running_loop().call_later(_SLICE_SECONDS, self._write_slice)


class Link:
    """A peer's connection to a node.

    ``accepted``: called with the link once the peer is connected; the link then waits for
    :meth:`open`. ``ended``: called once, when it is over. ``caller``: the address of the node
    whose etcd calls, as far as it has a relay of its own.
    """

    def __init__(self, accepted: Callable[[Link], None], ended: Callable[[Link], None]) -> None:
        self.caller: str | None = None
        self.peer = End(lambda: accepted(self), self._end)
        self._etcd = End(self._opened, self._end)
        self.peer.other, self._etcd.other = self._etcd, self.peer
        self._ended = ended
        self._opening: asyncio.Task[None] | None = None

    def open(self, address: str, port: int, *, slow_in: bool, slow_out: bool) -> None:
        """Connect to etcd and begin to pass on. ``slow_in``: what goes to etcd is slow;
        ``slow_out``: what comes from it."""
        self.peer.slow, self._etcd.slow = slow_in, slow_out
        self._opening = asyncio.create_task(self._connect(address, port))

    def cut(self) -> None:
        """From now on no byte that arrives is passed on, in either direction."""
        for end in (self.peer, self._etcd):
            end.hold(_Hold.CUT)

    def mend(self) -> None:
        """Go on; break off what was never opened."""
        if self._opening is None:
            self.abort()
        for end in (self.peer, self._etcd):
            end.release(_Hold.CUT)

    def abort(self) -> None:
        """Break it off."""
        if self._opening is not None:
            self._opening.cancel()
        for end in (self.peer, self._etcd):
            if end.transport is not None:
                end.transport.abort()

    async def _connect(self, address: str, port: int) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self._etcd, address, port)
        except OSError:  # no etcd runs there now; to the peer it is as if nobody listened
            self.abort()

    def _opened(self) -> None:
        for end in (self.peer, self._etcd):
            end.release(_Hold.OPENING)

    def _end(self) -> None:
        """One end is closed: so is the other, once it has written what it was given."""
        self._ended(self)
        for end in (self.peer, self._etcd):
            if end.transport is not None:
                end.transport.close()
