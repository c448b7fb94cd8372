"""Every fault at every moment: what shall come of it, and what did.

The suite rehearses a few whole (tests/rehearsal/test_rehearsal.py); here all of them are, and what
is too long for the suite. Each is a whole rehearsal. The page is written after each, and keeps the
rows of those that were not measured this time, so what was interrupted is taken up by name or with
``--missing``.
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
from quorumshift.rehearsal.fault_matrix import all_faults, cause_of, expected, may_fail
from quorumshift.rehearsal.result import Outcome

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
MIGRATION = "(migration)"
"""SnakeTron's last careful deployment, which leads to the extended contract: no fault at all."""
SERVES = {Outcome.DEPLOYED: "2", Outcome.ROLLED_BACK: "1"}
"""The version that serves afterwards. After ``Failed`` it may be either."""
_ETCD = ("--service", "etcd")
_MIGRATES = ("--service", "snaketron", "--players", "60", "--contract", "migration")
_LONGEST_SECONDS = 900.0
_HAS_RESULT = (0, 1, 3, 4)

Row = tuple[str, ...]
Told = Callable[[str], None]


def measure(match: str, jobs: int, missing: bool, command: str, keep: Told) -> page.Section:
    """Rehearse all faults whose names hold ``match``, so many at once. ``missing``: only those
    that the page does not know. ``keep`` is told the section's text after each."""
    names = all_names()
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


def all_names() -> list[str]:
    """What there is to rehearse."""
    return [*all_faults(), MIGRATION]


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
    name, shall, seen, failed, lost, _, without_quorum = row
    if seen == BROKEN or seen not in shall.split(" or "):
        return f"{name}: {seen} instead of {shall}"
    if lost != "0":
        return f"{name}: {lost} acknowledged writes were lost"
    if float(without_quorum):
        return f"{name}: {without_quorum} s without quorum"
    if int(failed) > _may_fail(name):
        return f"{name}: {failed} requests failed, {_may_fail(name)} may"
    return ""


def read(name: str, result: Mapping[str, Any] | None) -> Row:
    """The row of one rehearsal; ``None``: it broke."""
    shall = " or ".join(_expected(name))
    if result is None:
        return (name, shall, BROKEN, *("–",) * 4)
    return (
        name,
        shall,
        _seen(name, result),
        str(result["requests"]["failed"]),
        str(result["writes"]["lost"]),
        f"{result['leader']['lostSeconds']:g}",
        f"{result['quorum']['lostSeconds']:g}",
    )


def _expected(name: str) -> tuple[Outcome, ...]:
    return (Outcome.DEPLOYED,) if name == MIGRATION else expected(name)


def _may_fail(name: str) -> int:
    return 0 if name == MIGRATION else may_fail(name)


def _seen(name: str, result: Mapping[str, Any]) -> str:
    """The outcome, with what contradicts it: then it is not the one that was expected."""
    outcome, version = Outcome(result["outcome"]), str(result["versionServed"])
    seen = str(outcome)
    if version != SERVES.get(outcome, version):
        seen += f", yet version {version} serves"
    word = "" if name == MIGRATION else cause_of(name)
    if outcome is not Outcome.DEPLOYED and word not in str(result["cause"]):
        seen += f", whose cause does not say: {word}"
    if lost := (result.get("players") or {}).get("commandsLost"):
        seen += f", and {lost} commands of players were lost"
    return seen


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
    command = [program, "rehearse", "--output", "json", "--rate", str(RATE)]
    command += _MIGRATES if name == MIGRATION else (*_ETCD, "--fault", name)
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
