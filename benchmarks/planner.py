"""How long the planner thinks, and how long the model check takes."""

from __future__ import annotations

import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from multiprocessing.pool import Pool

from benchmarks import page
from quorumshift.adapters.raft.etcd import EtcdRaft
from quorumshift.domain.handover import Kind, Next, Plan, Step, goal_for, plan
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import (
    ClusterObservation,
    Colour,
    Report,
    Standing,
)
from quorumshift.rehearsal.fault_matrix import before_the_hand_over

VOTERS = 9
MOST_MS = 50.0
MOST_CHECK_SECONDS = 60.0
TIMES = 3
"""Each observation is planned so often, each time in a fresh process, as in a new function: the
planner keeps searches for the next time. The median counts."""
_LOCKED_UNTIL = 1e9
_POLICY = Policy()


def measure(command: str) -> page.Section:
    """The planner's section."""
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        healthy = pool.apply(journey, (VOTERS,))
        ill = [sick for seen in healthy for sick in pool.apply(with_one_silent, (seen,))]
        times = {"healthy": _times(pool, healthy), "ill": _times(pool, ill)}
    check = _model_check()
    way = f"{VOTERS} → {VOTERS}, {len(healthy)} configurations on the way"
    rows = [
        (f"{way}, to green and to blue, ms", page.spread(times["healthy"])),
        (f"the same with any one voter silent, {len(ill)} of them, ms", page.spread(times["ill"])),
        (
            "model check (tests/domain/test_model_check.py in one process), s",
            f"{check.seconds:.1f}",
        ),
        ("of that on a processor, s", f"{check.processor:.1f}"),
        ("worlds that it visits", f"{check.worlds:,}"),
    ]
    worst = max(*times["healthy"], *times["ill"])
    missed = []
    if worst > MOST_MS:
        missed.append(f"a plan took {worst:.0f} ms (goal {MOST_MS:.0f})")
    if check.seconds > MOST_CHECK_SECONDS:
        took = f"{check.seconds:.0f} s (goal {MOST_CHECK_SECONDS:.0f})"
        missed.append(f"the model check took {took}")
    return page.Section(page.section(command, rows), tuple(missed))


def start(voters: int) -> ClusterObservation:
    """Blue votes and leads, and green's tasks are up."""
    seen = before_the_hand_over(voters)
    leader = next(node.report.leader for node in seen.voters if node.report)
    return _reporting(seen, leader or "")


def journey(voters: int) -> list[ClusterObservation]:
    """Every observation on the way of a whole hand-over, the first and the last included."""
    seen = start(voters)
    way = [seen]
    while (planned := _plan(seen, Colour.GREEN)).decision is Next.STEP:
        assert planned.step is not None
        seen = after(seen, planned.step)
        way.append(seen)
    if planned.decision is not Next.DONE:
        raise RuntimeError(f"the hand-over does not end: {planned.sentence}")
    return way


def after(seen: ClusterObservation, step: Step) -> ClusterObservation:
    """What is seen once the step is done."""
    leader = next(n.report.leader for n in seen.nodes if n.report and n.report.leader)
    if step.kind is Kind.TRANSFER:
        return _reporting(seen, step.raft_id or "")
    changed = []
    for node in seen.nodes:
        if node.task in step.tasks:
            until = _LOCKED_UNTIL if step.kind is Kind.LOCK else None
            changed.append(replace(node, locked_until=until))
        elif node.address != step.address:
            changed.append(node)
        elif step.kind is Kind.ADMIT:
            changed.append(replace(node, standing=Standing.LEARNER, raft_id=f"id-{node.address}"))
        elif step.kind is Kind.PROMOTE:
            changed.append(replace(node, standing=Standing.VOTER))
        elif step.kind is Kind.REMOVE:
            changed.append(replace(node, standing=Standing.OUTSIDE, raft_id=None, report=None))
        else:
            raise ValueError(f"{step.kind} is not played here")
    return _reporting(replace(seen, nodes=tuple(changed)), leader)


def with_one_silent(seen: ClusterObservation) -> list[ClusterObservation]:
    """The same with one voter silent, for each that does not lead."""
    silent = [n for n in seen.voters if n.report and n.report.leader != n.raft_id]
    return [
        replace(seen, nodes=tuple(replace(n, report=None) if n is one else n for n in seen.nodes))
        for one in silent
    ]


def _reporting(seen: ClusterObservation, leader: str) -> ClusterObservation:
    nodes = tuple(
        replace(node, report=Report(node.raft_id, 2, leader, 100, 100)) if node.raft_id else node
        for node in seen.nodes
    )
    return replace(seen, nodes=nodes)


def _plan(seen: ClusterObservation, goal: Colour) -> Plan:
    return plan(seen, goal_for(seen, goal), EtcdRaft.dialect, _POLICY)


def _times(pool: Pool, observations: list[ClusterObservation]) -> list[float]:
    """Milliseconds of each, to green and to blue."""
    jobs = [(seen, goal) for seen in observations for goal in (Colour.GREEN, Colour.BLUE)]
    taken = [[pool.apply(_milliseconds, job) for _ in range(TIMES)] for job in jobs]
    return [statistics.median(some) for some in taken]


def _milliseconds(seen: ClusterObservation, goal: Colour) -> float:
    began = time.perf_counter()
    _plan(seen, goal)
    return (time.perf_counter() - began) * 1000


@dataclass(frozen=True, slots=True)
class Checked:
    """``seconds``: from start to end. ``processor``: seconds of processor time."""

    seconds: float
    processor: float
    worlds: int


def _model_check() -> Checked:
    began, before = time.monotonic(), os.times()
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "-rP", "tests/domain/test_model_check.py"],
        cwd=page.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, now = time.monotonic() - began, os.times()
    processor = now.children_user + now.children_system
    processor -= before.children_user + before.children_system
    worlds = sum(int(count) for count in re.findall(r"(?m): (\d+) worlds, ", ran.stdout))
    return Checked(seconds, processor, worlds)
