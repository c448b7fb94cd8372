"""SnakeTron's nodes, asked and changed over gRPC (``docs/snaketron.md`` has the contract).

*No* and *not yet* are told apart: ``ChangeRefused`` when only another change can make it possible,
``Transient`` when waiting may (a learner that catches up, an election, a lost reply). After a lost
reply, and after a reason that says nothing to us, the cluster is looked at before anything is
raised. A call that the leader's version does not have is refused by its name.
"""

from __future__ import annotations

from collections.abc import Sequence

from quorumshift.adapters.raft.snaketron import changes
from quorumshift.adapters.raft.snaketron.dialect import DIALECT
from quorumshift.adapters.raft.snaketron.nodes import Nodes
from quorumshift.adapters.raft.snaketron.relay import run
from quorumshift.domain.policy import Dialect
from quorumshift.domain.raft import RaftView
from quorumshift.ports import Registry


class SnaketronRaft:
    """A cluster of SnakeTron nodes (implements :class:`~quorumshift.ports.RaftControl`).

    ``port``: of gRPC, the same on every node. ``timeout``: seconds for one call to one node;
    :meth:`observe` takes at most that long, however many nodes are silent, and what the registry
    takes. ``registry``: the table of servers, which has the ids of nodes that do not tell theirs;
    the nodes that it has as alive are asked too. ``None``: nodes of the extension alone.
    """

    dialect: Dialect = DIALECT

    def __init__(
        self, port: int = 50051, timeout: float = 1.0, registry: Registry | None = None
    ) -> None:
        self._port = port
        self._timeout = timeout
        self._registry = registry

    def observe(self, addresses: Sequence[str]) -> RaftView:
        """Ask all addresses, and those of the registry, at once.

        Never raises for a node, nor for a registry that cannot be read now: that is in the view's
        ``unknown``. Raises ``MissingResource`` when the registry does.
        """
        return run(self._nodes(addresses).observe())

    def admit(self, address: str, via: Sequence[str]) -> None:
        """Make the node at ``address`` a learner; its id is its own word, else the registry's."""
        run(changes.admit(self._nodes(via), address))

    def promote(self, raft_id: str, via: Sequence[str]) -> None:
        """Make a learner a voter. ``Transient`` while the leader finds it not in sync."""
        run(changes.promote(self._nodes(via), raft_id))

    def transfer(self, raft_id: str, via: Sequence[str]) -> None:
        """Hand leadership to this voter, and see that it leads.

        The leader is asked; where it speaks the first contract, the voter itself, which then
        stands for election.
        """
        run(changes.transfer(self._nodes(via), raft_id))

    def remove(self, raft_id: str, via: Sequence[str]) -> None:
        """Take a member out."""
        run(changes.remove(self._nodes(via), raft_id))

    def _nodes(self, via: Sequence[str]) -> Nodes:
        return Nodes(via, self._port, self._timeout, self._registry)
