"""What an execution's history tells: the news of it, one by one.

The history is the only store. Whoever watches, reports or asks afterwards folds the same events.
Documents are read leniently: an execution may have been run by another version of the product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Mark(StrEnum):
    """What an event is about. ``STUMBLED``: a step failed, and may be tried again."""

    STARTED = "started"
    ENTERED = "entered"
    LEFT = "left"
    STUMBLED = "stumbled"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``at``: epoch seconds; ``document``: the state machine's own data, as the state
    was given it or as it left it; ``error`` and ``cause`` where something failed."""

    number: int
    at: float
    mark: Mark
    state: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """One thing worth a line. ``kind``: ``state``, ``revision``, ``raft``, ``deployment``,
    ``stage``, ``hook``, ``traffic``, ``alarm``, ``task``, ``build``, ``rollback``, ``error`` or
    ``end``."""

    at: float
    kind: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)


class Chronicle:
    """Folds events, oldest first, into news; keeps the last document and state."""

    def __init__(self) -> None:
        self.state = ""
        self.document: Mapping[str, Any] = {}
        self.states: list[str] = []
        self._told: dict[str, Any] = {}

    def take(self, event: Event) -> list[News]:
        """The news in one event."""
        return [News(event.at, kind, text, data) for kind, text, data in self._read(event)]

    def _read(self, event: Event) -> Iterator[tuple[str, str, dict[str, Any]]]:
        if event.mark is Mark.ENTERED:
            self.state = event.state
            if event.state not in self.states:
                self.states.append(event.state)
            yield "state", event.state, {"state": event.state}
        if event.mark is Mark.STUMBLED:
            yield "error", f"{self.state}: {event.error}: {event.cause}", {"error": event.error}
        if event.mark is Mark.ENDED:
            yield "end", event.error or "", {"error": event.error, "cause": event.cause}
        if event.mark in (Mark.ENTERED, Mark.LEFT) and event.document:
            self.document = event.document
            yield from self._changes(event.document)

    def _changes(self, document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for kind, key, text, data in _facts(document):
            if self._told.get(key) != text:
                first = key not in self._told
                self._told[key] = text
                if text and not (first and data.get("quietAtFirst")):
                    data.pop("quietAtFirst", None)
                    yield kind, text, data


Fact = tuple[str, str, str, dict[str, Any]]
"""Kind, what it is about, how it stands in words, and the same as data."""


def _facts(document: Mapping[str, Any]) -> Iterator[Fact]:
    """All that a document tells, each under a key whose text changes when there is news."""
    yield from _build(document)
    revision = _table(document, "revision")
    if revision.get("to"):
        text = f"{short(revision.get('from'))} → {short(revision['to'])}, {revision.get('image')}"
        yield "revision", "revision", text, dict(revision)
    verification = _table(document, "verification")
    for reason in (verification.get("reasons") or [])[:1]:
        yield "raft", "verification", str(reason), {"decision": verification.get("decision")}
    deployment = _table(document, "deployment")
    if deployment.get("id"):
        adopted = ", which an earlier try had started" if deployment.get("adopted") else ""
        yield "deployment", "deployment", f"{deployment['id']} started{adopted}", dict(deployment)
    yield from _observed(_table(document, "observation"))
    yield from _undone(_table(document, "rollback"))


def _build(document: Mapping[str, Any]) -> Iterator[Fact]:
    build = _table(document, "build")
    if build.get("status"):
        words = [str(build[key]) for key in ("id", "status", "phase") if build.get(key)]
        yield "build", "build", " ".join(words), dict(build)


def _observed(seen: Mapping[str, Any]) -> Iterator[Fact]:
    rollout = _table(seen, "rollout")
    for stage in rollout.get("stages") or []:
        if stage["status"] in ("running", "done", "failed"):
            message = f": {stage['message']}" if stage.get("message") else ""
            text = f"{stage['name']} {stage['status']}{message}"
            yield "stage", f"stage {stage['name']}", text, dict(stage)
    yield from _traffic(rollout)
    for check in seen.get("checks") or []:
        said = "yes" if check["passed"] else "NO"
        text = f"{check['name']}: {said}. {check['reason']}"
        yield "hook", f"hook {check['name']}", text, dict(check)
    for alarm in seen.get("alarms") or []:
        what = f"rings: {alarm.get('reason')}" if alarm["ringing"] else "is quiet"
        quiet = {} if alarm["ringing"] else {"quietAtFirst": True}
        name = str(alarm["name"])
        yield "alarm", f"alarm {name}", f"{name} {what}", {**alarm, **quiet}
    for failure in seen.get("failures") or []:
        code = failure.get("exitCode")
        exit_code = f", exit code {code}" if code is not None else ""
        text = f"{short(failure['task'])} of green stopped: {failure['reason']}{exit_code}"
        yield "task", f"task {failure['task']}", text, dict(failure)
    yield from _cluster(_table(seen, "verdict"))
    meaning = _table(seen, "meaning")
    if meaning.get("error"):
        yield "error", "meaning", f"{meaning['error']}: {meaning.get('cause')}", dict(meaning)


def _traffic(rollout: Mapping[str, Any]) -> Iterator[Fact]:
    traffic = _table(rollout, "traffic")
    if traffic:
        text = f"blue {traffic['blue']:g} %, green {traffic['green']:g} %"
        yield "traffic", "traffic", text, dict(traffic)


def _cluster(verdict: Mapping[str, Any]) -> Iterator[Fact]:
    found = _table(verdict, "evidence")
    if not found:
        return
    healthy = verdict.get("decision") == "proceed"
    text = cluster_line(found)
    reasons = "" if healthy else f". {' '.join(map(str, verdict.get('reasons') or []))}"
    yield "raft", "cluster", f"{text}{reasons}", {"decision": verdict.get("decision"), **found}


def cluster_line(found: Mapping[str, Any]) -> str:
    """The evidence of a verdict in a line: who votes, who learns, who leads."""
    voters = found.get("voters") or []
    learners = f"; learners {', '.join(found['learners'])}" if found.get("learners") else ""
    return (
        f"voters {', '.join(voters) or 'unknown'}{learners}; "
        f"leader {found.get('leader') or 'none'}, term {found.get('term')}; "
        f"{len(found.get('healthy') or [])} of {len(voters)} healthy"
    )


def _undone(rollback: Mapping[str, Any]) -> Iterator[Fact]:
    if rollback.get("reason"):
        data = {key: rollback.get(key) for key in ("decision", "reason", "undo")}
        yield "rollback", "rollback", str(rollback["reason"]), data
    yield from _traffic(_table(rollback, "rollout"))


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key)
    return found if isinstance(found, Mapping) else {}


def short(arn: object) -> str:
    """What stands behind the last slash of an ARN."""
    return str(arn or "").rpartition("/")[2]
