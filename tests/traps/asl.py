"""The rendered state machines as graphs: where one can get to, and where not without a state."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from tests.workflows.event_costs import following
from workflows.__main__ import GOLDEN


def machine(name: str) -> dict[str, Any]:
    """The definition as it is deployed."""
    return dict(json.loads((GOLDEN / f"{name}.asl.json").read_text(encoding="utf-8")))


def reachable(
    definition: dict[str, Any], start: str = "", without: Collection[str] = ()
) -> set[str]:
    """The states that can be reached from ``start`` (by default where the machine starts) on ways
    that avoid ``without``."""
    states = definition["States"]
    reached: set[str] = set()
    todo = [start or definition["StartAt"]]
    while todo:
        here = todo.pop()
        if here not in reached and here not in without:
            reached.add(here)
            todo += following(states[here])
    return reached
