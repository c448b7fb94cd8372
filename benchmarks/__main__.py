"""``make bench``: measures what docs/benchmarks.md tells, and writes it there.

python -m benchmarks [--runs 10] [--only rehearse|fresh|tests]
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.rehearsals import Run, rehearse

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
MEBI = 1024 * 1024


def main() -> None:
    """Measure, print, and write the page's sections that were measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--only", choices=sorted(SECTIONS))
    options = parser.parse_args()
    for name, measure in SECTIONS.items():
        if options.only in (None, name):
            text = measure(options.runs)
            print(text, flush=True)
            _write(name, text)


def rehearsals(runs: int) -> str:
    """So many whole rehearsals at the default speed."""
    seen: list[Run] = []
    for number in range(runs):
        seen.append(rehearse())
        last = seen[-1]
        print(
            f"run {number + 1} of {runs}: {last.result['outcome']}, {last.seconds:.1f} s, "
            f"{last.result['requests']}",
            file=sys.stderr,
        )
    deployed = sum(run.result["outcome"] == "Deployed" for run in seen)
    rows = [
        ("deployed", f"{deployed} of {runs}"),
        ("requests, least in a run", f"{min(r.result['requests']['total'] for r in seen):,}"),
        ("requests failed, all runs", f"{sum(r.result['requests']['failed'] for r in seen)}"),
        ("acknowledged writes lost", f"{sum(r.result['writes']['lost'] for r in seen)}"),
        ("seconds without quorum", f"{sum(r.result['quorum']['lostSeconds'] for r in seen):g}"),
        ("command to exit, s", _spread([r.seconds for r in seen])),
        ("99th percentile, ms", _spread([r.result["requests"]["p99Ms"] for r in seen])),
        (
            "longest stall of a write, ms",
            _spread([r.result["writes"]["longestStallMs"] for r in seen]),
        ),
        ("peak memory of all processes, MiB (PSS)", _spread([r.peak_bytes / MEBI for r in seen])),
    ]
    return _section(f"make bench ARGS='--only rehearse --runs {runs}'", rows)


def fresh(_runs: int) -> str:
    """A fresh clone with empty caches, to the first line of progress and to the result."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        began = time.monotonic()
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("UV_", "VIRTUAL_ENV", "XDG_CACHE"))
        } | {"HOME": folder}
        with subprocess.Popen(
            ["make", "-s", "rehearse", "ARGS=--output json"],
            cwd=clone,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            first = next(time.monotonic() - began for line in process.stderr if "rehearsal" in line)
            process.stderr.read()
        whole = time.monotonic() - began
    rows = [
        ("to the first line of progress, s", f"{first:.1f}"),
        ("to the result, s", f"{whole:.1f}"),
        ("exit code", str(process.returncode)),
    ]
    return _section("make bench ARGS='--only fresh'", rows)


def tests(_runs: int) -> str:
    """``make test``, everything installed."""
    began = time.monotonic()
    subprocess.run(["make", "-s", "test"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return _section(
        "make bench ARGS='--only tests'", [("make test, s", f"{time.monotonic() - began:.0f}")]
    )


SECTIONS = {"rehearse": rehearsals, "fresh": fresh, "tests": tests}


def _spread(values: list[float]) -> str:
    return f"{min(values):.1f} / {statistics.median(values):.1f} / {max(values):.1f}"


def _section(command: str, rows: list[tuple[str, str]]) -> str:
    cores, day = os.cpu_count(), datetime.datetime.now(datetime.UTC).date()
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return (
        f"`{command}`, {day}, {platform.system()} on {cores} cores, "
        f"Python {platform.python_version()}\n\n"
        f"| measured (three values: minimum / median / maximum) | |\n| --- | --- |\n{table}\n"
    )


def _write(name: str, text: str) -> None:
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    page = PAGE.read_text()
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(end)
    PAGE.write_text(f"{head}{begin}{text}{end}{tail}")


if __name__ == "__main__":
    main()
