"""What the table of servers adds to what nodes say of themselves: ids by address.

Rows of servers that are dead stay alive for half a minute (their last heartbeat's age), and an
address may have a new owner by then. So a row is believed only where the node itself is silent
about its id, and every row that a node contradicts is a doubt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from quorumshift.adapters.raft.snaketron.statuses import Said
from quorumshift.domain.errors import Transient
from quorumshift.ports import Registry, Server


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of servers that are alive. ``doubts``: what could not be read of it, a sentence
    each."""

    servers: tuple[Server, ...] = ()
    doubts: tuple[str, ...] = ()

    def ids(self, address: str) -> tuple[str, ...]:
        """The Raft ids of this address's rows."""
        return tuple(row.raft_id for row in self.servers if row.address == address)

    def raft_id(self, address: str) -> str:
        """The one id of this address; empty when there is none or more than one."""
        ids = self.ids(address)
        return ids[0] if len(ids) == 1 else ""

    def contradicted(self, said: Iterable[Said]) -> tuple[str, ...]:
        """Rows that are not what the node at their address says, a sentence each."""
        return tuple(
            f"The table of servers has {one.address} as node {row}, and the node there says that "
            f"it is node {one.raft_id}. Wait until the row's heartbeat is 30 s old; if it stays "
            "fresh, find out which two servers share the address."
            for one in said
            if one.raft_id
            for row in self.ids(one.address)
            if row != one.raft_id
        )


def read_table(registry: Registry | None) -> Table:
    """Read the table; without one, nothing. Raises ``MissingResource`` as the registry does."""
    if registry is None:
        return Table()
    try:
        read = registry.servers()
    except Transient as error:
        return Table(doubts=(f"The table of servers could not be read: {str(error).rstrip('.')}.",))
    return Table(read.servers, read.unknown)
