"""Results of several ways to deploy, one column each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from quorumshift.domain import shown
from quorumshift.domain.data import to_json
from quorumshift.rehearsal.result import PlayersFound, Result
from quorumshift.report.outcome import KINDLY, lost, without_quorum

HEAD = 26
COLUMN = 24
ROWS: tuple[tuple[str, Callable[[Result], str]], ...] = (
    ("outcome", lambda result: KINDLY[result.outcome]),
    ("serves", lambda result: f"version {result.version_served}"),
    ("requests sent", lambda result: f"{result.requests.total:,}"),
    ("requests failed", lambda result: f"{result.requests.failed:,}"),
    ("99th percentile", lambda result: f"{result.requests.p99_ms:,.1f} ms"),
    ("writes acknowledged", lambda result: f"{result.writes.acknowledged:,}"),
    ("writes failed", lambda result: f"{result.writes.failed:,}"),
    ("acknowledged, then lost", lambda result: lost(result.writes)),
    ("acknowledged, unreadable", lambda result: f"{result.writes.unreadable:,}"),
    ("longest stall of a write", lambda result: f"{result.writes.longest_stall_ms:,.0f} ms"),
    ("without a quorum", lambda result: without_quorum(result.quorum)),
    ("without a leader", lambda result: f"{result.leader.lost_seconds:.1f} s"),
)
"""What is compared: the name of a row, and what stands in it."""
OF_PLAYERS: tuple[tuple[str, Callable[[PlayersFound], str]], ...] = (
    ("players connected", lambda players: f"{players.connected:,}"),
    ("connections broken", lambda players: f"{players.broken:,}"),
    ("longest gap of a player", lambda players: f"{players.longest_gap_seconds:.2f} s"),
    ("commands acknowledged", lambda players: f"{players.commands_acknowledged:,}"),
    ("commands not answered", lambda players: f"{players.commands_unanswered:,}"),
)
"""The same, where the service has players."""


def as_json(results: Mapping[str, Result]) -> str:
    """One JSON object: the name of a way → its result."""
    document = {name: to_json(result) for name, result in results.items()}
    return shown.as_json(document)


def as_text(results: Mapping[str, Result]) -> str:
    """A table, a row a figure; it fits 80 columns with two results."""
    lines = [_row("", results)]
    lines += [_row(name, [show(result) for result in results.values()]) for name, show in ROWS]
    players = [result.players for result in results.values() if result.players]
    if len(players) == len(results):
        lines += [_row(name, [show(found) for found in players]) for name, show in OF_PLAYERS]
    for name, result in results.items():
        said = [f"{name}: {result.cause}"] if result.cause else []
        if result.quorum.lost_at_end:
            said.append(f"{name}: no quorum answers; nothing can be read or written any more")
        lines += ["", *said] if said else []
    lines += ["", *(f"logs of {name}: {result.logs}" for name, result in results.items())]
    return "\n".join(lines)


def _row(name: str, cells: Mapping[str, Result] | list[str]) -> str:
    return f"{name:<{HEAD}}{''.join(f'{cell:<{COLUMN}}' for cell in cells)}".rstrip()
