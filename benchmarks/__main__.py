"""``make bench``: measures what docs/benchmarks.md tells, and writes it there.

python -m benchmarks --only rehearse --runs 10
python -m benchmarks --only hand-over --runs 50 --kills 10
python -m benchmarks --only faults --match kill-green
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks import faults, hand_over, imports, packages, page, planner, verify
from benchmarks.arms import Arm
from benchmarks.page import ROOT, Section, section, spread
from benchmarks.rehearsals import Run, rehearse
from quorumshift.domain.data import from_json
from quorumshift.rehearsal.result import Outcome, Result
from quorumshift.report.side_by_side import as_text

MEBI = 1024 * 1024


def main() -> int:
    """Measure, print, and write the page's sections that were measured. 1: a goal was missed."""
    options = _options()
    missed = False
    for name, measure in SECTIONS.items():
        if options.only not in (None, name):
            continue
        measured = measure(options)
        print(measured.text, flush=True)
        if not options.print_only:
            page.write(name, measured.text)
        for goal in measured.missed:
            print(f"{name}: missed: {goal}", file=sys.stderr, flush=True)
            missed = True
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--only", choices=list(SECTIONS), help="one section alone")
    parser.add_argument("--print-only", action="store_true", help="leave the page as it is")
    parser.add_argument(
        "--runs", type=int, help="rehearsals (default 10) or hand-overs (default 50)"
    )
    parser.add_argument("--kills", type=int, default=10, help="of leaders (default 10)")
    parser.add_argument("--bare", type=int, default=6, help="bare scripts (default 6)")
    parser.add_argument("--quiet", type=int, default=6, help="times with nothing done (default 6)")
    parser.add_argument(
        "--pace",
        type=float,
        default=hand_over.PACE,
        help="AWS's seconds in a real one during hand-overs (default 1, AWS's own; a rehearsal's "
        f"is {hand_over.SPEED:g})",
    )
    parser.add_argument("--match", default="", help="only faults whose names hold this")
    parser.add_argument("--missing", action="store_true", help="only faults without a row yet")
    parser.add_argument("--jobs", type=int, default=2, help="faults side by side (default 2)")
    return parser.parse_args()


def rehearsals(options: argparse.Namespace) -> Section:
    """So many whole rehearsals at the default speed."""
    runs = options.runs or 10
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
        ("players, least connected in the end", f"{min(_players(r, 'connected') for r in seen)}"),
        (
            "players' connections that broke, all runs",
            f"{sum(_players(r, 'broken') for r in seen)}",
        ),
        (
            "a player's longest time without a connection, s",
            spread([_players(r, "longestGapSeconds") for r in seen]),
        ),
        (
            "commands acknowledged, least in a run",
            f"{min(_players(r, 'commandsAcknowledged') for r in seen):,}",
        ),
        ("commands lost, all runs", f"{sum(_players(r, 'commandsLost') for r in seen)}"),
        ("command to exit, s", spread([r.seconds for r in seen])),
        ("99th percentile, ms", spread([r.result["requests"]["p99Ms"] for r in seen])),
        (
            "longest stall of a write, ms",
            spread([r.result["writes"]["longestStallMs"] for r in seen]),
        ),
        ("peak memory of all processes, MiB (PSS)", spread([r.peak_bytes / MEBI for r in seen])),
    ]
    return Section(section(f"make bench ARGS='--only rehearse --runs {runs}'", rows))


def _players(run: Run, what: str) -> float:
    return run.result["players"][what]  # type: ignore[no-any-return] # read from JSON


def fresh(_options: argparse.Namespace) -> Section:
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
    return Section(section("make bench ARGS='--only fresh'", rows))


def tests(_options: argparse.Namespace) -> Section:
    """``make test``, everything installed."""
    began = time.monotonic()
    subprocess.run(["make", "-s", "test"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    rows = [("make test, s", f"{time.monotonic() - began:.0f}")]
    return Section(section("make bench ARGS='--only tests'", rows))


def hand_overs(options: argparse.Namespace) -> Section:
    """The product against the bare script and against killed leaders, in one run."""
    counts = {
        Arm.PRODUCT: options.runs or 50,
        Arm.BARE: options.bare,
        Arm.QUIET: options.quiet,
        Arm.KILL: options.kills,
    }
    arguments = (
        f"--only hand-over --runs {counts[Arm.PRODUCT]} --bare {options.bare} "
        f"--quiet {options.quiet} --kills {options.kills} --pace {options.pace:g}"
    )
    measured = hand_over.measure(counts, options.pace)
    return hand_over.report(measured, f"make bench ARGS='{arguments}'")


def baseline(_options: argparse.Namespace) -> Section:
    """The deployment as it is done today beside the product's, as the command prints it."""
    command = [str(Path(sys.executable).parent / "quorumshift"), "rehearse", "--baseline"]
    command += ["--output", "json"]
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    both = {name: from_json(Result, arm) for name, arm in json.loads(run.stdout).items()}
    shown = "\n".join(line for line in as_text(both).splitlines() if not line.startswith("logs"))
    measured = page.measured_by("make bench ARGS='--only baseline'")
    missed = baseline_missed(both)
    return Section(f"{measured}\n\n```text\n{shown.rstrip()}\n```\n", tuple(missed))


def baseline_missed(both: Mapping[str, Result]) -> list[str]:
    """What contradicts what the comparison is there to show."""
    today, ours = both["baseline"], both["quorumshift"]
    kept = {
        "the baseline kept its quorum": not today.quorum.lost_at_end,
        f"{ours.outcome} instead of Deployed": ours.outcome is not Outcome.DEPLOYED,
        f"{ours.quorum.lost_seconds} s without quorum": ours.quorum.lost_seconds > 0,
        f"{ours.requests.failed} requests failed": ours.requests.failed > 0,
        f"{ours.writes.lost} acknowledged writes were lost": ours.writes.lost != 0,
    }
    return [text for text, holds in kept.items() if holds]


def plans(_options: argparse.Namespace) -> Section:
    """The planner and its model check."""
    return planner.measure("make bench ARGS='--only planner'")


def observations(_options: argparse.Namespace) -> Section:
    """How long it takes to see how a cluster stands."""
    return verify.measure("make bench ARGS='--only verify'")


def packaging(_options: argparse.Namespace) -> Section:
    """Templates and packages."""
    return packages.measure("make bench ARGS='--only package'")


def cold_imports(_options: argparse.Namespace) -> Section:
    """How long handlers take to import."""
    return imports.measure("make bench ARGS='--only imports'")


def all_faults(options: argparse.Namespace) -> Section:
    """Every fault at every moment."""

    def keep(text: str) -> None:
        if not options.print_only:
            page.write("faults", text)

    command = f"make bench ARGS='--only faults --jobs {options.jobs}'"
    return faults.measure(options.match, options.jobs, options.missing, command, keep)


SECTIONS = {
    "rehearse": rehearsals,
    "fresh": fresh,
    "tests": tests,
    "planner": plans,
    "verify": observations,
    "package": packaging,
    "imports": cold_imports,
    "hand-over": hand_overs,
    "baseline": baseline,
    "faults": all_faults,
}


if __name__ == "__main__":
    sys.exit(main())
