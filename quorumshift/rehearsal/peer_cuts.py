"""Cuts a node of the sample service off from its peers, as a network that is partitioned does."""

from __future__ import annotations

import threading
import time

from quorumshift.rehearsal.service.node import read_instances
from quorumshift.rehearsal.service.peer_files import Cuts, PeerFiles
from quorumshift.rehearsal.world import World

_DEADLINE_SECONDS = 10.0
_LOOK_SECONDS = 0.005


class CannotCut(Exception):
    """A node's peers cannot be cut off or mended; the message says which node and why."""


class PeerCuts:
    """Which nodes of the world are cut off. All nodes must run an image that is ``relayed``, or a
    ``slow-learner``: others have no relay that could hold a node back."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._instances = world.directory / "instances.json"
        self._files = PeerFiles(self._instances)
        self._lock = threading.Lock()

    def cut(self, address: str) -> None:
        """Cut the node at ``address`` off from all others, in both directions; its ports for
        clients stay reachable. Cutting it again is no error.

        Returns when it is in force: every running relay has said so, and what reaches one of them
        later is not passed on. Raises :class:`CannotCut`.
        """
        with self._lock:
            if self._files.revision_of(address) is None:
                raise CannotCut(f"{address} has no relay: run an image that is 'relayed'")
            self._change(self._files.cuts().addresses | {address})

    def mend(self, address: str) -> None:
        """Let the node at ``address`` reach its peers again, and them it; returns when they can.
        Mending what is not cut is no error. Raises :class:`CannotCut`."""
        with self._lock:
            self._change(self._files.cuts().addresses - {address})

    def _change(self, addresses: frozenset[str]) -> None:
        revision = self._files.cuts().revision + 1
        self._files.write_cuts(Cuts(revision, addresses))
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while behind := self._behind(revision):
            if time.monotonic() > deadline:
                raise CannotCut(
                    f"no word from the relay of {', '.join(behind)} within "
                    f"{_DEADLINE_SECONDS:.0f} s: is its image 'relayed'?"
                )
            self._world.stopping.wait(_LOOK_SECONDS)

    def _behind(self, revision: int) -> list[str]:
        """Running tasks whose relay has not acted yet; one that starts is among them until it
        has, because its etcd does not start before."""
        return [
            each.address
            for each in read_instances(self._instances)
            if (self._files.revision_of(each.address) or 0) < revision
        ]
