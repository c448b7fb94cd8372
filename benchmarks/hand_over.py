"""What the hand-over costs: the product against a bare script and against a killed leader."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import page
from benchmarks.arms import Arm, Repetition, run, turns
from benchmarks.stage import Stuck, stage
from quorumshift.rehearsal.load import LoadResult
from quorumshift.rehearsal.observer import ObserverResult

WRITES = 200
SPEED = 60.0
"""AWS's seconds in a real one, but while the product hands over."""
PACE = 1.0
"""The same while it does: AWS's own."""
MOST_STALL_MS = 150.0
MOST_OF_A_KILL = 0.1
MOST_OF_THE_SCRIPT = 1.5


@dataclass(frozen=True, slots=True)
class Measured:
    """All repetitions, and what load and observer saw of the whole time. ``broke``: why it ended
    early; empty if it did not."""

    repetitions: tuple[Repetition, ...]
    load: LoadResult
    seen: ObserverResult
    broke: str = ""

    def of(self, arm: Arm) -> list[Repetition]:
        """The repetitions of one arm that went as they should."""
        return [one for one in self.repetitions if one.arm is arm and not one.problem]


def measure(counts: Mapping[Arm, int], pace: float) -> Measured:
    """Bring both colours up and run all arms in turns."""
    done: list[Repetition] = []
    broke = ""
    with stage(WRITES, SPEED) as here:
        try:
            for one in run(here, turns(counts), pace):
                done.append(one)  # those before a Stuck are to be kept
        except Stuck as error:
            broke = str(error)
            print(f"it ends early: {broke}", file=sys.stderr, flush=True)
        print("reading every acknowledged write back", file=sys.stderr, flush=True)
        return Measured(tuple(done), here.traffic.finish(), here.observer.finish(), broke)


def report(measured: Measured, command: str) -> page.Section:
    """The table, where the time goes, and the goals that were missed."""
    text = page.section(command, rows(measured))
    table = page.table(("seconds of a hand-over, mean", "product", "bare script"), shares(measured))
    return page.Section(f"{text}\n{table}{_problems(measured)}", tuple(missed(measured)))


def rows(measured: Measured) -> list[tuple[str, str]]:
    """What the first table tells."""
    counts = " / ".join(str(len(measured.of(arm))) for arm in Arm)
    busy = [one.busy for one in measured.repetitions]
    return [
        (f"repetitions: {' / '.join(Arm)}", counts),
        *_losses(measured),
        *_stall_rows(measured),
        *_duration_rows(measured),
        ("changes of the Raft cluster in the same order in both", _same_order(measured)),
        ("load average of the machine", page.spread(busy)),
    ]


def _losses(measured: Measured) -> list[tuple[str, str]]:
    load, windows = measured.load, [one.window for one in measured.of(Arm.PRODUCT)]
    failed, total = sum(w.failed for w in windows), sum(w.total for w in windows)
    return [
        ("requests failed, in hand-overs", f"{failed} of {total:,}"),
        ("requests failed, whole run", f"{load.failed} of {load.total:,}"),
        ("acknowledged writes lost, whole run", f"{load.lost} of {load.acknowledged:,}"),
        (
            f"seconds in which too few voters answered: {' / '.join(Arm)}",
            " / ".join(f"{_without_quorum(measured, arm):g}" for arm in Arm),
        ),
    ]


def _stall_rows(measured: Measured) -> list[tuple[str, str]]:
    ratios = ", ".join(_ratio(*pair) for pair in _stall_pairs(measured))
    return [
        *(
            (
                f"longest stall of a write in a repetition, {arm}, ms",
                page.spread(_stalls(measured.of(arm))),
            )
            for arm in Arm
        ),
        ("stalls, hand-over ÷ leader killed: longest ÷ longest, median ÷ median", ratios),
    ]


def _duration_rows(measured: Measured) -> list[tuple[str, str]]:
    return [
        *(
            (f"duration, {arm}, s", page.spread(_seconds(measured.of(arm)), 2))
            for arm in _HANDING_OVER
        ),
        ("duration, hand-over ÷ bare script, medians", _ratio(*_duration_pair(measured))),
    ]


