"""Which schedules are run, and what is said of one that goes wrong."""

from __future__ import annotations

import functools
import gc
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.crash.calls import Call, reads
from tests.crash.faults import APIS, Fault, Schedule, shuffled, tell
from tests.crash.world import Ran, World

OF_READS = ("refused", "stale", "strange", "denied", "killed")
"""What is told apart where a call changes nothing: there ``throttled`` is ``refused`` (the client
says the same of both), and a read that is repeated is a read."""
OF_CHANGES = ("refused", "slow", "lost", "throttled", "twice", "denied", "killed")
DONE_AT = ("stop:deploy", "stop:hand_over", "stop:deployment", "second", "skip", "task", "alarm")
EVERY_SECONDS = 4.0
"""Between two moments at which something is done or begins."""
OUT = (30.0, 240.0, 3600.0, 3 * 3600.0)


@dataclass(frozen=True, slots=True)
class Plain:
    """A run without any fault. ``calls``: those that it makes; ``lasted``: seconds."""

    calls: tuple[Call, ...]
    lasted: float


@functools.cache
def plain(size: int = 3) -> Plain:
    """It has to go well."""
    world = World(size=size, strict=True)
    ran = world.run()
    assert not ran.wrong, ran
    assert world.first.ended is not None
    assert world.first.ended.at == "Deployed", ran
    return Plain(tuple(world.calls.made), ran.lasted)


def of_calls() -> Iterator[Schedule]:
    """Every call × everything that can happen to it, as far as it makes a difference."""
    for call in plain().calls:
        for kind in _kinds(call):
            yield (Fault(kind, call.number),)


def _kinds(call: Call) -> tuple[str, ...]:
    if call.api == "raft":
        more = ("stale",) if reads(call.operation) else ("ignored", "lost", "twice")
        return ("refused", "denied", "killed", *more)
    return OF_READS if reads(call.operation) else OF_CHANGES


def of_deeds() -> Iterator[Schedule]:
    """Everything that somebody may do × moments."""
    for kind in DONE_AT:
        for at in _moments(EVERY_SECONDS):
            yield (Fault(kind, at, 30.0 if kind == "alarm" else 0.0),)


def of_outages() -> Iterator[Schedule]:
    """Every API, and all at once, out of order × how long × moments."""
    for api in APIS:
        for seconds in OUT:
            for at in _moments(4 * EVERY_SECONDS):
                yield (Fault(f"outage:{api}", at, seconds),)


def _moments(apart: float) -> Iterator[float]:
    at = 0.5
    while at < plain().lasted:
        yield at
        at += apart


def seeded(seed: int) -> Schedule:
    """The schedule of a seed."""
    known = plain()
    return shuffled(seed, len(known.calls), known.lasted)


def size_of(seed: int) -> int:
    """How many tasks the service has in the run of a seed."""
    return 5 if seed % 7 == 0 else 4 if seed % 3 == 0 else 3


def run(schedule: Schedule, size: int = 3) -> Ran:
    """One run. What it leaves is collected later: there is little of it, and looking takes long."""
    gc.disable()
    try:
        return World(schedule, size).run()
    finally:
        gc.enable()


def shortest(schedule: Schedule, size: int) -> Schedule:
    """The shortest part of a schedule that goes wrong as well."""
    for at in range(len(schedule)):
        less = schedule[:at] + schedule[at + 1 :]
        if run(less, size).wrong:
            return shortest(less, size)
    return schedule


@dataclass
class Tally:
    """``ends``: how many ended how. ``wrong``: a page for each run that went wrong."""

    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, schedule: Schedule, size: int = 3, seed: int | None = None) -> None:
        """Run one more."""
        ran = run(schedule, size)
        self.ends[ran.ends["deploy/one"]] += 1
        if ran.wrong:
            self.wrong.append(page(ran, size, seed))

    def merge(self, other: Tally) -> None:
        """Both together."""
        self.ends += other.ends
        self.wrong += other.wrong

    @property
    def text(self) -> str:
        """One line."""
        ends = ", ".join(f"{end} {many:,}" for end, many in self.ends.most_common())
        return f"{self.ends.total():,} runs: {ends}; {len(self.wrong)} wrong"


def page(ran: Ran, size: int, seed: int | None) -> str:
    """What went wrong, with which faults, and how to see it again."""
    less = shortest(ran.schedule, size)
    which = f"seed {seed}: " if seed is not None else ""
    return "\n".join(
        [
            f"{which}{tell(ran.schedule)}",
            *(f"  {said}" for said in ran.wrong),
            f"  ends: {ran.ends}",
            f"  again: python -m tests.crash --size {size} --faults '{tell(less)}'",
        ]
    )


def tally(schedules: Iterable[Schedule]) -> Tally:
    """Run these."""
    found = Tally()
    for schedule in schedules:
        found.add(schedule)
    return found


def tally_of_seeds(seeds: Iterable[int]) -> Tally:
    """Run the schedules of these seeds."""
    found = Tally()
    for seed in seeds:
        found.add(seeded(seed), size_of(seed), seed)
    return found
