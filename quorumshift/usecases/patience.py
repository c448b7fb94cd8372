"""Tries again what AWS does not answer, for as long as there is time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from quorumshift.domain.errors import Transient
from quorumshift.domain.shown import one_line
from quorumshift.ports import Clock

T = TypeVar("T")

PAUSE_SECONDS = 10.0
RESERVE_SECONDS = 200.0
"""Of a function's time, for the last try: it may wait for the cluster, and for AWS."""


@dataclass(frozen=True, slots=True)
class Patience:
    """``until``: epoch seconds after which no further try begins."""

    clock: Clock
    until: float

    @classmethod
    def of(cls, context: object, clock: Clock) -> Patience:
        """As long as the invocation lasts that this is the context of, but for a reserve; without
        one (a test's, or a person's call) there is one try."""
        told = getattr(context, "get_remaining_time_in_millis", None)
        left = told() / 1000 - RESERVE_SECONDS if told else 0.0
        return cls(clock, clock.now() + left)

    def keep(self, deed: Callable[[], T]) -> T:
        """What ``deed`` returns, once it is not ``Transient``. Raises the last one."""
        while True:
            try:
                return deed()
            except Transient as error:
                if self.clock.now() + PAUSE_SECONDS >= self.until:
                    raise
                print(one_line(f"again in {PAUSE_SECONDS:.0f} s: {error}"))
                self.clock.sleep(PAUSE_SECONDS)
