"""What an execution's history tells: the states it went through, and the news, one by one.

The history is the only store. Whoever watches, reports or asks afterwards folds the same events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from quorumshift.domain.execution import Place
from quorumshift.domain.findings import findings

DEPLOYMENT = "Deployment"
_PARTS = {
    "Request": ("Receive", "ValidateRequest", "BuildOrNot"),
    "Build": ("StartBuild", "WaitForBuild", "PollBuild", "IsItBuilt"),
    "Task definition": ("RegisterTaskDefinition",),
    "Raft cluster before": ("VerifyRaft",),
    DEPLOYMENT: (
        "CreateDeployment",
        "NotifyStarted",
        "WaitForDeployment",
        "PollDeployment",
        "HowIsItGoing",
        "MissedLook",
        "LookAgain",
    ),
    "Roll-back": (
        "StopDeployment",
        "DidItSucceed",
        "NotifyRollingBack",
        "WaitForRollback",
        "PollRollback",
        "IsItUndone",
        "MissedRollback",
        "LookAgainAtRollback",
    ),
    "Raft cluster after": ("VerifyOutcome", "VerifyRollback"),
    "End": (
        "NotifySucceeded",
        "NotifyRolledBack",
        "NotifyFailed",
        "Deployed",
        "RolledBack",
        "Failed",
        "FailedUnheard",
        "RatherNot",
        "Skipped",
    ),
}
CHAPTERS = {state: chapter for chapter, states in _PARTS.items() for state in states}
"""State → the part of the execution it belongs to."""


class Mark(StrEnum):
    """What an event is about. ``STUMBLED``: a step failed, and may be tried again. ``REDRIVEN``: an
    execution that had ended goes on."""

    STARTED = "started"
    ENTERED = "entered"
    LEFT = "left"
    STUMBLED = "stumbled"
    ENDED = "ended"
    REDRIVEN = "redriven"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``at``: epoch seconds; ``document``: the state machine's own data as a state left
    it; ``error`` and ``cause`` where something failed; ``count``: of redrives."""

    number: int
    at: float
    mark: Mark
    state: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    cause: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class News:
    """One thing worth knowing. ``kind``: ``state``, ``request``, ``build``, ``revision``, ``raft``,
    ``deployment``, ``stage``, ``traffic``, ``hook``, ``alarm``, ``task``, ``votes``, ``error``,
    ``stop``, ``rollback``, ``outcome``, ``redrive`` or ``end``. ``chapter``: the part of the
    execution it belongs to; of a deployment, with its stage."""

    at: float
    kind: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    chapter: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay in a state. ``entered``, ``left``: epoch seconds; ``failures``: tries that failed
    on the way."""

    state: str
    entered: float
    left: float | None = None
    failures: int = 0


class Chronicle:
    """Folds events, oldest first. ``visits``: to states, in their order; ``news``: all so far;
    ``document``: the state machine's data, as far as it is known."""

    def __init__(self) -> None:
        self.visits: list[Visit] = []
        self.news: list[News] = []
        self.document: Mapping[str, Any] = {}
        self._part = ""
        self._stage = ""
        self._told: dict[str, str] = {}

    @property
    def state(self) -> str:
        """The last one that was entered."""
        return self.visits[-1].state if self.visits else ""

    @property
    def place(self) -> Place:
        """Where the execution stands."""
        return Place(self.state, dict(self.document))

    @property
    def chapter(self) -> str:
        """The part that the state at hand belongs to."""
        staged = self._part == DEPLOYMENT and self._stage
        return f"{DEPLOYMENT}: {self._stage}" if staged else self._part

    def take(self, event: Event) -> list[News]:
        """The news in one event."""
        self._visit(event)
        found = [
            News(event.at, kind, " ".join(text.split()), data, self.chapter)
            for kind, text, data in self._read(event)
        ]
        self.news += found
        return found

    def _visit(self, event: Event) -> None:
        if event.mark in (Mark.ENTERED, Mark.LEFT):
            self._part = CHAPTERS.get(event.state, self._part)
        here = self.visits[-1] if self.visits else None
        known = here is not None and here.state == event.state and here.left is None
        if event.mark is Mark.STUMBLED and here is not None:
            self.visits[-1] = replace(here, failures=here.failures + 1)
        # A redriven execution goes on in the state in which it had ended, entered anew or not
        # (Step Functions Developer Guide, "Redriving executions").
        if event.mark in (Mark.ENTERED, Mark.LEFT) and not known:
            self.visits.append(Visit(event.state, event.at))
        if event.mark is Mark.LEFT:
            self.visits[-1] = replace(self.visits[-1], left=event.at)

    def _read(self, event: Event) -> Iterator[tuple[str, str, dict[str, Any]]]:
        if event.mark is Mark.ENTERED:
            yield "state", event.state, {"state": event.state}
        if event.mark is Mark.STUMBLED:
            text = ": ".join(part for part in (event.error, event.cause) if part)
            yield "error", f"{self.state} failed: {text}", {"error": event.error}
        if event.mark is Mark.REDRIVEN:
            text = f"redrive {event.count}: it goes on where it had ended"
            yield "redrive", text, {"count": event.count}
        if event.mark is Mark.ENDED:
            yield "end", event.error, {"error": event.error, "cause": event.cause}
        if event.mark is Mark.LEFT and event.document:
            self.document = event.document
            yield from self._changes()

    def _changes(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for finding in findings(self.document):
            before = self._told.get(finding.about)
            self._told[finding.about] = finding.text
            if before == finding.text or (before is None and finding.quiet_at_first):
                continue
            if finding.kind == "stage":
                self._stage = str(finding.data["name"])
            yield finding.kind, finding.text, finding.data
