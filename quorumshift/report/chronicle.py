"""An execution's news as lines, and its end as a page and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from quorumshift.domain.chronicle import News, short
from quorumshift.domain.execution import Ending, Execution, Place
from quorumshift.report.folding import folded
from quorumshift.report.lines import NEWS as STATES

HEADS = {
    Ending.RUNNING: "Under way",
    Ending.DEPLOYED: "Deployed",
    Ending.ROLLED_BACK: "Rolled back",
    Ending.REFUSED: "Refused",
    Ending.UNCLEAR: "Unclear",
}
"""How an ending reads."""
_WORDS = {"rollback": "roll-back", "error": "ERROR"}
_STATUS = {"ABORTED": "was stopped by hand", "TIMED_OUT": "took too long"}


def line(news: News, began: float) -> str | None:
    """One line for one piece of news, ``None`` where it is not worth one: waiting and choosing."""
    if news.kind == "state" and news.text not in STATES:
        return None
    if news.kind == "end":
        return None  # the page tells it
    text = " ".join(news.text.split())
    return f"{clock(news.at - began):>8}  {_WORDS.get(news.kind, news.kind):<11} {text}"


def clock(seconds: float) -> str:
    """``2:05`` or ``1:00:00``."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def as_text(execution: Execution, place: Place, now: float) -> str:
    """How the execution ended, or stands, as a page."""
    document = record(execution, place, now)
    revision = document["revision"] or {}
    rows = [
        ("execution", document["execution"]),
        ("cause", document["cause"]),
        ("asked for", what(document["request"])),
        ("asked by", document["request"].get("initiator")),
        ("about", document["request"].get("description")),
        ("from", short(revision.get("from"))),
        ("to", short(revision.get("to"))),
        ("image", revision.get("image")),
        ("deployment", document["deployment"]),
        ("roll-back", document["rollback"]),
        ("stands at", document["state"] if execution.running else ""),
        ("started", moment(execution.started)),
        ("took", clock(document["seconds"])),
    ]
    lines = [HEADS[place.ending(execution.status)]]
    lines += [row for name, text in rows if text for row in folded(f"  {name:<11}", str(text))]
    for check in document["checks"]:
        head = f"  {check['name']:<22} {'yes' if check['passed'] else 'NO':<4}"
        lines += folded(head, str(check["reason"]))
    return "\n".join(lines)


def record(execution: Execution, place: Place, now: float) -> dict[str, Any]:
    """The same as JSON values."""
    document = place.document
    seen, outcome = _table(document, "observation"), _table(document, "outcome")
    end = now if execution.stopped is None else execution.stopped
    cause = execution.cause
    if not execution.running and not cause and execution.status in _STATUS:
        cause = f"the execution {_STATUS[execution.status]}"
    return {
        "execution": execution.name,
        "executionArn": execution.id,
        "ending": place.ending(execution.status).value,
        "status": execution.status,
        "state": place.state,
        "error": execution.error,
        "cause": cause,
        "request": dict(_table(document, "request") or execution.request),
        "revision": dict(_table(document, "revision")) or None,
        "deployment": _table(document, "deployment").get("id"),
        "rollback": _table(document, "rollback").get("undo"),
        "traffic": _traffic(document) if execution.running else None,
        "checks": outcome.get("checks") or seen.get("checks") or [],
        "started": moment(execution.started),
        "seconds": round(end - execution.started, 1),
    }


def _traffic(document: Mapping[str, Any]) -> Any:
    """The latest that is known of the traffic."""
    for key in ("rollback", "observation"):
        traffic = _table(_table(document, key), "rollout").get("traffic")
        if traffic:
            return traffic
    return None


def what(request: Mapping[str, Any]) -> str:
    """What a request asks for, in a few words."""
    if source := request.get("source"):
        return f"commit {source.get('commit')} of {source.get('repository')}"
    if request.get("image"):
        return f"image {request['image']}"
    return f"task definition {short(name) or name}" if (name := definition(request)) else ""


def definition(request: Mapping[str, Any]) -> str:
    """The task definition that is asked for, in the input's own words or in the checked ones."""
    return str(request.get("taskDefinition") or "current")


def moment(at: float) -> str:
    """``2026-11-23T06:48:40Z``."""
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key)
    return found if isinstance(found, Mapping) else {}
