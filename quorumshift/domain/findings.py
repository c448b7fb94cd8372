"""What the state machine's data tells: findings, each about one thing, and the parts that reports
show by themselves.

Read leniently: an execution may have been run by another version of the product, and a document
may be cut off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]
_BEGUN = ("running", "done", "failed")


@dataclass(frozen=True, slots=True)
class Finding:
    """``about``: what it is about; when ``text`` changes, there is news of it. ``kind``: as of
    :class:`quorumshift.domain.chronicle.News`. ``quiet_at_first``: no news unless it changes."""

    kind: str
    about: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    quiet_at_first: bool = False


def findings(document: Document) -> tuple[Finding, ...]:
    """All that a document tells, each thing once: what a later step says of it counts."""
    found = {one.about: one for one in _all(document) if one.text}
    return tuple(found.values())


def traffic(document: Document) -> Document:
    """The latest that is known: ``{"blue", "green"}`` in percent; empty where nobody has looked.
    A roll-back that is done has brought all of it back."""
    if table(document, "rollback").get("decision") == "done":
        return {"blue": 100.0, "green": 0.0}
    looks = (table(table(document, key), "rollout") for key in ("rollback", "observation"))
    known = (table(look, "traffic") for look in looks)
    return next((found for found in known if _are_weights(found)), {})


def stages(document: Document) -> list[Document]:
    """The deployment's stages in their order: ``name``, ``status``, ``message``."""
    return _rows(table(table(document, "observation"), "rollout"), "stages", "name", "status")


def checks(document: Document) -> list[Document]:
    """Each hook's answer with its evidence, as the latest step that asked for them knows it."""
    looks = (table(document, key) for key in ("outcome", "observation"))
    known = (_rows(look, "checks", "name", "passed", "reason") for look in looks)
    return next(filter(None, known), [])


def alarms(document: Document) -> list[Document]:
    """The deployment's alarms: ``name``, ``ringing``, ``reason``, ``off``."""
    return _rows(table(document, "observation"), "alarms", "name", "ringing")


def alarms_ignored(document: Document) -> bool:
    """Whether no alarm stops the deployment, because whoever started it said so."""
    rollout = table(table(document, "observation"), "rollout")
    return rollout.get("ignoresAlarms") is True


def failures(document: Document) -> list[Document]:
    """Tasks of green that stopped although nobody wanted it: ``task``, ``reason``, ``exitCode``."""
    return _rows(table(document, "observation"), "failures", "task", "reason")


def nodes(document: Document) -> list[Document]:
    """The cluster's nodes, as the latest look knows them: ``address``, ``colour``, ``standing``."""
    looks = (table(table(document, key), "cluster") for key in ("rollback", "observation"))
    known = (_rows(look, "nodes", "address", "colour", "standing") for look in looks)
    return next(filter(None, known), [])


def verdict(document: Document) -> Document:
    """The latest verdict of the cluster: ``decision``, ``reasons``, ``evidence``. Empty while it is
    rolled back, when it is not judged."""
    if after := table(table(document, "outcome"), "cluster"):
        return after
    return {} if "rollback" in document else table(table(document, "observation"), "verdict")


def table(document: Document, key: str) -> Document:
    """What stands under ``key``; empty where no table does."""
    found = document.get(key)
    return found if isinstance(found, Mapping) else {}


def build_line(document: Document) -> str:
    """The build, in a line; empty where there is none."""
    build = table(document, "build")
    phase = f", phase {build['phase']}" if build.get("phase") else ""
    return f"{build['id']} {build.get('status') or 'running'}{phase}" if build.get("id") else ""


def texts(document: Document, key: str) -> list[str]:
    """The texts that are listed under ``key``."""
    found = document.get(key)
    return [str(one) for one in found] if isinstance(found, list) else []


def short(arn: object) -> str:
    """What stands behind the last slash of an ARN."""
    return str(arn or "").rpartition("/")[2]


def cluster_line(found: Document) -> str:
    """The evidence of a verdict in a line: who votes, who learns, who leads."""
    voters, learners, healthy = (texts(found, key) for key in ("voters", "learners", "healthy"))
    learning = f"; learners {', '.join(learners)}" if learners else ""
    return (
        f"voters {', '.join(voters) or 'unknown'}{learning}; "
        f"leader {found.get('leader') or 'none'}, term {found.get('term')}; "
        f"{len(healthy)} of {len(voters)} healthy"
    )


def _all(document: Document) -> Iterator[Finding]:
    yield from _prepared(document)
    yield from _stages(document)
    if weights := traffic(document):
        text = f"blue {weights['blue']:g} %, green {weights['green']:g} %"
        yield Finding("traffic", "traffic", text, dict(weights))
    for check in checks(document):
        text = f"{check['name']}: {'yes' if check['passed'] else 'NO'}. {check['reason']}"
        yield Finding("hook", f"hook {check['name']}", text, dict(check))
    yield from _alarms(document)
    yield from _failures(document)
    yield from _cluster(document)
    unseen = str(table(document, "observation").get("unseen") or "")
    yield Finding("error", "unseen", unseen and f"nobody could look: {unseen}")
    yield from _meaning(table(table(document, "observation"), "meaning"))
    yield from _undone(document)
    yield from _outcome(table(document, "outcome"))


