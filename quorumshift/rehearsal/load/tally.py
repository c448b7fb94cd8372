"""What the load counts. Pure: times are passed in, in seconds."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from quorumshift.rehearsal.failures import Failure, Failures

_LAST_ANSWERS = 100
RECENT_SECONDS = 15
"""More than the longest that a request may take, so that a snapshot holds each second when all of
its requests have ended."""


@dataclass(frozen=True, slots=True)
class Second:
    """The requests that were due in second ``at`` and have ended. ``versions``: who answered how
    many. ``longest_write_ms``: of a single write, answered or not; 0 without one."""

    at: int
    total: int
    failed: int
    versions: dict[str, int]
    longest_write_ms: float


@dataclass(frozen=True, slots=True)
class LoadSnapshot:
    """So far. ``rate`` (requests a second) and ``versions`` are of the time since the snapshot
    before, ``recent`` is of the last seconds, everything else of the whole run. ``began``: epoch
    seconds of ``at`` = 0."""

    at: float
    total: int
    failed: int
    p50_ms: float
    p99_ms: float
    rate: float
    versions: dict[str, int]
    last_error: str | None
    began: float
    recent: tuple[Second, ...]


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The whole run. ``acknowledged`` writes were read back; ``lost`` of them were missing or
    wrong, and nobody could tell of the ``unreadable`` ones. ``longest_stall_ms``: of a single
    write, answered or not. ``version_served``: which version gave most of the last answers; empty
    when nobody answered. ``timeline``: every second. ``began``: epoch seconds of its second 0.
    """

    total: int
    failed: int
    p50_ms: float
    p99_ms: float
    acknowledged: int
    failed_writes: int
    lost: int
    unreadable: int
    longest_stall_ms: float
    versions: dict[str, int]
    version_served: str
    errors: tuple[Failure, ...]
    timeline: tuple[Second, ...]
    began: float


@dataclass(slots=True)
class _SecondSoFar:
    total: int = 0
    failed: int = 0
    longest_write: float = 0.0
    versions: Counter[str] = field(default_factory=Counter)

    def so_far(self, at: int) -> Second:
        """What is known of second ``at`` by now."""
        longest = round(self.longest_write * 1000, 1)
        return Second(at, self.total, self.failed, dict(self.versions), longest)


class Latencies:
    """Percentiles, exact to a tenth of a millisecond, in little memory."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[round(seconds * 10_000)] += 1

    def percentile(self, percent: float) -> float:
        """Milliseconds within which this share of all answers came (nearest rank); 0 of none."""
        rank = percent / 100 * self._counts.total()
        seen = 0
        for tenth in sorted(self._counts):
            seen += self._counts[tenth]
            if seen >= rank:
                return tenth / 10
        return 0.0


class Tally:
    """Counts requests as they end. ``began``: epoch seconds at which the first one was due."""

    def __init__(self) -> None:
        self.began = 0.0
        self.total = 0
        self.failed = 0
        self.failed_writes = 0
        self._latencies = Latencies()
        self._longest_write = 0.0
        self._versions: Counter[str] = Counter()
        self._last_answers: deque[str] = deque(maxlen=_LAST_ANSWERS)
        self._errors = Failures()
        self._seconds: dict[int, _SecondSoFar] = {}
        self._before = (0.0, 0, Counter[str]())

    def add(
        self, *, due: float, took: float, write: bool, version: str | None, error: str | None
    ) -> None:
        """One request has ended. ``due``: when it should have started, ``took``: how long after
        that it ended. ``error``: why it failed, or ``None``."""
        second = self._seconds.setdefault(int(due), _SecondSoFar())
        self.total += 1
        second.total += 1
        self._latencies.add(took)
        if write:
            self._longest_write = max(self._longest_write, took)
            second.longest_write = max(second.longest_write, took)
        if version is not None:
            self._versions[version] += 1
            self._last_answers.append(version)
            second.versions[version] += 1
        if error is not None:
            self.failed += 1
            self.failed_writes += write
            second.failed += 1
            self._errors.note(error, due)

    def snapshot(self, at: float) -> LoadSnapshot:
        """The counts ``at`` seconds after the first request."""
        since, total, versions = self._before
        self._before = (at, self.total, self._versions.copy())
        return LoadSnapshot(
            at=round(at, 2),
            total=self.total,
            failed=self.failed,
            p50_ms=self._latencies.percentile(50),
            p99_ms=self._latencies.percentile(99),
            rate=round((self.total - total) / max(at - since, 1e-9), 1),
            versions=dict(self._versions - versions),
            last_error=self._errors.last,
            began=self.began,
            recent=self._since(int(at) - RECENT_SECONDS),
        )

    def result(self, *, acknowledged: int, lost: int, unreadable: int = 0) -> LoadResult:
        """The whole run."""
        last = Counter(self._last_answers).most_common(1)
        return LoadResult(
            total=self.total,
            failed=self.failed,
            p50_ms=self._latencies.percentile(50),
            p99_ms=self._latencies.percentile(99),
            acknowledged=acknowledged,
            failed_writes=self.failed_writes,
            lost=lost,
            unreadable=unreadable,
            longest_stall_ms=round(self._longest_write * 1000, 1),
            versions=dict(self._versions),
            version_served=last[0][0] if last else "",
            errors=self._errors.all(),
            timeline=self._since(0),
            began=self.began,
        )

    def _since(self, first: int) -> tuple[Second, ...]:
        """The seconds from ``first`` on in which a request was due that has ended."""
        last = max(self._seconds, default=-1)
        return tuple(
            self._seconds[at].so_far(at)
            for at in range(max(first, 0), last + 1)
            if at in self._seconds
        )
