"""The arms of the benchmark of the hand-over, repetition by repetition.

All arms run against one cluster under one load, in turns, so that whatever else the machine does
hits them alike. Votes go from blue to green and back; leaders are killed while blue votes.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from benchmarks.bare import Script
from benchmarks.executions import Executed, hand_over
from benchmarks.stage import Stage, Stuck
from benchmarks.traffic import Window
from quorumshift.domain.raft import Colour

SETTLED_SECONDS = 90.0
APART_SECONDS = 2.0
"""Between the end of one repetition and the next one's start, so that no second has two of them."""
QUIET_SECONDS = 12.0
AFTER_SECONDS = 1.0
"""A repetition's window ends so much later: a write that stalls at its end is seen."""


class Arm(StrEnum):
    """What is done in a repetition."""

    PRODUCT = "hand-over"
    BARE = "bare script"
    QUIET = "nothing done"
    KILL = "leader killed"


@dataclass(frozen=True, slots=True)
class Repetition:
    """``seconds``: that the hand-over took; of a kill, until writes flowed again. ``window``: what
    the load saw. ``spent``: seconds by what they were spent on; ``states``: by state of the state
    machine. ``busy``: the machine's load average of the last minute; with more than there are
    cores, everything waits. ``problem``: empty if all went as it should. ``without_quorum``:
    seconds in which the observer saw fewer than a quorum of the voters answer."""

    arm: Arm
    goal: Colour
    seconds: float
    window: Window
    spent: Mapping[str, float]
    states: Mapping[str, float]
    busy: float
    changes: tuple[str, ...] = ()
    problem: str = ""
    without_quorum: float = 0.0


