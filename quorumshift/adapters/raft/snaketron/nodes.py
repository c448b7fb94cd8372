"""Asks all nodes at once how they and their cluster stand."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence

from quorumshift.adapters.raft.snaketron import relay
from quorumshift.adapters.raft.snaketron.relay import Answer, Call, Declined, NoReply, NotSent
from quorumshift.adapters.raft.snaketron.statuses import Said, read_status
from quorumshift.adapters.raft.snaketron.table import Table, read_table
from quorumshift.adapters.raft.snaketron.view import Answers, view_of
from quorumshift.domain.raft import Membership, RaftView
from quorumshift.ports import Registry

UNIMPLEMENTED = "UNIMPLEMENTED"
_HINTS = {
    "UNAVAILABLE": "its Raft is not up",
    UNIMPLEMENTED: "it does not know the call: no SnakeTron, or one of another version",
}


class Nodes:
    """The nodes at ``via`` and, where there is a table of servers, those that it has as alive.

    ``port``: of gRPC. ``timeout``: seconds for one call to one node. The table is read once, when
    it is needed first.
    """

    def __init__(
        self, via: Sequence[str], port: int, timeout: float, registry: Registry | None
    ) -> None:
        self.via = tuple(dict.fromkeys(via))
        self.port = port
        self.timeout = timeout
        self._registry = registry

    @functools.cached_property
    def table(self) -> Table:
        """The table of servers. Blocks the loop, on which nothing else waits at that time."""
        return read_table(self._registry)

    async def observe(self) -> RaftView:
        """Ask all at once; one that is silent costs one time-out, however many there are."""
        rows = (row.address for row in self.table.servers)
        asked = tuple(dict.fromkeys((*self.via, *rows)))
        if not asked:
            return RaftView((), Membership.UNKNOWN, {}, (*self.table.doubts, "No address to ask."))
        answers = await asyncio.gather(*(self.ask(address) for address in asked))
        said = [answer for answer in answers if isinstance(answer, Said)]
        silent = {
            address: answer
            for address, answer in zip(asked, answers, strict=True)
            if isinstance(answer, str)
        }
        return view_of(Answers(said, silent, self.table))

    async def ask(self, address: str) -> Said | str:
        """What the node says of itself, or why that cannot be used."""
        try:
            status = await relay.status(address, self.port, self.timeout)
            return read_status(address, status)
        except Declined as error:
            return declined(address, error)
        except (NotSent, NoReply) as error:
            return f"{address}: {error}"
        except ValueError as error:
            return f"{address} told a status that cannot be used ({error})"

    def rows(self, address: str) -> str:
        """What the table has of this address, for a person."""
        if self._registry is None:
            return "there is no table of servers to look it up in"
        ids = ", ".join(self.table.ids(address)) or "none"
        return " ".join(self.table.doubts) or f"the table of servers has for it: {ids}"

    async def change(self, address: str, call: Call) -> Answer:
        """Ask one node for a change. Raises ``NotSent``, ``NoReply`` and ``Declined``."""
        return await relay.change(address, self.port, call, self.timeout)


def declined(address: str, error: Declined) -> str:
    """A gRPC status other than OK, for a person."""
    hint = _HINTS.get(error.code)
    return f"{address} answered {error}" + (f" ({hint})" if hint else "")
