"""A rehearsal's result, for a person and for a program."""

from __future__ import annotations

from quorumshift.domain import shown
from quorumshift.domain.data import to_json
from quorumshift.rehearsal.result import Outcome, PlayersFound, Quorum, Result, Writes
from quorumshift.report.folding import folded

KINDLY = {
    Outcome.DEPLOYED: "Deployed",
    Outcome.ROLLED_BACK: "Rolled back",
    Outcome.FAILED: "Failed",
}
"""How an outcome reads."""


def as_json(result: Result) -> str:
    """The result as one JSON object."""
    return shown.as_json(to_json(result))


def as_text(result: Result) -> str:
    """The result as a page of text, 100 columns wide."""
    requests, writes, leader = result.requests, result.writes, result.leader
    rows = [
        ("outcome", KINDLY[result.outcome]),
        ("cause", result.cause),
        ("asked by", result.initiator),
        ("serves", f"version {result.version_served}"),
        (
            "requests",
            f"{requests.total:,} sent, {requests.failed:,} failed; "
            f"median {requests.p50_ms:.1f} ms, 99th percentile {requests.p99_ms:.1f} ms",
        ),
        (
            "writes",
            f"{writes.acknowledged:,} acknowledged, {writes.failed:,} failed, {lost(writes)} lost; "
            f"longest stall {writes.longest_stall_ms:.0f} ms",
        ),
        ("players", players(result.players) if result.players else ""),
        ("quorum", f"{without_quorum(result.quorum)} without it"),
        (
            "leader",
            f"{leader.changes} change{'' if leader.changes == 1 else 's'}; "
            f"longest gap {leader.longest_gap_seconds:.2f} s, {leader.lost_seconds:.2f} s in all",
        ),
        ("AWS calls", f"{result.api_calls:,} by the deployment's functions"),
        ("took", f"{result.duration.seconds:.1f} s"),
        ("logs", result.logs),
    ]
    if result.fault:
        rows.insert(1, ("fault", result.fault))
    lines = [line for name, text in rows if text for line in folded(f"{name:<10}", text)]
    if result.hooks:
        lines += ["", "hooks"]
        for hook in result.hooks:
            lines += folded(f"  {hook.name:<23}{hook.verdict:<9}", hook.reason)
    lines += ["", "states", *folded("  ", " → ".join(result.states))]
    return "\n".join(lines)


def lost(writes: Writes) -> str:
    """How many acknowledged writes are lost, as far as somebody could be asked."""
    return _lost(writes.lost, writes.unreadable)


def players(found: PlayersFound) -> str:
    """What they went through, and what became of their commands."""
    told = found.reconnects - found.broken
    missing = _lost(found.commands_lost, found.commands_unreadable)
    return (
        f"{found.connected:,} connected; {told:,} changed over when their node told them, "
        f"{found.broken:,} because their connection broke; longest gap "
        f"{found.longest_gap_seconds:.2f} s; {found.commands_acknowledged:,} commands "
        f"acknowledged, {found.commands_refused:,} refused, "
        f"{found.commands_unanswered:,} unanswered, {missing} lost"
    )


def without_quorum(quorum: Quorum) -> str:
    """How long there was none, and whether that has ended."""
    return f"{quorum.lost_seconds:.1f} s{', to the end' if quorum.lost_at_end else ''}"


def _lost(known: int, unreadable: int) -> str:
    if not unreadable:
        return f"{known:,}"
    return f"unknown (at least {known:,})" if known else "unknown"
