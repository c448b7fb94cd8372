"""What an execution of ``deploy`` did, line by line: each state's finding once, and of each look at
the deployment what is new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quorumshift.report.story import Visit

CHAPTERS = {
    "Receive": "Request",
    "ValidateRequest": "Request",
    "BuildOrNot": "Request",
    "StartBuild": "Build",
    "WaitForBuild": "Build",
    "PollBuild": "Build",
    "IsItBuilt": "Build",
    "RegisterTaskDefinition": "Task definition",
    "VerifyRaft": "Raft cluster before",
    "VerifyOutcome": "Raft cluster after",
    "StopDeployment": "Roll-back",
    "NotifyRollingBack": "Roll-back",
    "WaitForRollback": "Roll-back",
    "PollRollback": "Roll-back",
    "IsItUndone": "Roll-back",
    "VerifyRollback": "Raft cluster after",
    "NotifySucceeded": "End",
    "NotifyRolledBack": "End",
    "NotifyFailed": "End",
    "Deployed": "End",
    "RolledBack": "End",
    "Failed": "End",
    "FailedUnheard": "End",
    "Skipped": "End",
}
"""State → the part of the story it belongs to. What stands in none belongs to the deployment."""
DEPLOYMENT = "Deployment"
_NOTHING_YET = ("pending", "skipped")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. ``chapter``: the part of the story it belongs to."""

    at: datetime
    chapter: str
    text: str


class Teller:
    """Tells visits in their order; keeps what was told, because only news is told."""

    def __init__(self) -> None:
        self._stage = ""
        self._known: dict[str, set[str]] = {}

    def chapter(self, visit: Visit) -> str:
        """The part that a visit belongs to; of a deployment, the stage that runs."""
        known = CHAPTERS.get(visit.state)
        if known:
            return known
        return f"{DEPLOYMENT}: {self._stage}" if self._stage else DEPLOYMENT

    def tell(self, visit: Visit) -> Iterator[Line]:
        """What is new in a visit that is over."""
        at = visit.left or visit.entered
        for failure in visit.failures:
            yield Line(at, self.chapter(visit), _one_line(f"{visit.state} failed: {failure}"))
        stages = _stages(visit)
        for name, status in stages:
            text = f"{name}: {status['status']}"
            if status["status"] not in _NOTHING_YET and self._is_new("stage", text):
                self._stage = name
                yield Line(at, self.chapter(visit), _with(text, status.get("message")))
        for topic, text in _findings(visit):
            if self._is_new(topic, text):
                yield Line(at, self.chapter(visit), _one_line(text))

    def _is_new(self, topic: str, text: str) -> bool:
        """A topic that is a state of things tells each change; others each text once."""
        known = self._known.setdefault(topic, set())
        if text in known:
            return False
        if topic in ("traffic", "votes"):
            known.clear()
        known.add(text)
        return True


def lines(visits: Iterable[Visit]) -> tuple[Line, ...]:
    """Everything that happened."""
    teller = Teller()
    return tuple(line for visit in visits for line in teller.tell(visit))


def _stages(visit: Visit) -> list[tuple[str, Mapping[str, Any]]]:
    if visit.state != "PollDeployment":
        return []
    rollout = (visit.output.get("observation") or {}).get("rollout") or {}
    return [(stage["name"], stage) for stage in rollout.get("stages") or ()]


def _findings(visit: Visit) -> Iterator[tuple[str, str]]:
    """(topic, text) of what a state's output says."""
    reader = _READERS.get(visit.state)
    if reader and visit.output:
        yield from reader(visit.output)


def _request(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    request = data.get("request") or {}
    asked = {key: text for key, text in request.items() if text}
    yield "request", "; ".join(f"{key} {_plain(text)}" for key, text in asked.items())


def _build(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    build = data.get("build") or {}
    if build.get("id"):
        phase = f", phase {build['phase']}" if build.get("phase") else ""
        yield "build", f"build {build['id']}: {build.get('status', 'running')}{phase}"
    if build.get("log"):
        yield "build log", f"log: {build['log']}"


def _revision(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    revision = data.get("revision") or {}
    before, after = (short(revision.get(key)) for key in ("from", "to"))
    how = "registered" if revision.get("registered") else "was there"
    if after:
        yield "revision", f"from {before} to {after} ({how}), image {revision.get('image')}"


def _verification(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for reason in (data.get("verification") or {}).get("reasons") or ():
        yield "verification", reason


def _deployment(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    deployment = data.get("deployment") or {}
    if deployment.get("id"):
        how = "adopted" if deployment.get("adopted") else "created"
        yield "deployment", f"CodeDeploy deployment {deployment['id']} {how}"


def _observation(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    seen = data.get("observation") or {}
    rollout = seen.get("rollout") or {}
    yield from _traffic(rollout)
    for check in seen.get("checks") or ():
        yield "check", _answer(check)
    for alarm in seen.get("alarms") or ():
        if alarm["ringing"]:
            yield "alarm", f"alarm {alarm['name']} rings: {alarm['reason']}"
    for failure in seen.get("failures") or ():
        yield "task", f"a task failed: {failure.get('reason') or _plain(failure)}"
    yield from _votes(seen)
    meaning = seen.get("meaning") or {}
    if meaning.get("cause"):
        yield "meaning", " ".join(filter(None, (meaning["cause"], meaning.get("advice"))))


def _rollback(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    found = data.get("rollback") or {}
    if found.get("undo"):
        yield "undo", f"CodeDeploy rolls back with deployment {found['undo']}"
    yield from _traffic(found.get("rollout") or {})
    if found.get("reason"):
        yield "rollback", found["reason"]


def _stop(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    running = (data.get("stop") or {}).get("wasRunning")
    yield "stop", "the deployment was stopped" if running else "the deployment had ended already"


def _outcome(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    outcome = data.get("outcome") or {}
    for check in outcome.get("checks") or ():
        yield "check", _answer(check)
    for reason in (outcome.get("cluster") or {}).get("reasons") or ():
        yield "outcome", reason
    if outcome.get("cause"):
        yield "outcome", outcome["cause"]


_READERS = {
    "ValidateRequest": _request,
    "StartBuild": _build,
    "PollBuild": _build,
    "RegisterTaskDefinition": _revision,
    "VerifyRaft": _verification,
    "CreateDeployment": _deployment,
    "PollDeployment": _observation,
    "StopDeployment": _stop,
    "PollRollback": _rollback,
    "VerifyOutcome": _outcome,
    "VerifyRollback": _outcome,
    "NotifyFailed": _outcome,
}


def _traffic(rollout: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    traffic = rollout.get("traffic")
    if traffic:
        yield "traffic", f"traffic: blue {traffic['blue']:g} %, green {traffic['green']:g} %"


def _votes(seen: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    nodes = (seen.get("cluster") or {}).get("nodes") or ()
    voters = [node["colour"] for node in nodes if node["standing"] == "voter"]
    if voters:
        counts = {colour: voters.count(colour) for colour in sorted(set(map(str, voters)))}
        yield "votes", "votes: " + ", ".join(f"{many} {colour}" for colour, many in counts.items())


def _answer(check: Mapping[str, Any]) -> str:
    return f"{check['name']} says {'yes' if check['passed'] else 'NO'}: {check['reason']}"


def short(arn: str | None) -> str:
    """``…:task-definition/sample:2`` → ``sample:2``."""
    return (arn or "").rpartition("/")[2]


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {text}" for key, text in value.items() if text)
    return str(value)


def _with(text: str, message: str | None) -> str:
    return _one_line(f"{text} ({message})" if message else text)


def _one_line(text: str) -> str:
    return " ".join(text.split())
