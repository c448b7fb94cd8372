"""What a rehearsal found. The JSON keys stay; docs/rehearsal.md lists them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How the execution of the state machine ended."""

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


@dataclass(frozen=True, slots=True)
class Writes:
    """Acknowledged writes, all read back at the end. ``longest_stall_ms``: of a single write."""

    acknowledged: int
    lost: int
    longest_stall_ms: float


@dataclass(frozen=True, slots=True)
class Quorum:
    """Seconds in which fewer than a quorum of the voters answered."""

    lost_seconds: float


@dataclass(frozen=True, slots=True)
class Leader:
    """How often leadership moved, the longest time without a leader, and all of them together."""

    changes: int
    longest_gap_seconds: float
    lost_seconds: float


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
    ``api_calls``: calls of AWS made by the deployment's functions. ``logs``: the run's folder."""

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
