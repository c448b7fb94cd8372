"""Whether a node works: what its health checks answer."""

from __future__ import annotations

from dataclasses import dataclass

from quorumshift.rehearsal.service.node import Node
from quorumshift.rehearsal.service.view import View


@dataclass(frozen=True, slots=True)
class Fault:
    """Why not: an HTTP ``status``, and a ``reason`` for a person."""

    status: int
    reason: str


class Health:
    """It tells whether *this node* works, not whether the cluster has a leader at the moment:
    otherwise one election would make every node unhealthy at once, and all of them would be
    replaced. ``draining``: the node was told to end."""

    def __init__(self, node: Node, view: View) -> None:
        self.draining = False
        self._node = node
        self._view = view

    def fault(self) -> Fault | None:
        """``None`` once the node has seen a leader, and until it is told to end."""
        if self._node.behaviour == "unhealthy":
            return Fault(500, "this version was made to fail its health check")
        if self.draining:
            return Fault(503, "shutting down")
        if not self._view.members:
            return Fault(503, "no leader of the cluster has been seen yet")
        return None
