"""The page docs/benchmarks.md: what its sections look like, and how one is written into it."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True, slots=True)
class Section:
    """What was measured. ``missed``: the goals that were not reached, a sentence each."""

    text: str
    missed: tuple[str, ...] = ()


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Minimum / median / maximum; a dash of nothing."""
    if not values:
        return "–"
    three = (min(values), statistics.median(values), max(values))
    return " / ".join(f"{value:,.{digits}f}" for value in three)


def section(command: str, rows: Iterable[tuple[str, str]]) -> str:
    """One table of two columns under the command that measured it."""
    head = ("measured (three values: minimum / median / maximum)", "")
    return f"{measured_by(command)}\n\n{table(head, rows)}"


def measured_by(command: str) -> str:
    """The line above a table: how, when and where."""
    cores, day = os.cpu_count(), datetime.datetime.now(datetime.UTC).date()
    return (
        f"`{command}`, {day}, {platform.system()} on {cores} cores, "
        f"Python {platform.python_version()}"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines).replace("|  |", "| |")


def read(name: str, page: Path = PAGE) -> str:
    """What stands between the section's markers. Raises ``ValueError`` when there are none."""
    return _parts(name, page)[1]


def write(name: str, text: str, page: Path = PAGE) -> None:
    """Put ``text`` between the section's markers. Raises ``ValueError`` when there are none."""
    head, _, tail = _parts(name, page)
    page.write_text(head + text + tail)


def _parts(name: str, page: Path) -> tuple[str, str, str]:
    """Up to the section, the section, and what follows it; markers are of neither."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    head, found, rest = page.read_text().partition(begin)
    inside, ended, tail = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"{page} has no markers {begin.strip()} and {end}; add them")
    return head + begin, inside, end + tail
