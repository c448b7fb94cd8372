"""Puts whole rehearsals first. Of two workers, who each begin with a half of the tests, one then
does these one after another while the other does the rest: two rehearsals side by side on two
cores slow each other down, past the hour that CodeDeploy waits, which is a minute in them."""

from __future__ import annotations

from collections import Counter

import pytest

WHOLE = {
    "test_every_verb.py",
    "test_baseline.py",
    "test_snaketron_rehearsal.py",
    "test_rehearsal.py",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in WHOLE)  # stable: the rest as they were


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the crash matrix ran."""
    counts: dict[str, Counter[str]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "crash" and report.when == "call":
                    counts.setdefault(value[0], Counter()).update(value[1])
    for kind, ends in counts.items():
        told = ", ".join(f"{end} {many:,}" for end, many in ends.most_common())
        terminalreporter.write_line(f"crash matrix, {kind}: {ends.total():,} runs ({told})")