def turns(counts: Mapping[Arm, int]) -> list[tuple[Arm, Colour]]:
    """In which order: there and back at once (so an even number of both), the others in between
    while blue votes, each arm spread evenly over the whole."""
    placed: list[tuple[float, Arm]] = []
    for arm, count in counts.items():
        rounds = -(-count // len(_GOALS[arm]))
        placed += [((number + 0.5) / rounds, arm) for number in range(rounds)]
    placed.sort(key=lambda entry: entry[0])
    return [(arm, goal) for _, arm in placed for goal in _GOALS[arm]]


_THERE_AND_BACK = (Colour.GREEN, Colour.BLUE)
_GOALS = {
    Arm.PRODUCT: _THERE_AND_BACK,
    Arm.BARE: _THERE_AND_BACK,
    Arm.QUIET: (Colour.BLUE,),
    Arm.KILL: (Colour.BLUE,),
}


def run(stage: Stage, order: Sequence[tuple[Arm, Colour]], pace: float) -> Iterator[Repetition]:
    """One repetition after another, each from a healthy cluster, and a line about each.

    ``pace``: AWS's seconds in a real one while the product hands over. After a problem the cluster
    is brought in order by the product; :class:`Stuck` when that does not help.
    """
    act: dict[Arm, Callable[[Stage, Colour, float], Repetition]] = {
        Arm.PRODUCT: product,
        Arm.BARE: bare,
        Arm.QUIET: quiet,
        Arm.KILL: kill,
    }
    done: Counter[Arm] = Counter()
    of = Counter(arm for arm, _ in order)
    for arm, goal in order:
        began, lost = time.time(), stage.without_quorum()
        try:
            one = act[arm](stage, goal, pace)
        except Stuck as error:
            one = _repetition(stage, arm, goal, began, time.time(), problem=str(error))
        one = replace(one, without_quorum=stage.without_quorum() - lost)
        done[arm] += 1
        print(f"{arm} {done[arm]} of {of[arm]}: {told(one)}", file=sys.stderr, flush=True)
        yield one
        _settle(stage, goal, heal=arm is Arm.KILL or bool(one.problem))


def _settle(stage: Stage, goal: Colour, *, heal: bool) -> None:
    """Raises :class:`Stuck` when the votes are not where they should be, and ``heal`` no help."""
    if heal:
        healed = hand_over(stage, goal)
        if healed.problem:
            raise Stuck(f"the product could not bring the votes to {goal}: {healed.problem}")
    stage.wait_until(lambda: stage.settled(goal), f"{goal} alone to vote", SETTLED_SECONDS)
    stage.pause(APART_SECONDS)


def product(stage: Stage, goal: Colour, pace: float) -> Repetition:
    """The product hands over, as after a deployment's traffic has moved."""
    with stage.pace(pace):
        done = hand_over(stage, goal)
    changes = tuple(kind for kind, _ in done.changes)
    return _repetition(
        stage,
        Arm.PRODUCT,
        goal,
        done.began,
        done.ended,
        spent=spent(done),
        states=by_state(done),
        changes=changes,
        problem=done.problem,
    )


def bare(stage: Stage, goal: Colour, _pace: float) -> Repetition:
    """The same calls of etcd with nothing in between."""
    script = Script(stage, goal)
    began = time.time()
    seconds = script.run()
    parts = _sum((kind, took) for kind, _, took in script.took)
    changes = tuple(kind for kind, _, _ in script.took)
    return _repetition(stage, Arm.BARE, goal, began, began + seconds, spent=parts, changes=changes)


def quiet(stage: Stage, goal: Colour, _pace: float) -> Repetition:
    """Nothing happens: how long writes stall by themselves on this machine."""
    began = time.time()
    stage.pause(QUIET_SECONDS)
    return _repetition(stage, Arm.QUIET, goal, began, time.time())


def kill(stage: Stage, goal: Colour, _pace: float) -> Repetition:
    """The leader's task dies, as when a deployment ends it without asking."""
    leader = stage.leader()
    if leader is None:
        raise Stuck("nobody leads, so nobody can be killed")
    began = time.time()
    stage.kill(leader)
    stage.wait_until(lambda: stage.leader() not in (None, leader), "another leader", 30)
    led = time.time()
    stage.wait_until(lambda: stage.traffic.flows(led, stage.rate), "writes to flow", 30)
    return _repetition(stage, Arm.KILL, goal, began, time.time())


def _repetition(
    stage: Stage,
    arm: Arm,
    goal: Colour,
    began: float,
    ended: float,
    *,
    spent: Mapping[str, float] | None = None,
    states: Mapping[str, float] | None = None,
    changes: tuple[str, ...] = (),
    problem: str = "",
) -> Repetition:
    """What the load saw from ``began`` to ``ended`` (epoch seconds) and a moment longer."""
    stage.pause(AFTER_SECONDS)
    return Repetition(
        arm=arm,
        goal=goal,
        seconds=ended - began,
        window=stage.traffic.window(began, ended + AFTER_SECONDS),
        spent=spent or {},
        states=states or {},
        busy=os.getloadavg()[0],
        changes=changes,
        problem=problem,
    )


def spent(done: Executed) -> dict[str, float]:
    """Seconds by step: all that passed since the step before was done, refusals and waiting
    included; ``answer``: since the last step."""
    parts: list[tuple[str, float]] = []
    since = 0.0
    for visit in done.visits:
        since += visit.seconds
        if visit.step and not visit.refused:
            parts.append((visit.step, since))
            since = 0.0
    return _sum([*parts, ("answer", since)])


def by_state(done: Executed) -> dict[str, float]:
    """Seconds by state; ``between``: in no state."""
    inside = sum(visit.seconds for visit in done.visits)
    visits = [(visit.state, visit.seconds) for visit in done.visits]
    return _sum([*visits, ("between", done.seconds - inside)])


def _sum(parts: Iterable[tuple[str, float]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for name, seconds in parts:
        sums[name] = sums.get(name, 0.0) + seconds
    return sums


def told(one: Repetition) -> str:
    """One repetition in a line."""
    seen = one.window
    text = (
        f"to {one.goal}, {one.seconds:.2f} s, longest write {seen.longest_write_ms:.1f} ms, "
        f"{seen.failed} of {seen.total:,} failed, load average {one.busy:.1f}"
    )
    return f"{text}; PROBLEM: {one.problem}" if one.problem else text
