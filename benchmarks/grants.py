"""``python -m benchmarks.grants``: what each function uses of AWS, over real rehearsals.

Writes tests/testdata/used_actions.json, with which the tests compare what each role grants. Run it
after a change of what functions call; ``--match etcd`` runs some of the scenarios alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.page import ROOT
from benchmarks.rehearsals import rehearse
from quorumshift.rehearsal.used_actions import FILE

RECORD = ROOT / "tests" / "testdata" / "used_actions.json"
SCENARIOS = (
    "--service snaketron",
    "--service snaketron --fault bad-image",
    "--service etcd --fault stop@promote-3",
    "--service etcd --fault hand-over-killed@promote-2",
    "--service etcd --fault stop-without-functions@promote-2",
    "--service etcd --fault hook-crash",
    "--service snaketron --fault degraded",
    "--service etcd --fault slow-learner",
    "--service snaketron --fault slow-green",
    "--service etcd --fault alarm@handed-over",
    "--service snaketron --fault lost-task",
    "--service etcd --build",
)
"""Between them every function runs that a deployment can come to."""

Record = dict[str, dict[str, list[str]]]
"""Scenario → state or hook → IAM actions; functions that called nothing are left out."""


def read(path: Path = RECORD) -> Record:
    """What was recorded last."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def write(record: Mapping[str, Mapping[str, Sequence[str]]], path: Path = RECORD) -> None:
    """Keep the scenarios that there are, in their order."""
    kept = {scenario: record[scenario] for scenario in SCENARIOS if scenario in record}
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def used_in(logs: Path) -> dict[str, list[str]]:
    """What the functions of one rehearsal used, from its folder."""
    used = json.loads((logs / FILE).read_text(encoding="utf-8"))
    return {state: actions for state, actions in used.items() if actions}


def main() -> None:
    """Rehearse, and write what was used after each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grants", description=__doc__)
    parser.add_argument("--match", default="", help="only scenarios that hold this")
    options = parser.parse_args()
    record = read()
    for scenario in SCENARIOS:
        if options.match not in scenario:
            continue
        result = rehearse(*scenario.split()).result
        record[scenario] = used_in(Path(result["logs"]))
        write(record)
        print(
            f"{scenario}: {result['outcome']}, {len(record[scenario])} functions used AWS",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()
