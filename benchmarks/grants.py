"""``python -m benchmarks.grants``: what each function uses of AWS, over real rehearsals.

Writes tests/testdata/used_actions.json, with which the tests compare what each role grants. Run it
after a change of what functions call; it takes about ten minutes, and ``--match etcd`` runs some of
the scenarios alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from benchmarks.page import ROOT
from benchmarks.rehearsals import rehearse
from quorumshift.rehearsal.used_actions import FILE

RECORD = ROOT / "tests" / "testdata" / "used_actions.json"
RATE = "50"
"""Requests a second: several rehearsals share the machine."""
SNAKETRON = "--service snaketron --players 60"
ETCD = "--service etcd"
SCENARIOS = (
    SNAKETRON,
    f"{SNAKETRON} --start schedule --fault schedule",
    f"{SNAKETRON} --contract migration",
    f"{SNAKETRON} --contract legacy",
    f"{SNAKETRON} --fault bad-image",
    f"{SNAKETRON} --fault slow-green",
    f"{SNAKETRON} --fault slow-learner",
    f"{SNAKETRON} --fault degraded",
    f"{SNAKETRON} --fault lost-task",
    f"{SNAKETRON} --fault kill-blue-leader@before",
    f"{SNAKETRON} --fault kill-blue-follower@promote-2",
    f"{SNAKETRON} --fault kill-green@during",
    f"{SNAKETRON} --fault partition-leader@before",
    f"{SNAKETRON} --fault alarm@handed-over",
    f"{SNAKETRON} --fault stop@promote-3",
    f"{SNAKETRON} --fault stop-without-functions",
    f"{SNAKETRON} --fault deploy-killed@promote-2",
    f"{SNAKETRON} --fault second",
    f"{SNAKETRON} --fault hook-killed@after",
    f"{SNAKETRON} --fault hand-over-killed",
    ETCD,
    f"{ETCD} --build",
    f"{ETCD} --fault unhealthy-green",
    f"{ETCD} --fault hook-crash",
    f"{ETCD} --fault hook-killed",
    f"{ETCD} --fault move-leader",
    f"{ETCD} --fault lost-reply",
)
"""Between them every fault there is, at the moment that reaches most, and every function that a
deployment can come to."""

Record = dict[str, dict[str, list[str]]]
"""Scenario → state or hook → IAM actions; functions that called nothing are left out."""


def read(path: Path = RECORD) -> Record:
    """What was recorded last."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def write(record: Mapping[str, Mapping[str, Sequence[str]]], path: Path = RECORD) -> None:
    """Keep the scenarios that there are, in their order."""
    kept = {scenario: record[scenario] for scenario in SCENARIOS if scenario in record}
    path.write_text(text(kept), encoding="utf-8")


def text(record: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    """As JSON, with a line a function."""
    blocks = []
    for scenario, functions in record.items():
        lines = [f"  {json.dumps(state)}: {json.dumps(used)}" for state, used in functions.items()]
        blocks.append(f" {json.dumps(scenario)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def used_in(logs: Path) -> dict[str, list[str]]:
    """What the functions of one rehearsal used, from its folder."""
    used = json.loads((logs / FILE).read_text(encoding="utf-8"))
    return {state: actions for state, actions in used.items() if actions}


def main() -> int:
    """Rehearse, and write what was used after each. 1: some of them broke."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grants", description=__doc__)
    parser.add_argument("--match", default="", help="only scenarios that hold this")
    parser.add_argument("--missing", action="store_true", help="only scenarios without a record")
    parser.add_argument("--jobs", type=int, default=2, help="side by side (default 2)")
    options = parser.parse_args()
    record, broken = read(), 0
    known = record if options.missing else {}
    chosen = [each for each in SCENARIOS if options.match in each and each not in known]
    with ThreadPoolExecutor(options.jobs) as pool:
        waiting = {pool.submit(_rehearse, scenario): scenario for scenario in chosen}
        for number, done in enumerate(as_completed(waiting), 1):
            scenario = waiting[done]
            try:
                said, record[scenario] = done.result()
            except RuntimeError as error:
                said, broken = f"broke: {error}", broken + 1
            write(record)
            text = f"{number} of {len(chosen)}: {scenario}: {said}"
            print(text, file=sys.stderr, flush=True)
    return 1 if broken else 0


def _rehearse(scenario: str) -> tuple[str, dict[str, list[str]]]:
    """How it ended, and what was used."""
    result = rehearse("--rate", RATE, *scenario.split()).result
    return f"{result['outcome']}, {result['duration']['seconds']} s", used_in(Path(result["logs"]))


if __name__ == "__main__":
    sys.exit(main())
