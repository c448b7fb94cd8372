"""Cases as files: what was seen and asked, beside what is to be said.

``QUORUMSHIFT_REGENERATE=1`` writes the expected answers anew; look at the difference before you
commit it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from quorumshift.domain.data import from_json
from quorumshift.domain.raft import ClusterObservation

TESTDATA = Path(__file__).parent.parent / "testdata"


def names(kind: str) -> list[str]:
    """The cases of one kind; each is a folder."""
    return sorted(path.name for path in (TESTDATA / kind).iterdir() if path.is_dir())


def observation(kind: str, name: str) -> ClusterObservation:
    """What was seen."""
    return from_json(ClusterObservation, _load(TESTDATA / kind / name / "observation.json"))


def question(kind: str, name: str) -> dict[str, Any]:
    """What was asked, and what the case ``teaches``."""
    read: dict[str, Any] = _load(TESTDATA / kind / name / "question.json")
    return read


def compare(kind: str, name: str, answer: str, got: Any) -> None:
    """Hold ``got`` (JSON values) against the case's file ``<answer>.json``."""
    path = TESTDATA / kind / name / f"{answer}.json"
    if os.environ.get("QUORUMSHIFT_REGENERATE"):
        path.write_text(json.dumps(got, indent=2, ensure_ascii=False) + "\n")
    assert got == _load(path)


def _load(path: Path) -> Any:
    return json.loads(path.read_text())
