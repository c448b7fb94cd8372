"""An outsider's eye on the Raft cluster, from a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from quorumshift.rehearsal.observer.record import (
    LeaderAt,
    MemberSeen,
    ObserverResult,
    ObserverSnapshot,
    VotersAt,
)
from quorumshift.rehearsal.reporting import Reporter

if TYPE_CHECKING:  # this package is also the child, which needs no AWS client
    from quorumshift.rehearsal.world import World

__all__ = [
    "LeaderAt",
    "MemberSeen",
    "Observer",
    "ObserverResult",
    "ObserverSnapshot",
    "VotersAt",
]

_START_SECONDS = 20.0
_FINISH_SECONDS = 20.0


class Observer:
    """Watches the etcd of every task listed in the file ``instances``, which may not exist yet."""

    def __init__(self, world: World, instances: Path) -> None:
        self._child = Reporter(
            world,
            "quorumshift.rehearsal.observer",
            ("--instances", str(instances)),
            ObserverSnapshot,
            ObserverResult,
        )

    def start(self) -> None:
        """Returns once it watches, cluster or not. Raises ``ReporterFailed``."""
        self._child.start()
        self.snapshot()

    def snapshot(self) -> ObserverSnapshot:
        """What was seen last; at most half a second old, and not older than the last change.
        Raises ``ReporterFailed`` when the process died."""
        return self._child.wait_for(lambda _seen: True, "a report", _START_SECONDS)

    def finish(self) -> ObserverResult:
        """Stop, and return what was seen in all. Raises ``ReporterFailed``."""
        return self._child.finish(_FINISH_SECONDS)
