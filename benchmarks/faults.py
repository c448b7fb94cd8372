"""Every fault at every moment: what shall come of it, and what did.

Each fault is a whole rehearsal. The page is written after each, and keeps the rows of those that
were not measured this time, so what was interrupted is taken up by name or with ``--missing``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from benchmarks import page
from quorumshift.rehearsal.fault_matrix import all_faults, expected

HEAD = (
    "fault",
    "expected",
    "seen",
    "requests failed",
    "writes lost",
    "without leader, s",
    "without quorum, s",
)
BROKEN = "broken"
RATE = 50
"""Requests a second: several rehearsals share the machine."""
_LONGEST_SECONDS = 900.0
_HAS_RESULT = (0, 1, 3, 4)

Row = tuple[str, ...]
Told = Callable[[str], None]


def measure(match: str, jobs: int, missing: bool, command: str, keep: Told) -> page.Section:
    """Rehearse all faults whose names hold ``match``, so many at once. ``missing``: only those
    that the page does not know. ``keep`` is told the section's text after each."""
    names = all_faults()
    rows = known(page.read("faults"))
    chosen = [name for name in names if match in name and not (missing and name in rows)]
    if not chosen:
        print(f"no fault to rehearse: none of {len(names)} matches", file=sys.stderr)
    for number, row in enumerate(_rehearse_all(chosen, jobs), 1):
        rows[row[0]] = row
        print(f"fault {number} of {len(chosen)}: {', '.join(row)}", file=sys.stderr, flush=True)
        keep(text(names, rows, command))
    bad = [problem for name in chosen if (problem := wrong(rows[name]))]
    return page.Section(text(names, rows, command), tuple(bad))


def text(names: Sequence[str], rows: Mapping[str, Row], command: str) -> str:
    """The section: a row a fault, those that the rehearsal knows, in its order."""
    there = [rows[name] for name in names if name in rows]
    right = sum(not wrong(row) for row in there)
    count = f"{right} of {len(there)} ended as expected, of {len(names)} there are."
    return f"{page.measured_by(command)}\n\n{count}\n\n{page.table(HEAD, there)}"


def known(section: str) -> dict[str, Row]:
    """The rows of a section's table, by fault."""
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]]
    return {row[0]: row for row in cells if len(row) == len(HEAD)}


def wrong(row: Row) -> str:
    """What is wrong with a row; empty: nothing."""
    name, shall, seen, _, lost, _, without_quorum = row
    if seen == BROKEN or seen not in shall.split(" or "):
        return f"{name}: {seen} instead of {shall}"
    if lost != "0":
        return f"{name}: {lost} acknowledged writes were lost"
    if float(without_quorum):
        return f"{name}: {without_quorum} s without quorum"
    return ""


def read(name: str, result: Mapping[str, Any] | None) -> Row:
    """The row of one rehearsal; ``None``: it broke."""
    shall = " or ".join(expected(name))
    if result is None:
        return (name, shall, BROKEN, *("–",) * 4)
    return (
        name,
        shall,
        str(result["outcome"]),
        str(result["requests"]["failed"]),
        str(result["writes"]["lost"]),
        f"{result['leader']['lostSeconds']:g}",
        f"{result['quorum']['lostSeconds']:g}",
    )


def _rehearse_all(names: Sequence[str], jobs: int) -> Iterator[Row]:
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(_rehearse, name) for name in names]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _rehearse(name: str) -> Row:
    program = str(Path(sys.executable).parent / "quorumshift")
    command = [program, "rehearse", "--service", "etcd", "--output", "json"]
    command += ["--rate", str(RATE), "--fault", name]
    began = time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            output, progress = process.communicate(timeout=_LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            process.terminate()  # it ends its own children
            output, progress = process.communicate()
    if process.returncode in _HAS_RESULT and output.strip():
        return read(name, json.loads(output))
    took = time.monotonic() - began
    print(
        f"{name} broke after {took:.0f} s with exit code {process.returncode}:\n{progress[-2000:]}",
        file=sys.stderr,
        flush=True,
    )
    return read(name, None)