def shares(measured: Measured) -> list[tuple[str, str, str]]:
    """Where the time goes: by step in both arms, then by state in the product's."""
    product, bare = (measured.of(arm) for arm in _HANDING_OVER)
    steps = _means([one.spent for one in product]), _means([one.spent for one in bare])
    states = _means([one.states for one in product])
    by_step = [
        (
            f"until done: {name}",
            f"{seconds:.2f}",
            f"{steps[1][name]:.2f}" if name in steps[1] else "",
        )
        for name, seconds in _largest(steps[0])
    ]
    by_state = [
        (f"in state {name}" if name[0].isupper() else f"{name} states", f"{seconds:.2f}", "")
        for name, seconds in _largest(states)
        if seconds >= 0.05
    ]
    return [*by_step, *by_state]


def missed(measured: Measured) -> list[str]:
    """The goals that were not reached; what was not measured was not reached."""
    load = measured.load
    worst, killed = _stall_pairs(measured)[0]
    took, script = _duration_pair(measured)
    odd = [one for one in measured.repetitions if one.problem]
    goals = (
        (not measured.broke, f"it ended early: {measured.broke}"),
        (not odd, f"{len(odd)} repetitions had a problem"),
        (load.failed == 0, f"{load.failed} requests failed"),
        (load.lost == 0, f"{load.lost} acknowledged writes were lost"),
        (_without_quorum(measured, Arm.PRODUCT) == 0, "the quorum was lost in a hand-over"),
        (worst <= MOST_STALL_MS, f"a write stalled {worst:.0f} ms (goal {MOST_STALL_MS:.0f})"),
        (
            0 < worst <= killed * MOST_OF_A_KILL,
            f"the longest stall is {_ratio(worst, killed)} of a killed leader's "
            f"(goal {MOST_OF_A_KILL})",
        ),
        (
            0 < took <= script * MOST_OF_THE_SCRIPT,
            f"it takes {_ratio(took, script)} times as long as the bare script "
            f"(goal {MOST_OF_THE_SCRIPT})",
        ),
    )
    return [text for reached, text in goals if not reached]


_HANDING_OVER = (Arm.PRODUCT, Arm.BARE)


def _without_quorum(measured: Measured, arm: Arm) -> float:
    return round(sum(one.without_quorum for one in measured.of(arm)), 1)


def _stalls(some: Iterable[Repetition]) -> list[float]:
    return [one.window.longest_write_ms for one in some]


def _seconds(some: Iterable[Repetition]) -> list[float]:
    return [one.seconds for one in some]


def _stall_pairs(measured: Measured) -> tuple[tuple[float, float], tuple[float, float]]:
    """Milliseconds, (hand-over, kill): the longest ones, and the medians."""
    ours, kills = _stalls(measured.of(Arm.PRODUCT)), _stalls(measured.of(Arm.KILL))
    longest = max(ours, default=0.0), max(kills, default=0.0)
    return longest, (_median(ours), _median(kills))


def _duration_pair(measured: Measured) -> tuple[float, float]:
    product, bare = (_seconds(measured.of(arm)) for arm in _HANDING_OVER)
    return _median(product), _median(bare)


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else 0.0


def _ratio(one: float, other: float) -> str:
    return f"{one / other:.3f}" if other else "–"


def _same_order(measured: Measured) -> str:
    product, bare = (measured.of(arm) for arm in _HANDING_OVER)
    orders = {one.changes for one in bare}
    same = sum(one.changes in orders for one in product)
    return f"{same} of {len(product)}"


def _means(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = {name for part in parts for name in part}
    return {name: sum(part.get(name, 0.0) for part in parts) / len(parts) for name in names}


def _largest(values: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(values.items(), key=lambda entry: -entry[1])


def _problems(measured: Measured) -> str:
    odd = [
        f"- {one.arm} to {one.goal}: {one.problem}\n" for one in measured.repetitions if one.problem
    ]
    early = [f"- it ended early: {measured.broke}\n"] if measured.broke else []
    return "\nWhat went otherwise:\n\n" + "".join(odd + early) if odd or early else ""
