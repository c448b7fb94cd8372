"""In which ways something failed, counted. Pure: times are passed in, in seconds."""

from __future__ import annotations

from dataclasses import dataclass

_DISTINCT = 10


@dataclass(frozen=True, slots=True)
class Failure:
    """A way in which something failed. ``at``: seconds from the start to the first time."""

    at: float
    what: str
    count: int


class Failures:
    """Those seen so far; of more than a few different ones, the rest count together."""

    def __init__(self) -> None:
        self.last: str | None = None
        self._seen: dict[str, tuple[float, int]] = {}

    def note(self, what: str, at: float) -> None:
        """Count one."""
        self.last = what
        if what not in self._seen and len(self._seen) >= _DISTINCT:
            what = "others"
        first, count = self._seen.get(what, (at, 0))
        self._seen[what] = (first, count + 1)

    def all(self) -> tuple[Failure, ...]:
        """In the order in which each was first seen."""
        return tuple(Failure(round(at, 2), what, count) for what, (at, count) in self._seen.items())
