"""Executions as Step Functions told them, recorded in rehearsals: without what functions were
given, and without looks that saw nothing new."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from quorumshift.report.story import Story, read

EXECUTIONS = Path(__file__).parents[1] / "testdata" / "histories"


def recording(name: str) -> dict[str, Any]:
    """``described``, and ``events`` in their order."""
    return dict(json.loads((EXECUTIONS / f"{name}.json").read_text(encoding="utf-8")))


def story(name: str, events: int | None = None, **described: Any) -> Story:
    """The story of a recording, or of its first ``events`` as if it were told then."""
    found = recording(name)
    return read({**found["described"], **described}, found["events"][:events])
