"""What a rehearsal found. The JSON keys stay; docs/rehearsal.md lists them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line reads results without anything that makes them
    from quorumshift.rehearsal.load import LoadResult
    from quorumshift.rehearsal.observer import ObserverResult
    from quorumshift.rehearsal.players import PlayersResult


class Outcome(StrEnum):
    """How the deployment ended."""

    DEPLOYED = "Deployed"
    ROLLED_BACK = "RolledBack"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Requests:
    """What the load saw; times in milliseconds."""

    total: int
    failed: int
    p50_ms: float
    p99_ms: float

    @classmethod
    def of(cls, load: LoadResult) -> Requests:
        """What the load counted."""
        return cls(load.total, load.failed, load.p50_ms, load.p99_ms)


@dataclass(frozen=True, slots=True)
class Writes:
    """Acknowledged writes are read back at the end; without a quorum they are ``unreadable``, and
    nobody knows how many of them are lost. ``longest_stall_ms``: of a single write. ``failed``:
    writes that were not acknowledged."""

    acknowledged: int
    lost: int
    longest_stall_ms: float
    failed: int
    unreadable: int

    @classmethod
    def of(cls, load: LoadResult) -> Writes:
        """What the load counted."""
        return cls(
            acknowledged=load.acknowledged,
            lost=load.lost,
            longest_stall_ms=load.longest_stall_ms,
            failed=load.failed_writes,
            unreadable=load.unreadable,
        )


@dataclass(frozen=True, slots=True)
class Connections:
    """Open connections of players ``at`` seconds after the first of them came, by version."""

    at: int
    versions: dict[str, int]


@dataclass(frozen=True, slots=True)
class PlayersFound:
    """What the players went through, each on a connection that shall stay.

    ``connected``: in the end. ``reconnects``: connections that a player had to replace by another,
    ``broken`` of them because the old one broke, the others because its node told them that it
    ends. ``longest_gap_seconds``: the longest time that a player had none; ``long_gaps``: those of
    more than a second. Acknowledged commands are read back, as writes are; ``commands_refused``
    were answered with a no, ``commands_unanswered`` not at all. ``timeline``: every second.
    """

    connected: int
    reconnects: int
    broken: int
    longest_gap_seconds: float
    long_gaps: int
    commands_acknowledged: int
    commands_refused: int
    commands_unanswered: int
    commands_lost: int
    commands_unreadable: int
    timeline: tuple[Connections, ...] = ()

    @classmethod
    def of(cls, players: PlayersResult) -> PlayersFound:
        """What the players counted."""
        return cls(
            connected=players.connected,
            reconnects=players.reconnects,
            broken=players.broken,
            longest_gap_seconds=players.longest_gap_seconds,
            long_gaps=players.long_gaps,
            commands_acknowledged=players.acknowledged,
            commands_refused=players.nacked,
            commands_unanswered=players.unanswered,
            commands_lost=players.lost,
            commands_unreadable=players.unreadable,
            timeline=tuple(Connections(each.at, each.versions) for each in players.timeline),
        )


@dataclass(frozen=True, slots=True)
class Quorum:
    """Seconds in which fewer than a quorum of the voters answered. ``lost_at_end``: it was still
    so when the rehearsal ended."""

    lost_seconds: float
    lost_at_end: bool


@dataclass(frozen=True, slots=True)
class Leader:
    """How often leadership moved, the longest time without a leader, and all of them together."""

    changes: int
    longest_gap_seconds: float
    lost_seconds: float

    @classmethod
    def of(cls, seen: ObserverResult) -> Leader:
        """What the observer saw."""
        return cls(seen.leader_changes, seen.longest_gap_seconds, seen.leaderless_seconds)


@dataclass(frozen=True, slots=True)
class Hook:
    """A lifecycle hook's answer and what it rested on."""

    name: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Duration:
    """Real seconds from the command to the result."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """The whole result. ``states``: in the order in which they were first entered.
    ``api_calls``: calls of AWS made by the deployment's functions. ``logs``: the run's folder.
    ``service``: the sample that stood for it; ``contract``: what its nodes speak, empty where there
    is one only. ``players``: ``None`` where the service has none. ``initiator``: who asked for the
    deployment, as the execution's input says."""

    outcome: Outcome
    cause: str
    version_served: str
    fault: str | None
    nodes: int
    requests: Requests
    writes: Writes
    quorum: Quorum
    leader: Leader
    hooks: tuple[Hook, ...]
    states: tuple[str, ...]
    api_calls: int
    duration: Duration
    logs: str
    service: str = ""
    contract: str = ""
    players: PlayersFound | None = None
    initiator: str = ""
