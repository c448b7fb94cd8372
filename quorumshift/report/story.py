"""An execution of ``deploy`` as its history tells it: which states it went through, and what each
of them found.

Reads what Step Functions' GetExecutionHistory and DescribeExecution answer, as the AWS CLI or an
SDK gives it. The standard library is enough, because this also runs where nothing is installed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from quorumshift.domain.execution import FOLLOWING, ROLLED_BACK_AT, SKIPPED_AT


class Ending(StrEnum):
    """How an execution stands. ``REFUSED``: it ended before anything was touched."""

    RUNNING = "running"
    DEPLOYED = "deployed"
    ROLLED_BACK = "rolled back"
    REFUSED = "refused"
    FAILED = "failed"
    STOPPED = "stopped"
    TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay in a state. ``output``: the execution's data when it was left; ``failures``: what
    went wrong on the way, each as ``error: message``."""

    state: str
    entered: datetime
    left: datetime | None = None
    output: Mapping[str, Any] = field(default_factory=dict)
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """``name`` and ``arn``: of the execution. ``status``, ``error``, ``cause``: Step Functions'
    own."""

    arn: str
    name: str
    status: str
    started: datetime
    ended: datetime | None
    error: str
    cause: str
    visits: tuple[Visit, ...]

    @property
    def data(self) -> Mapping[str, Any]:
        """What is known: the output of the latest state that was left."""
        return next((visit.output for visit in reversed(self.visits) if visit.output), {})

    @property
    def ending(self) -> Ending:
        """How it stands."""
        last = self.visits[-1].state if self.visits else ""
        if self.status == "SUCCEEDED" and last == SKIPPED_AT:
            return Ending.REFUSED
        if self.status == "FAILED":
            if last == ROLLED_BACK_AT:
                return Ending.ROLLED_BACK
            touched = any(visit.state in FOLLOWING for visit in self.visits)
            return Ending.FAILED if touched else Ending.REFUSED
        return _ENDINGS[self.status]


_ENDINGS = {
    "RUNNING": Ending.RUNNING,
    "PENDING_REDRIVE": Ending.RUNNING,
    "SUCCEEDED": Ending.DEPLOYED,
    "ABORTED": Ending.STOPPED,
    "TIMED_OUT": Ending.TIMED_OUT,
}


def read(described: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> Story:
    """The story of the execution that DescribeExecution described, from its history in order."""
    stop = described.get("stopDate")
    return Story(
        arn=described["executionArn"],
        name=described["name"],
        status=described["status"],
        started=moment(described["startDate"]),
        ended=moment(stop) if stop is not None else None,
        error=described.get("error") or "",
        cause=described.get("cause") or "",
        visits=_visits(events),
    )


def moment(value: Any) -> datetime:
    """A time in UTC: seconds since 1970, ISO 8601, or a time already. Which of them the AWS CLI
    writes depends on its version and configuration."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value, UTC)
    return datetime.fromisoformat(value).astimezone(UTC)


def _visits(events: Iterable[Mapping[str, Any]]) -> tuple[Visit, ...]:
    visits: list[Visit] = []
    for event in events:
        if entered := event.get("stateEnteredEventDetails"):
            visits.append(Visit(entered["name"], moment(event["timestamp"])))
        elif left := event.get("stateExitedEventDetails"):
            visits[-1] = replace(
                visits[-1],
                left=moment(event["timestamp"]),
                output=_object(left.get("output")),
            )
        elif visits and (failure := _failure(event)):
            visits[-1] = replace(visits[-1], failures=(*visits[-1].failures, failure))
    return tuple(visits)


def _failure(event: Mapping[str, Any]) -> str:
    """What a failed try of a state says; empty for every other event."""
    kind = str(event["type"])
    if not kind.startswith(("LambdaFunction", "Task")) or not kind.endswith(("Failed", "TimedOut")):
        return ""
    found: Mapping[str, Any] = next(
        (details for key, details in event.items() if key.endswith("EventDetails")), {}
    )
    error, cause = found.get("error") or kind, found.get("cause") or ""
    told = _object(cause).get("errorMessage") or cause
    return f"{error}: {told}" if told else str(error)


def _object(text: str | None) -> Mapping[str, Any]:
    """A JSON object; empty where the text is none, as when it was too long to be kept."""
    try:
        value = json.loads(text or "")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
