"""What the players count. Pure: times are passed in, in seconds since the first of them came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from quorumshift.rehearsal.failures import Failure, Failures

LONG_SECONDS = 1.0
"""A player notices a gap that is longer than this."""


class Cause(StrEnum):
    """Why a player opens another connection: it was told ``Shutdown``, or the old one broke."""

    TOLD = "told"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Presence:
    """Open connections at second ``at``, by version."""

    at: int
    versions: dict[str, int]


@dataclass(frozen=True, slots=True)
class PlayersSnapshot:
    """So far, ``at`` seconds after the first player came (``began``: epoch seconds).

    ``count``: players that there shall be at any time; ``connected``: those who have a connection.
    ``versions`` and ``nodes``: open connections, where a player who changes over has two. ``told``,
    ``broken``: players who took another connection, see :class:`Cause`; ``left``: who left by
    themselves. ``longest_gap_seconds``: the longest time that a player was without one, 0 where the
    next was open before the old was closed; ``long_gaps``: those of more than a second. ``sent``:
    commands, each counted once however often it went out; ``waiting`` of them have no answer yet.
    """

    at: float
    began: float
    count: int
    connected: int
    versions: dict[str, int]
    nodes: dict[str, int]
    told: int
    broken: int
    left: int
    longest_gap_seconds: float
    long_gaps: int
    sent: int
    acknowledged: int
    nacked: int
    waiting: int
    last_error: str | None

    @property
    def reconnects(self) -> int:
        """Those that no player wanted."""
        return self.told + self.broken


@dataclass(frozen=True, slots=True)
class PlayersResult:
    """The whole time; the words of :class:`PlayersSnapshot`.

    ``connected``: when the players were told to finish. ``longest_entry_seconds``: a new player's
    longest wait for its first connection. ``resent``: commands that went out once more, over
    another connection. ``acknowledged`` ones were read back; ``lost`` of them were missing or
    wrong, and nobody could tell of the ``unreadable`` ones. ``unanswered``: sent, and neither
    acknowledged nor refused in the end. ``timeline``: every second.
    """

    began: float
    count: int
    connected: int
    versions: dict[str, int]
    told: int
    broken: int
    left: int
    longest_gap_seconds: float
    long_gaps: int
    longest_entry_seconds: float
    sent: int
    resent: int
    acknowledged: int
    nacked: int
    unanswered: int
    lost: int
    unreadable: int
    errors: tuple[Failure, ...]
    timeline: tuple[Presence, ...]

    @property
    def reconnects(self) -> int:
        """Those that no player wanted."""
        return self.told + self.broken


class Tally:
    """Counts what happens to ``count`` players at a time, who are told apart by number.
    ``began``: epoch seconds."""

    def __init__(self, count: int, began: float) -> None:
        self.count = count
        self.began = began
        self.left = 0
        self.sent = 0
        self.resent = 0
        self.nacked = 0
        self.acknowledged: list[str] = []
        self.failures = Failures()
        self._reconnects: Counter[Cause] = Counter()
        self._versions: Counter[str] = Counter()
        self._nodes: Counter[str] = Counter()
        self._links: Counter[int] = Counter()
        self._without: dict[int, float] = {}
        self._longest_gap = 0.0
        self._long_gaps = 0
        self._longest_entry = 0.0
        self._timeline: list[Presence] = []

    def opened(self, player: int, version: str, node: str, at: float, cause: Cause | None) -> None:
        """A connection is open. ``cause``: why it had to be; ``None``: the player is new."""
        self._versions[version] += 1
        self._nodes[node] += 1
        self._links[player] += 1
        if cause is not None:
            self._reconnects[cause] += 1
        self._end_gap(player, at)

    def closed(self, player: int, version: str, node: str, at: float, *, wanted: bool) -> None:
        """A connection has ended. Without another one, the player's gap begins, unless it
        ``wanted`` to leave."""
        self._versions[version] -= 1
        self._nodes[node] -= 1
        self._links[player] -= 1
        if not self._links[player]:
            del self._links[player]
            if not wanted:
                self._without[player] = at

    def entered(self, took: float) -> None:
        """A new player has, or still waits for, its first connection since ``took`` seconds."""
        self._longest_entry = max(self._longest_entry, took)

    def gone(self, player: int) -> None:
        """It has left by itself, which is no gap."""
        self._without.pop(player, None)
        self.left += 1

    def tick(self, at: int) -> None:
        """It is second ``at``; told more often, the first time counts."""
        if not self._timeline or self._timeline[-1].at < at:
            self._timeline.append(Presence(at, _present(self._versions)))

    def snapshot(self, at: float, waiting: int) -> PlayersSnapshot:
        """The counts at this time. ``waiting``: commands without an answer."""
        return PlayersSnapshot(
            at=round(at, 2),
            began=self.began,
            count=self.count,
            connected=len(self._links),
            versions=_present(self._versions),
            nodes=_present(self._nodes),
            told=self._reconnects[Cause.TOLD],
            broken=self._reconnects[Cause.BROKEN],
            left=self.left,
            longest_gap_seconds=self._longest(at),
            long_gaps=self._long(at),
            sent=self.sent,
            acknowledged=len(self.acknowledged),
            nacked=self.nacked,
            waiting=waiting,
            last_error=self.failures.last,
        )

    def result(
        self, at_end: PlayersSnapshot, at: float, unanswered: int, lost: int, unreadable: int
    ) -> PlayersResult:
        """The whole time. ``at_end``: when they were told to finish; ``at``: now."""
        return PlayersResult(
            began=self.began,
            count=self.count,
            connected=at_end.connected,
            versions=at_end.versions,
            told=self._reconnects[Cause.TOLD],
            broken=self._reconnects[Cause.BROKEN],
            left=self.left,
            longest_gap_seconds=self._longest(at),
            long_gaps=self._long(at),
            longest_entry_seconds=round(self._longest_entry, 3),
            sent=self.sent,
            resent=self.resent,
            acknowledged=len(self.acknowledged),
            nacked=self.nacked,
            unanswered=unanswered,
            lost=lost,
            unreadable=unreadable,
            errors=self.failures.all(),
            timeline=tuple(self._timeline),
        )

    def _end_gap(self, player: int, at: float) -> None:
        since = self._without.pop(player, None)
        if since is not None:
            self._longest_gap = max(self._longest_gap, at - since)
            self._long_gaps += at - since > LONG_SECONDS

    def _longest(self, at: float) -> float:
        """One that lasts still included."""
        running = max((at - since for since in self._without.values()), default=0.0)
        return round(max(self._longest_gap, running), 3)

    def _long(self, at: float) -> int:
        return self._long_gaps + sum(at - since > LONG_SECONDS for since in self._without.values())


def _present(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items()) if count}
