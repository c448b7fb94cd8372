"""A rehearsal's result, for a person and for a program."""

from __future__ import annotations

import json

from quorumshift.domain.data import to_json
from quorumshift.rehearsal.result import Outcome, Result

_KINDLY = {
    Outcome.DEPLOYED: "Deployed",
    Outcome.ROLLED_BACK: "Rolled back",
    Outcome.FAILED: "Failed",
}


def as_json(result: Result) -> str:
    """The result as one JSON object."""
    return json.dumps(to_json(result), indent=2, ensure_ascii=False)


def as_text(result: Result) -> str:
    """The result as a page of text, at most 100 columns where the causes allow."""
    requests, writes, leader = result.requests, result.writes, result.leader
    rows = [
        ("outcome", _KINDLY[result.outcome]),
        ("cause", result.cause),
        ("serves", f"version {result.version_served}"),
        (
            "requests",
            f"{requests.total:,} sent, {requests.failed:,} failed; "
            f"median {requests.p50_ms:.1f} ms, 99th percentile {requests.p99_ms:.1f} ms",
        ),
        (
            "writes",
            f"{writes.acknowledged:,} acknowledged, {writes.lost:,} lost; "
            f"longest stall {writes.longest_stall_ms:.0f} ms",
        ),
        ("quorum", f"{result.quorum.lost_seconds:.1f} s without it"),
        (
            "leader",
            f"moved {leader.changes} times; longest gap {leader.longest_gap_seconds:.2f} s",
        ),
        ("AWS calls", f"{result.api_calls:,} by the deployment's functions"),
        ("took", f"{result.duration.seconds:.1f} s"),
        ("logs", result.logs),
    ]
    if result.fault:
        rows.insert(1, ("fault", result.fault))
    lines = [f"{name:<10}{text}" for name, text in rows if text]
    if result.hooks:
        lines += ["", "hooks"]
        lines += [f"  {hook.name:<22}{hook.verdict:<10}{hook.reason}" for hook in result.hooks]
    lines += ["", "states", "  " + " → ".join(result.states)]
    return "\n".join(lines)
