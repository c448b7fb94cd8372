"""Puts whole rehearsals first. Of two workers, who each begin with a half of the tests, one then
does these one after another while the other does the rest: two rehearsals side by side on two
cores slow each other down, past the hour that CodeDeploy waits, which is a minute in them."""

from __future__ import annotations

import pytest

WHOLE = {
    "test_every_verb.py",
    "test_baseline.py",
    "test_snaketron_rehearsal.py",
    "test_rehearsal.py",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in WHOLE)  # stable: the rest as they were
