"""Whatever another version of the product left as its data, whoever reads it does not break."""

from __future__ import annotations

import io
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from quorumshift.domain.chronicle import Chronicle, Event, Mark
from quorumshift.domain.execution import Execution
from quorumshift.report.chronicle import as_text, line, record, worth_a_line
from quorumshift.report.picture import Picture, scene
from quorumshift.report.summary import as_markdown
from tests.report.recorded import NAMES, replayed

STRANGE = (
    "null",
    "true",
    "0",
    "1.5",
    '""',
    '"x"',
    "[]",
    '["x"]',
    "{}",
    '{"x": 1}',
    "[null]",
    "[{}]",
)

DOCUMENTS = {name: json.dumps(replayed(name).chronicle.document) for name in NAMES}


def spots(value: Any) -> list[tuple[Any, Any]]:
    """Every place of a document: what holds it, and under which key or number."""
    rows = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, inner in rows:
        found.append((value, key))
        if isinstance(inner, (dict, list)):
            found += spots(inner)
    return found


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A real one, in which something strange stands in some places."""
    document = json.loads(DOCUMENTS[draw(st.sampled_from(NAMES))])
    for _ in range(draw(st.integers(1, 4))):
        places = spots(document)
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        holder[key] = json.loads(draw(st.sampled_from(STRANGE)))
    return dict(document)


@settings(max_examples=60, deadline=None)
@given(documents(), st.sampled_from(["RUNNING", "FAILED", "ABORTED"]))
def test_it_is_told_and_drawn_as_far_as_it_goes(document: dict[str, Any], status: str) -> None:
    chronicle = Chronicle()
    chronicle.take(Event(1, 0.0, Mark.ENTERED, "FromTomorrow"))
    news = chronicle.take(Event(2, 1.0, Mark.LEFT, "FromTomorrow", document))
    assert all(isinstance(line(one), str) for one in worth_a_line(news))
    execution = Execution("arn:e", "e", status, 0.0, None, {}, "", "")
    found = record(execution, chronicle.place, 2.0)
    assert as_text(found)
    assert as_markdown(found, chronicle)
    console = Console(file=io.StringIO(), width=80)
    console.print(Picture(scene(execution, chronicle, 2.0), 2.0))
