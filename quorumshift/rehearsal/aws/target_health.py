"""What DescribeTargetHealth says, from what the balancer process reports.

Registration counts: an address that is registered again after it was taken out starts over, and
late reports about its earlier life are not believed.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quorumshift.rehearsal.balancer.targets import DRAINING, GONE

REGISTERING = (
    "initial",
    "Elb.RegistrationInProgress",
    "Target registration is in progress",
)
LOST = ("unhealthy", "Elb.InternalError", "Health checks failed due to an internal error")


@dataclass(slots=True)
class _Record:
    port: int
    number: int
    registered: bool = True
    sent: bool = False
    health: tuple[str, str, str] = REGISTERING


class TargetHealth:
    """``lock`` is held while the desired state is read and marked as sent, so that a target that
    is deregistered meanwhile is known to be either in it or not."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._records: dict[tuple[str, str], _Record] = {}

    def register(self, group: str, target: str, port: int) -> None:
        """A target that was not registered is now."""
        with self.lock:
            before = self._records.get((group, target))
            self._records[group, target] = _Record(port, before.number + 1 if before else 1)

    def deregister(self, group: str, target: str, used: bool) -> None:
        """It drains, unless the balancer never heard of it or no listener uses the group."""
        with self.lock:
            if (record := self._records.get((group, target))) is not None:
                record.registered = False
                record.health = DRAINING if record.sent and used else GONE

    def number(self, group: str, target: str) -> int:
        """Which registration of the target is the present one."""
        record = self._records.get((group, target))
        return record.number if record else 0

    def mark_sent(self) -> None:
        """The balancer is being told of all that are registered now."""
        for record in self._records.values():
            record.sent = record.sent or record.registered

    def report(self, message: Mapping[str, Any]) -> bool:
        """Take a ``health`` message; ``False`` when it is about an earlier life."""
        with self.lock:
            record = self._records.get((message["group"], message["id"]))
            health = (message["state"], message["reason"], message["description"])
            if record is None or record.number != message["registration"]:
                return False
            if not record.registered and (record.health == GONE or health not in (DRAINING, GONE)):
                return False
            record.health = health
            return True

    def lose(self) -> None:
        """The balancer is no more."""
        with self.lock:
            for record in self._records.values():
                record.health = LOST if record.registered else GONE

    def of(self, group: str, target: str) -> tuple[str, str, str]:
        """State, reason and description; ``GONE`` for an address that is not there."""
        record = self._records.get((group, target))
        return record.health if record else GONE

    def draining(self, group: str) -> list[tuple[str, int]]:
        """Addresses and ports that were taken out and still drain: AWS lists them too."""
        with self.lock:
            return [
                (target, record.port)
                for (of, target), record in self._records.items()
                if of == group and not record.registered and record.health == DRAINING
            ]
