"""Executions as the AWS CLI told them, recorded in rehearsals: without what functions were given,
and without looks that saw nothing new."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorumshift.adapters.aws.history import read_event, read_execution
from quorumshift.domain.chronicle import Chronicle
from quorumshift.domain.execution import Ending, Execution
from quorumshift.report.chronicle import as_text, line, record, worth_a_line
from quorumshift.report.summary import as_markdown

RECORDED = Path(__file__).parents[1] / "testdata" / "executions"
NAMES = tuple(sorted(path.stem for path in RECORDED.glob("*.json")))

Events = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Told:
    """An execution, and the chronicle that has taken its events."""

    execution: Execution
    chronicle: Chronicle

    @property
    def ending(self) -> Ending:
        return self.chronicle.place.ending(self.execution.status)

    @property
    def lines(self) -> list[str]:
        return [line(news) for news in worth_a_line(self.chronicle.news)]

    @property
    def record(self) -> dict[str, Any]:
        return record(self.execution, self.chronicle.place, self.execution.started + 60)

    @property
    def page(self) -> str:
        return as_text(self.record)

    def markdown(self, console: str = "", footer: str = "") -> str:
        return as_markdown(self.record, self.chronicle, console, footer)


def recording(name: str) -> dict[str, Any]:
    """``described``, and ``events`` in their order."""
    return dict(json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8")))


def told(described: Mapping[str, Any], events: Events) -> Told:
    """What these events tell."""
    chronicle = Chronicle()
    for event in events:
        if read := read_event(event):
            chronicle.take(read)
    return Told(read_execution(described), chronicle)


def entries(events: list[dict[str, Any]], state: str) -> list[int]:
    """Which of the events enter a state."""
    return [
        number
        for number, event in enumerate(events)
        if event.get("stateEnteredEventDetails", {}).get("name") == state
    ]


def replayed(name: str, until: str = "", *, times: int = 1, **described: Any) -> Told:
    """A recording, whole, or as it stood when state ``until`` was entered for the n-th time."""
    found = recording(name)
    events = found["events"]
    if until:
        events = events[: entries(events, until)[times - 1] + 1]
        described = {"status": "RUNNING", "stopDate": None, "error": "", "cause": "", **described}
    return told({**found["described"], **described}, events)


def stands_in_the_docs(name: str, page: str) -> None:
    """``page`` is what was kept as ``name``, and what docs/commands.md shows; both are written anew
    with ``QUORUMSHIFT_REGENERATE=1``."""
    shown, docs = RECORDED / name, Path(__file__).parents[2] / "docs" / "commands.md"
    start = f"<!-- generated: tests/testdata/executions/{name} -->\n```text\n"
    if os.environ.get("QUORUMSHIFT_REGENERATE"):
        shown.write_text(page)
        before, rest = docs.read_text().split(start, 1)
        docs.write_text(f"{before}{start}{page}" + rest[rest.index("```\n") :])
    assert page == shown.read_text()
    assert f"{start}{page}```\n" in docs.read_text()
