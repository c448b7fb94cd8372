"""What Step Functions answers about an execution, in our words.

Takes what an SDK gives and what the AWS CLI writes. The standard library is enough, because the
GitHub action reads histories where nothing is installed (docs/decisions/0010).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from quorumshift.domain.chronicle import Event, Mark
from quorumshift.domain.execution import Execution
from quorumshift.domain.outcome import read_failure

_ENDS = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")


def read_event(event: Mapping[str, Any]) -> Event | None:
    """One event of GetExecutionHistory; ``None`` for one that says nothing to anybody."""
    kind, number, at = str(event["type"]), int(event["id"]), seconds(event["timestamp"])
    if entered := event.get("stateEnteredEventDetails"):
        return Event(number, at, Mark.ENTERED, str(entered["name"]))
    if left := event.get("stateExitedEventDetails"):
        document = _document(left.get("output"))
        return Event(number, at, Mark.LEFT, str(left["name"]), document)
    details = _details(event)
    if kind == "ExecutionStarted":
        return Event(number, at, Mark.STARTED)
    if kind == "ExecutionRedriven":
        return Event(number, at, Mark.REDRIVEN, count=int(details.get("redriveCount") or 1))
    if kind not in _ENDS and not kind.endswith(("Failed", "TimedOut")):
        return None
    mark = Mark.ENDED if kind in _ENDS else Mark.STUMBLED
    error, cause = _freed(details)
    return Event(number, at, mark, error=error or _nameless(mark, kind), cause=cause)


def read_execution(found: Mapping[str, Any]) -> Execution:
    """What DescribeExecution answers."""
    stopped = found.get("stopDate")
    error, cause = _freed(found)
    return Execution(
        id=str(found["executionArn"]),
        name=str(found["name"]),
        status=str(found["status"]),
        started=seconds(found["startDate"]),
        stopped=seconds(stopped) if stopped else None,
        request=_document(found.get("input")),
        error=error,
        cause=cause,
    )


def seconds(time: Any) -> float:
    """A time as epoch seconds. An SDK gives a ``datetime``; the AWS CLI writes epoch seconds or
    ISO 8601, as its version and configuration say."""
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    return float(time.timestamp() if isinstance(time, datetime) else time)


def _details(event: Mapping[str, Any]) -> Mapping[str, Any]:
    found = (value for key, value in event.items() if key.endswith("EventDetails"))
    return next(found, None) or {}


def _freed(details: Mapping[str, Any]) -> tuple[str, str]:
    """Error and cause, the latter freed from Lambda's wrapping."""
    if not details.get("error"):
        return "", str(details.get("cause") or "")
    failure = read_failure({"Error": details["error"], "Cause": details.get("cause")})
    return failure.error, failure.message


def _nameless(mark: Mark, kind: str) -> str:
    return kind if mark is Mark.STUMBLED else ""


def _document(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:  # cut off, as history does with what is too long
        return {}
    return value if isinstance(value, dict) else {}
