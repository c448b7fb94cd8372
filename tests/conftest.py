"""Spreads the whole rehearsals, which take longest, evenly over the run, so that parallel workers,
who each begin with a stretch of it, end together."""

from __future__ import annotations

import pytest

LONGEST = "test_rehearsal.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    longest = [item for item in items if item.path.name == LONGEST]
    others = [item for item in items if item.path.name != LONGEST]
    stretch = max(1, len(others) // max(1, len(longest)))
    for number, item in enumerate(longest):
        others.insert(number * (stretch + 1), item)
    items[:] = others
