"""The load during a benchmark, second by second while it runs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass

from quorumshift.rehearsal.load import Load, LoadResult, Second


@dataclass(frozen=True, slots=True)
class Window:
    """The whole seconds that a time touches: requests due in them that have ended, how many of
    them failed, and the longest single write, in milliseconds."""

    total: int
    failed: int
    longest_write_ms: float


def window(seconds: Iterable[Second], first: float, last: float) -> Window:
    """``first``, ``last``: seconds of the load's own time."""
    inside = [one for one in seconds if math.floor(first) <= one.at <= last]
    return Window(
        total=sum(one.total for one in inside),
        failed=sum(one.failed for one in inside),
        longest_write_ms=max((one.longest_write_ms for one in inside), default=0.0),
    )


class Traffic:
    """Keeps all seconds of a load, of which its snapshots hold the last ones."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._seconds: dict[int, Second] = {}
        self._began = 0.0

    def look(self) -> None:
        """Take in what is new; to be called more often than once in ten seconds."""
        seen = self._load.snapshot()
        self._began = seen.began
        self._seconds |= {one.at: one for one in seen.recent}

    def window(self, began: float, ended: float) -> Window:
        """Of the time between two epoch seconds."""
        return window(self._seconds.values(), began - self._began, ended - self._began)

    def flows(self, since: float, rate: int) -> bool:
        """Whether every request was answered well in some second after ``since`` (epoch)."""
        after = math.floor(since - self._began) + 1
        now = math.floor(time.time() - self._began)
        return any(
            one.total >= rate and not one.failed
            for at, one in self._seconds.items()
            if after <= at < now
        )

    def finish(self) -> LoadResult:
        """End the load and read every acknowledged write back."""
        result = self._load.finish()
        self._seconds = {one.at: one for one in result.timeline}
        return result
