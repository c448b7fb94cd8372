"""What one look of the state ``Observe`` tells: written by the function, read by the hand-over's
other states and by whoever asks the function from outside. One type for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from quorumshift.domain.data import from_json
from quorumshift.domain.raft import ClusterObservation, Colour

MOST = 36
"""Nodes that are planned for: twice what the largest service has in a deployment."""


@dataclass(frozen=True, slots=True)
class Look:
    """``stopped``: the rollout does not run any more, so green is on its way out. ``busy``: a
    rollout that is under way, where the look was for none. ``overtaken``: why nothing is to be
    changed for the rollout any more (``domain/overtaken.py``); empty: it has the votes."""

    cluster: ClusterObservation
    stopped: bool
    busy: str = ""
    overtaken: str = ""

    @property
    def goal(self) -> Colour:
        """Whose votes it shall be by now: green's, or blue's again once the rollout has stopped
        while there is a blue one."""
        blue = any(node.colour is Colour.BLUE for node in self.cluster.nodes)
        return Colour.BLUE if self.stopped and blue else Colour.GREEN


def look_from(value: Any) -> Look:
    """Read what comes from outside (a file, a function's answer), and check that it can be planned
    for: what the state ``Observe`` writes, or the value of its ``cluster`` alone.

    Raises ``ValueError`` that names the place.
    """
    if isinstance(value, dict) and "cluster" in value:
        look = from_json(Look, value)
    else:
        look = Look(from_json(ClusterObservation, value), stopped=False)
    nodes = look.cluster.nodes
    _once("address", (node.address for node in nodes))
    _once("raftId", (node.raft_id for node in nodes if node.raft_id is not None))
    if len(nodes) > MOST or not 0 <= look.cluster.desired <= MOST:
        raise ValueError(f"a service has at most {MOST} tasks here")
    return look


def _once(key: str, values: Iterable[str]) -> None:
    known = set()
    for value in values:
        if value in known:
            raise ValueError(f"two nodes have the {key} {value!r}")
        known.add(value)
