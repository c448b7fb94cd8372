"""How a service stands, and how its cluster does, as a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quorumshift.domain.console import execution_page
from quorumshift.domain.data import to_json
from quorumshift.domain.execution import Ending
from quorumshift.domain.findings import cluster_line, short
from quorumshift.domain.health import Decision, Verdict
from quorumshift.report.chronicle import HEADS, clock, moment, what
from quorumshift.report.folding import folded

_HEADS = {
    Decision.PROCEED: "Healthy",
    Decision.WAIT: "Not settled",
    Decision.ABORT: "Not healthy",
}


def verdict_as_text(verdict: Verdict, busy: str = "") -> str:
    """The verdict of the Raft check; ``busy``: a deployment that is under way."""
    lines = folded(f"{_HEADS[verdict.decision]}: ", verdict.sentence)
    lines += folded("  cluster    ", cluster_line(to_json(verdict.evidence)))
    if busy:
        lines += folded("  deployment ", f"{busy} is under way: another one is refused")
    return "\n".join(lines)


def as_text(found: Mapping[str, Any]) -> str:
    """What ``quorumshift status`` found."""
    rows = [
        ("service", found["service"]),
        ("serves", _serves(found["serving"])),
        ("deployment", _deployment(found["deployment"])),
        ("traffic", _traffic(found["deployment"])),
        ("execution", _execution(found["execution"])),
        ("console", execution_page((found["execution"] or {}).get("executionArn", ""))),
        ("last", "" if found["deployment"] or found["execution"] else _last(found["last"])),
        ("cluster", _cluster(found)),
        ("locks", _locks(found["locks"])),
    ]
    return "\n".join(
        line for name, text in rows if text for line in folded(f"{name:<11}", str(text))
    )


def _serves(serving: Mapping[str, Any]) -> str:
    return f"{short(serving['taskDefinition'])}, {serving['image']}"


def _deployment(deployment: Mapping[str, Any] | None) -> str:
    if deployment is None:
        return "none is under way"
    undoes = f", rolls {deployment['undoes']} back" if deployment["undoes"] else ""
    return f"{deployment['id']} at {deployment['stage'] or 'its beginning'}{undoes}"


def _traffic(deployment: Mapping[str, Any] | None) -> str:
    traffic = (deployment or {}).get("traffic")
    return f"blue {traffic['blue']:g} %, green {traffic['green']:g} %" if traffic else ""


def _execution(execution: Mapping[str, Any] | None) -> str:
    if execution is None:
        return ""
    by = execution["request"].get("initiator")
    asked = f", asked by {by}" if by else ""
    return (
        f"{execution['execution']} at {execution['state'] or 'its beginning'} for "
        f"{clock(execution['seconds'])}: {what(execution['request'])}{asked}; follow it with "
        f"`quorumshift watch {execution['execution']}`"
    )


def _last(last: Mapping[str, Any] | None) -> str:
    if last is None:
        return "nothing was ever deployed"
    how = HEADS[Ending(last["ending"])].lower()
    return f"{last['execution']}, {last['started']}: {how}. {last['cause']}".strip()


def _cluster(found: Mapping[str, Any]) -> str:
    if found["cluster"] is None:
        return f"unknown: {found['trouble']}"
    return " ".join(found["cluster"]["reasons"])


def _locks(locks: list[Mapping[str, Any]] | None) -> str:
    if locks is None:
        return ""
    told = [
        f"{lock['address']} until {moment(lock['until'])}{'' if lock['ours'] else ' (not ours)'}"
        for lock in locks
    ]
    return ", ".join(told) or "none"
