"""Runs the crash matrix: ``make soak``, or one schedule again.

python -m tests.crash --schedules 100000 --jobs 2
python -m tests.crash --seed 386
python -m tests.crash --faults 'outage:codedeploy@66.7+10610'
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator

from tests.crash.campaign import (
    Tally,
    of_calls,
    of_deeds,
    of_outages,
    page,
    plain,
    run,
    seeded,
    size_of,
    tally,
    tally_of_seeds,
)
from tests.crash.faults import Schedule, read, tell

_AT_ONCE = 50
_PARTS = 40
_SINGLES = {"calls": of_calls, "deeds": of_deeds, "outages": of_outages}


def main() -> int:
    """The exit code: 0 when nothing was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--schedules", type=int, default=100_000, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--seed", type=int, help="run the schedule of this seed alone")
    parser.add_argument("--faults", help="run this schedule alone")
    parser.add_argument("--size", type=int, help="tasks of the service")
    given = parser.parse_args()
    if given.seed is not None or given.faults is not None:
        schedule = seeded(given.seed) if given.faults is None else read(given.faults)
        return _one(schedule, given.size or (size_of(given.seed) if given.seed else 3))
    return _all(given.schedules, given.first, given.jobs)


def _one(schedule: Schedule, size: int) -> int:
    ran = run(schedule, size)
    if ran.wrong:
        print(page(ran, size, None))
    else:
        print(f"{tell(schedule)}: {ran.ends}, nothing wrong, {ran.calls} calls, {ran.lasted:.0f} s")
    return 1 if ran.wrong else 0


def _all(schedules: int, first: int, jobs: int) -> int:
    began, whole = time.monotonic(), Tally()
    print(f"{len(plain().calls)} calls, {plain().lasted:.0f} s without a fault", flush=True)
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        for name in _SINGLES:
            found = Tally()
            for part in pool.imap_unordered(
                _part, [(name, at, 8 * jobs) for at in range(8 * jobs)]
            ):
                found.merge(part)
            print(f"single {name}: {found.text}", flush=True)
            whole.merge(found)
        seeds = Tally()
        for part in pool.imap_unordered(_seeds, _ranges(first, schedules)):
            for each in part.wrong:
                print(each, flush=True)
            seeds.merge(part)
            if seeds.ends.total() % 5_000 < _AT_ONCE:
                print(f"{time.monotonic() - began:.0f} s, seeds: {seeds.text}", flush=True)
        whole.merge(seeds)
    for each in whole.wrong:
        print(each)
    print(f"seeds {first} to {first + schedules - 1}: {seeds.text}")
    print(f"all: {whole.text}; {time.monotonic() - began:.0f} s")
    return 1 if whole.wrong else 0


def _part(which: tuple[str, int, int]) -> Tally:
    name, at, parts = which
    return tally(each for number, each in enumerate(_SINGLES[name]()) if number % parts == at)


def _seeds(which: range) -> Tally:
    return tally_of_seeds(which)


def _ranges(first: int, schedules: int) -> Iterator[range]:
    for at in range(first, first + schedules, _AT_ONCE):
        yield range(at, min(at + _AT_ONCE, first + schedules))


if __name__ == "__main__":
    sys.exit(main())
