"""An observation that comes from outside, checked: a file, or a function's answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from quorumshift.domain.data import from_json
from quorumshift.domain.raft import ClusterObservation, Colour

MOST = 36
"""Nodes that are planned for: twice what the largest service has in a deployment."""


@dataclass(frozen=True, slots=True)
class Seen:
    """``stopped``: the deployment does not run any more."""

    cluster: ClusterObservation
    stopped: bool = False

    @property
    def goal(self) -> Colour:
        """Whose votes it shall be by now: green's, or blue's again once the deployment has stopped
        while there is a blue one."""
        blue = any(node.colour is Colour.BLUE for node in self.cluster.nodes)
        return Colour.BLUE if self.stopped and blue else Colour.GREEN


def seen_from(value: Any) -> Seen:
    """Read what the state ``Observe`` writes: ``{"cluster", "stopped"}``, or the cluster alone.

    Raises ``ValueError`` that names the place.
    """
    if isinstance(value, dict) and "cluster" in value:
        seen = from_json(Seen, value)
    else:
        seen = Seen(from_json(ClusterObservation, value))
    nodes = seen.cluster.nodes
    _once("address", (node.address for node in nodes))
    _once("raftId", (node.raft_id for node in nodes if node.raft_id is not None))
    if len(nodes) > MOST or not 0 <= seen.cluster.desired <= MOST:
        raise ValueError(f"a service has at most {MOST} tasks here")
    return seen


def _once(key: str, values: Iterable[str]) -> None:
    known = set()
    for value in values:
        if value in known:
            raise ValueError(f"two nodes have the {key} {value!r}")
        known.add(value)
