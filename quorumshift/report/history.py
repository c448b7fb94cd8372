"""The last deployments as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quorumshift.domain.execution import Ending
from quorumshift.domain.findings import short
from quorumshift.domain.shown import one_line
from quorumshift.report.chronicle import HEADS, clock, what

_HEAD = ("started", "outcome", "revision", "took", "asked by", "execution")
_LONGEST = 24


def as_text(records: Sequence[Mapping[str, Any]]) -> str:
    """A row an execution, the newest first."""
    if not records:
        return "Nothing was ever deployed. Start with: quorumshift deploy"
    rows = [_HEAD, *(tuple(map(one_line, _row(record))) for record in records)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _row(record: Mapping[str, Any]) -> tuple[str, ...]:
    revision = record["revision"] or {}
    to = short(revision.get("to")) or _cut(what(record["request"]))
    return (
        str(record["started"]).replace("T", " ").removesuffix("Z"),
        HEADS[Ending(record["ending"])],
        to,
        clock(float(record["seconds"])),
        _cut(str(record["request"].get("initiator") or "-")),
        str(record["execution"]),
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
