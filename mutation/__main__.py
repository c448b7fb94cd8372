"""``make mutants``: exits with 1 when too many survive, or others than ``survivors.toml`` says.

make mutants ARGS="--only quorumshift/domain/undo.py"
make mutants ARGS="--only quorumshift/domain/undo.py --again"
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict

from mutation import run, traces
from mutation.places import CACHE, MUTATED
from mutation.run import Outcome
from mutation.sites import Mutant
from mutation.survivors import compare

GOAL = 95.0
LAST = CACHE / "survived.json"


def main() -> int:
    """Mutate, tell, compare."""
    options = _options()
    os.nice(10)
    files = list(run.of_files(options.only))
    if not files:
        sys.exit(f"No module is called so: {' '.join(options.only)}")
    run.prepare()
    choice = run.Choice(traces.measure())
    before: dict[str, list[str]] = json.loads(LAST.read_text()) if LAST.exists() else {}

    def wanted(mutant: Mutant) -> bool:
        return not options.again or mutant.id in before.get(mutant.path, ())

    outcomes: list[Outcome] = []
    run.run(files, wanted, choice, options.jobs, _Progress(outcomes))
    for path in files:
        before[path] = [e.mutant.id for e in outcomes if e.mutant.path == path and not e.died]
    LAST.write_text(json.dumps(before))
    wrong = compare(outcomes, files, whole=not options.only)
    print(*wrong, sep="\n")
    print(_table(outcomes))
    few = not options.again and _killed(outcomes) < GOAL
    if few:
        print(f"Fewer than {GOAL:g} % were killed.", file=sys.stderr)
    return 1 if wrong or few else 0


class _Progress:
    def __init__(self, outcomes: list[Outcome]) -> None:
        self.outcomes = outcomes

    def __call__(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        if not outcome.died:
            print(f"alive: {outcome.mutant.path}: {outcome.mutant.id}", flush=True)
        if len(self.outcomes) % 100 == 0:
            print(f"{len(self.outcomes)} tried: {outcome.mutant.path}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mutation")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="PATH", help="modules or folders (default all)"
    )
    parser.add_argument("--again", action="store_true", help="only what survived the last time")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time (default 1)")
    return parser.parse_args()


def _killed(outcomes: list[Outcome]) -> float:
    return 100 * sum(each.died for each in outcomes) / len(outcomes) if outcomes else 100.0


def _share(outcomes: list[Outcome]) -> str:
    return f"{sum(each.died for each in outcomes)} killed ({_killed(outcomes):.1f} %)"


def _table(outcomes: list[Outcome]) -> str:
    by_folder: dict[str, list[Outcome]] = defaultdict(list)
    for each in outcomes:
        by_folder[next(p for p in MUTATED if each.mutant.path.startswith(p))].append(each)
    rows = [*by_folder.items(), ("all", outcomes)]
    return "\n".join(f"{name}: {len(each)} mutants, {_share(each)}" for name, each in rows)


if __name__ == "__main__":
    sys.exit(main())
