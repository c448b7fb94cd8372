"""What is told of a rollout: where it stands, what its hooks answered, what went wrong with it.

A *rollout* is one exchange of blue for green, as whatever engine runs it tells. It passes named
stages, moves traffic by weights, and may be stopped and rolled back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Progress(StrEnum):
    """Where a rollout stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"


class StageStatus(StrEnum):
    """Where one stage stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class EndedBy(StrEnum):
    """What ended a rollout that did not succeed."""

    NOTHING = ""
    ALARM = "alarm"
    REQUEST = "request"
    CHECK = "check"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. ``message``: what the engine says of its failure."""

    name: str
    status: StageStatus
    message: str = ""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Percent of the production traffic."""

    blue: float
    green: float


@dataclass(frozen=True, slots=True)
class Rollout:
    """What the engine tells. ``undone_by``: id of the rollout that rolls this one back;
    ``undoes``: id of the one that this one rolls back. ``revision``: number of the task definition
    asked for, where it is known. ``ignores_alarms``: it was started so that no alarm stops it."""

    id: str
    progress: Progress
    stages: tuple[Stage, ...] = ()
    traffic: Traffic | None = None
    ended_by: EndedBy = EndedBy.NOTHING
    message: str = ""
    undone_by: str | None = None
    undoes: str | None = None
    revision: int | None = None
    ignores_alarms: bool = False

    def stage(self, name: str) -> StageStatus:
        """The status of one stage; a stage the engine does not list is pending."""
        found = (stage.status for stage in self.stages if stage.name == name)
        return next(found, StageStatus.PENDING)


WAS_STOPPED = "the rollout was stopped"
"""How the reason of a hand-over begins that turned back for no reason of its own."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a hook or the hand-over answered, and what it rested on. ``consequence``: it says no
    because the rollout had been ended by then, so it is never why that ended. ``unmade``: it could
    not be made, so it says nothing of what was to be checked."""

    name: str
    passed: bool
    reason: str
    evidence: dict[str, Any] = field(default_factory=dict)
    consequence: bool = False
    unmade: bool = False

    @property
    def refused(self) -> bool:
        """Whether it is a no of its own."""
        return not self.passed and not self.consequence


@dataclass(frozen=True, slots=True)
class TaskFailure:
    """A green task that stopped although nobody wanted it to."""

    task: str
    reason: str
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm that watches the rollout. ``reason``: what it says of its state. ``off``: switched
    off in the deployment group, so that it stops nothing, and does not ring."""

    name: str
    ringing: bool
    reason: str = ""
    off: bool = False
