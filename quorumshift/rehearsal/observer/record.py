"""What the observer makes of its samples. Pure: times are passed in, in seconds.

A *sample* is what all voters of the newest known configuration said, at one time. The rules:

* A voter **stands** when it answers as the member that the configuration names. It is **down**
  when nobody listens at its address, when another member answers there, or when it has not
  answered for :data:`SILENT_SECONDS`. A slow answer is no missing answer: until then a voter
  counts for what it said last. The time is etcd's election timeout, after which its peers give a
  silent leader up too.
* **Quorum is lost** while fewer than ⌊n/2⌋ + 1 of the n voters stand; from the last good sample
  (or from when the voter that broke the quorum was last heard, whichever is earlier) to the next
  good one. It is an upper bound.
* There **is a leader** while a quorum of the voters names the same one in the same term, and it
  stands and says so itself: followers go on naming a dead leader until their election timeout.
  A **gap** lasts from the last sample with a leader (or from when the one that fell silent was
  last heard, whichever is earlier) to the next one with a leader. An upper bound, too; a change of
  leader that no sample fell into is no gap, and still counts as a change.
* Nothing is counted before the first good sample: a cluster that is being founded lost nothing.
* While the observer itself was not running (a busy machine), nothing is known: that time is
  counted apart, as unmeasured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from quorumshift.domain.raft import Standing, quorum

SILENT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Said:
    """Whom a voter names as leader (a Raft id), in which term."""

    leader: str | None
    term: int


@dataclass(frozen=True, slots=True)
class Sample:
    """``voters``: Raft ids of the newest configuration. ``standing``: what those of them say that
    stand. ``down``: since when the others have not been heard. ``blind``: for how many seconds
    before this sample the observer was not running."""

    at: float
    voters: frozenset[str]
    standing: Mapping[str, Said]
    down: Mapping[str, float]
    blind: float = 0.0

    @property
    def has_quorum(self) -> bool:
        """Enough voters stand."""
        return bool(self.voters) and len(self.standing) >= quorum(len(self.voters))

    @property
    def leader(self) -> Said | None:
        """The leader that a quorum of the voters names, itself included."""
        named = self._named
        if named is None or named.leader is None:
            return None
        return named if self.standing.get(named.leader) == named else None

    @property
    def leaderless_since(self) -> float:
        """When the leader that a quorum still names was last heard; now, if it does not name one
        that is down."""
        named = self._named
        return self.at if named is None else self.down.get(named.leader or "", self.at)

    @property
    def _named(self) -> Said | None:
        if not self.has_quorum:
            return None
        said, count = Counter(self.standing.values()).most_common(1)[0]
        return said if count >= quorum(len(self.voters)) else None

    @property
    def lost_since(self) -> float:
        """When the voter was last heard that was one too many to lose; now, if none was."""
        if self.has_quorum or not self.voters:
            return self.at
        spare = len(self.voters) - quorum(len(self.voters))
        return sorted(self.down.values())[spare]


@dataclass(frozen=True, slots=True)
class MemberSeen:
    """One node, as the observer sees it. ``answering``: its etcd is up."""

    address: str
    standing: Standing
    is_leader: bool
    answering: bool


@dataclass(frozen=True, slots=True)
class ObserverSnapshot:
    """Now. ``leader`` is an address. The last three are of the whole time."""

    at: float
    members: tuple[MemberSeen, ...]
    term: int
    leader: str | None
    has_quorum: bool
    quorum_lost_seconds: float
    leader_changes: int
    longest_gap_seconds: float


@dataclass(frozen=True, slots=True)
class VotersAt:
    """From ``at`` on these addresses voted."""

    at: float
    voters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeaderAt:
    """From ``at`` on this address led, in this term."""

    at: float
    leader: str
    term: int


@dataclass(frozen=True, slots=True)
class ObserverResult:
    """The whole time. ``began``: epoch seconds of ``at`` = 0. ``leader_changes``: how often a
    leader or its term was followed by another. ``unmeasured_seconds``: the observer itself did not
    run."""

    began: float
    seconds: float
    samples: int
    quorum_lost_seconds: float
    leader_changes: int
    longest_gap_seconds: float
    leaderless_seconds: float
    unmeasured_seconds: float
    voters: tuple[VotersAt, ...]
    leaders: tuple[LeaderAt, ...]


class Outages:
    """Adds up the times between a good sample and the next good one with a bad one in between."""

    def __init__(self) -> None:
        self._total = 0.0
        self._longest = 0.0
        self._last_good: float | None = None
        self._began: float | None = None

    def add(self, at: float, *, good: bool, since: float, blind: float) -> None:
        """One sample. ``since``: when things went bad at the latest, if it is bad."""
        if self._last_good is None and not good:
            return
        if blind and self._began is not None:
            self._began += blind
        elif blind:
            self._last_good = since = at
        if good:
            self._total, self._longest = self.total(at), self.longest(at)
            self._last_good, self._began = at, None
        elif self._began is None and self._last_good is not None:
            self._began = min(self._last_good, since)

    def total(self, now: float) -> float:
        """Seconds, one that lasts still included."""
        return self._total + self._running(now)

    def longest(self, now: float) -> float:
        """Seconds of the longest one, one that lasts still included."""
        return max(self._longest, self._running(now))

    def _running(self, now: float) -> float:
        return 0.0 if self._began is None else max(0.0, now - self._began)


class Record:
    """Everything that the samples told so far."""

    def __init__(self) -> None:
        self.samples = 0
        self.leader: Said | None = None
        self.leader_changes = 0
        self.unmeasured = 0.0
        self.troubled = False
        self._at = 0.0
        self._last_leader: Said | None = None
        self._quorum = Outages()
        self._leaderless = Outages()

    def add(self, sample: Sample) -> None:
        """Take one sample in; they come in order."""
        self.samples += 1
        self._at = sample.at
        self.leader = sample.leader
        self.troubled = self.leader is None
        self.unmeasured += sample.blind
        self._quorum.add(
            sample.at, good=sample.has_quorum, since=sample.lost_since, blind=sample.blind
        )
        self._leaderless.add(
            sample.at,
            good=self.leader is not None,
            since=sample.leaderless_since,
            blind=sample.blind,
        )
        if self.leader is not None and self.leader != self._last_leader:
            self.leader_changes += self._last_leader is not None
            self._last_leader = self.leader

    @property
    def quorum_lost_seconds(self) -> float:
        """In all."""
        return round(self._quorum.total(self._at), 3)

    @property
    def leaderless_seconds(self) -> float:
        """In all."""
        return round(self._leaderless.total(self._at), 3)

    @property
    def longest_gap_seconds(self) -> float:
        """The longest time without a leader."""
        return round(self._leaderless.longest(self._at), 3)
