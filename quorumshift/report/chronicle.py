"""An execution's news as lines, and how it stands as a page and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from quorumshift.domain.chronicle import News
from quorumshift.domain.execution import Ending, Execution, Place
from quorumshift.domain.findings import Document, checks, short, table, traffic
from quorumshift.domain.shown import one_line
from quorumshift.report.folding import folded

HEADS = {
    Ending.RUNNING: "Under way",
    Ending.DEPLOYED: "Deployed",
    Ending.ROLLED_BACK: "Rolled back",
    Ending.REFUSED: "Refused",
    Ending.SKIPPED: "Skipped",
    Ending.FAILED: "Failed",
    Ending.STOPPED: "Stopped",
    Ending.TIMED_OUT: "Timed out",
}
"""How an ending reads."""
_REMARKS = {
    Ending.REFUSED: "nothing was touched",
    Ending.SKIPPED: "another deployment was under way; nothing was touched",
    **dict.fromkeys(
        (Ending.FAILED, Ending.STOPPED, Ending.TIMED_OUT),
        "with a deployment whose end it did not see: look at it",
    ),
}
_WORDS = {"rollback": "roll-back", "error": "ERROR"}
_STATUS = {
    "ABORTED": "was stopped by hand",
    "TIMED_OUT": "took too long",
    "FAILED": "failed without a word",
}
QUIET = (
    *("Receive", "BuildOrNot", "WaitForBuild", "PollBuild", "IsItBuilt"),
    *("WaitForDeployment", "PollDeployment", "HowIsItGoing"),
    *("DidItSucceed", "WaitForRollback", "PollRollback", "IsItUndone"),
    *("MissedLook", "LookAgain", "MissedRollback", "LookAgainAtRollback"),
)
"""States whose entry is not worth a line: waiting and choosing, and what a loop does again."""


def worth_a_line(told: Iterable[News]) -> list[News]:
    """The news that a person wants to read; how it ended, the page tells."""
    return [
        news
        for news in told
        if news.kind != "end" and not (news.kind == "state" and news.text in QUIET)
    ]


def line(news: News) -> str:
    """One line, without its time."""
    return one_line(f"{word(news):<11} {news.text}")


def word(news: News) -> str:
    """What kind of news it is."""
    return _WORDS.get(news.kind, news.kind)


def clock(seconds: float) -> str:
    """``2:05`` or ``1:00:00``."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def moment(at: float) -> str:
    """``2026-11-23T06:48:40Z``."""
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")


def title(document: Document, about: str = "") -> str:
    """How a record's execution stands, in a few words. ``about``: what it deploys."""
    ending = Ending(document["ending"])
    remark = f" ({_REMARKS[ending]})" if ending in _REMARKS else ""
    return f"{HEADS[ending]}{about and f': {about}'}{remark}"


def as_text(document: Document) -> str:
    """A record as a page."""
    lines = [title(document)]
    rows = {"execution": document["execution"], "cause": document["cause"], **facts(document)}
    lines += [row for name, text in rows.items() for row in folded(f"  {name:<11}", text) if text]
    for check in document["checks"]:
        head = f"  {check['name']:<22} {'yes' if check['passed'] else 'NO':<4}"
        lines += folded(head, str(check["reason"]))
    return "\n".join(lines)


def facts(document: Document) -> dict[str, str]:
    """What is known of a record's deployment, each fact under its name."""
    request, revision = document["request"], table(document, "revision")
    rows = {
        "asked for": what(request),
        "asked by": request.get("initiator"),
        "about": request.get("description"),
        "from": short(revision.get("from")),
        "to": short(revision.get("to")),
        "image": revision.get("image"),
        "traffic": request.get("deploymentConfig"),
        "deployment": document["deployment"],
        "roll-back": document["rollback"],
        "stands at": document["state"] if document["ending"] == Ending.RUNNING else "",
        "started": document["started"],
        "took": clock(document["seconds"]),
    }
    return {name: str(text) for name, text in rows.items() if text}


def record(execution: Execution, place: Place, now: float) -> dict[str, Any]:
    """How an execution stands, as JSON values. ``now``: epoch seconds."""
    document = place.document
    end = now if execution.stopped is None else execution.stopped
    cause = execution.cause
    if not cause and execution.status in _STATUS:
        cause = f"the execution {_STATUS[execution.status]}"
    return {
        "execution": execution.name,
        "executionArn": execution.id,
        "ending": place.ending(execution.status).value,
        "status": execution.status,
        "state": place.state,
        "error": execution.error,
        "cause": cause,
        "request": dict(table(document, "request") or execution.request),
        "revision": dict(table(document, "revision")) or None,
        "deployment": table(document, "deployment").get("id"),
        "rollback": table(document, "rollback").get("undo"),
        "traffic": (dict(traffic(document)) or None) if execution.running else None,
        "checks": [dict(check) for check in checks(document)],
        "started": moment(execution.started),
        "seconds": round(end - execution.started, 1),
    }


def what(request: Document) -> str:
    """What a request asks for, in a few words: in the input's own ones or in the checked ones."""
    if source := table(request, "source"):
        return f"commit {source.get('commit')} of {source.get('repository')}"
    if request.get("image"):
        return f"image {request['image']}"
    name = str(request.get("taskDefinition") or "current")
    return f"task definition {short(name) or name}"