def _prepared(document: Document) -> Iterator[Finding]:
    request = {key: value for key, value in table(document, "request").items() if value}
    yield Finding("request", "request", "; ".join(map(_asked, request.items())), request)
    build = table(document, "build")
    yield Finding("build", "build", build_line(document), dict(build))
    if build.get("log"):
        yield Finding("build", "build's log", f"log: {build['log']}")
    revision = table(document, "revision")
    if revision.get("to"):
        known = revision.get("registered")
        how = "" if known is None else " (registered)" if known else " (was there)"
        text = f"{short(revision.get('from'))} → {short(revision['to'])}{how}"
        yield Finding("revision", "revision", f"{text}, {revision.get('image')}", dict(revision))
    verification = table(document, "verification")
    data = {"decision": verification.get("decision")}
    yield Finding("raft", "verification", _sentence(verification), data)
    deployment = table(document, "deployment")
    if deployment.get("id"):
        how = "adopted: an earlier try had created it" if deployment.get("adopted") else "created"
        text = f"{deployment['id']} {how}"
        yield Finding("deployment", "deployment", text, dict(deployment))


def _asked(item: tuple[str, Any]) -> str:
    key, value = item
    if isinstance(value, Mapping):
        value = ", ".join(f"{part} {text}" for part, text in value.items() if text)
    return f"{key} {value}"


def _stages(document: Document) -> Iterator[Finding]:
    for stage in stages(document):
        if stage["status"] in _BEGUN:
            message = f": {stage['message']}" if stage.get("message") else ""
            text = f"{stage['name']} {stage['status']}{message}"
            yield Finding("stage", f"stage {stage['name']}", text, dict(stage))


def _alarms(document: Document) -> Iterator[Finding]:
    rings = "rings, which stops nothing" if alarms_ignored(document) else "rings"
    for alarm in alarms(document):
        quiet = "is switched off in the deployment group" if alarm.get("off") else "is quiet"
        what = f"{rings}: {alarm.get('reason')}" if alarm["ringing"] else quiet
        about = f"alarm {alarm['name']}"
        text = f"{alarm['name']} {what}"
        unremarkable = not alarm["ringing"] and not alarm.get("off")
        yield Finding("alarm", about, text, dict(alarm), quiet_at_first=unremarkable)


def _failures(document: Document) -> Iterator[Finding]:
    for failure in failures(document):
        code = failure.get("exitCode")
        exit_code = f", exit code {code}" if code is not None else ""
        text = f"{short(failure['task'])} of green stopped: {failure['reason']}{exit_code}"
        yield Finding("task", f"task {failure['task']}", text, dict(failure))


def _cluster(document: Document) -> Iterator[Finding]:
    votes = [str(node["colour"]) for node in nodes(document) if node["standing"] == "voter"]
    counts = {colour: votes.count(colour) for colour in sorted(set(votes))}
    text = ", ".join(f"{many} {colour}" for colour, many in counts.items())
    yield Finding("votes", "votes", text, dict(counts))
    said = table(table(document, "observation"), "verdict")
    if found := table(said, "evidence"):
        why = "" if said.get("decision") == "proceed" else f". {_sentence(said)}"
        data = {"decision": said.get("decision"), **found}
        yield Finding("raft", "cluster", f"{cluster_line(found)}{why}", data)


def _meaning(meaning: Document) -> Iterator[Finding]:
    if meaning.get("error"):
        advice = f". {meaning['advice']}" if meaning.get("advice") else ""
        text = f"{meaning['error']}: {meaning.get('cause')}{advice}"
        yield Finding("error", "meaning", text, dict(meaning))


def _undone(document: Document) -> Iterator[Finding]:
    stop, rollback = table(document, "stop"), table(document, "rollback")
    if stop:
        how = "was stopped" if stop.get("wasRunning") else "had ended already"
        how = "had succeeded already" if stop.get("progress") == "succeeded" else how
        yield Finding("stop", "stop", f"the deployment {how}", dict(stop))
    if rollback.get("undo"):
        data = {"undo": rollback["undo"]}
        yield Finding("rollback", "undo", f"deployment {rollback['undo']} rolls it back", data)
    data = {key: rollback.get(key) for key in ("decision", "reason", "undo")}
    yield Finding("rollback", "rollback", str(rollback.get("reason") or ""), data)


def _outcome(outcome: Document) -> Iterator[Finding]:
    cluster = table(outcome, "cluster")
    yield Finding("raft", "cluster after", _sentence(cluster), dict(cluster))
    yield Finding("outcome", "outcome", str(outcome.get("cause") or ""))


def _sentence(said: Document) -> str:
    return " ".join(texts(said, "reasons"))


def _rows(document: Document, key: str, *needed: str) -> list[Document]:
    """The rows under ``key`` that have what is ``needed``."""
    found = document.get(key)
    rows = found if isinstance(found, list) else []
    return [row for row in rows if isinstance(row, Mapping) and _has(row, needed)]


def _has(row: Document, needed: Iterable[str]) -> bool:
    return all(isinstance(row.get(key), (str, bool)) for key in needed)


def _are_weights(found: Document) -> bool:
    return all(isinstance(found.get(colour), (int, float)) for colour in ("blue", "green"))
