"""Which actions of AWS each function of a rehearsal used: what its role must grant, seen."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from quorumshift.names import FUNCTIONS, Names
from quorumshift.rehearsal.aws.calls import Call

FILE = "used-actions.json"
"""In the folder of a rehearsal."""


def used_actions(calls: Iterable[Call], names: Names) -> dict[str, list[str]]:
    """State or hook → IAM actions of all that its function called, refused calls included.

    A function that called nothing, or did not run, has an empty list.
    """
    by_caller: dict[str, set[str]] = {}
    for call in calls:
        by_caller.setdefault(call.caller, set()).add(call.action)
    return {state: sorted(by_caller.get(names.function(state), ())) for state in FUNCTIONS}


def write(folder: Path, used: dict[str, list[str]]) -> Path:
    """Leave them in the rehearsal's folder, for ``python -m benchmarks.grants``."""
    file = folder / FILE
    file.write_text(json.dumps(used, indent=2) + "\n", encoding="utf-8")
    return file
