"""The planner against every world that an adversary can bring about.

``QUORUMSHIFT_MODEL_CHECK=full`` with ``--timeout 0`` also runs the largest sets: a million worlds,
for the better part of an hour.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from quorumshift.domain.policy import Policy
from tests.domain.model import BLUE, GREEN, Flaw, Nodes, Rules
from tests.domain.model_check import Check, report
from tests.domain.model_starts import alarmed, every, joining, ordinary, sample
from tests.domain.planted_bugs import BUGS, JOINING, WORLDS

STRICT = Policy()
INFERRED = Policy(allow_inferred=True)
OLD_BLUE, OLD_GREEN, ALL_OLD = frozenset({BLUE}), frozenset({GREEN}), frozenset({BLUE, GREEN})
"""Which colours can only admit and promote."""
SMALL = Policy(tolerance=0, minimum_voters=1)
WELL, THREE, FOUR, FIVE = (every(n, n, ill) for n, ill in ((3, 0), (3, 1), (4, 1), (5, 1)))
"""Every start, made once: of three healthy nodes a side; of three, four and five, one ill."""

SETS: dict[str, tuple[Rules, list[Nodes]]] = {
    "one, every start": (Rules((1, 1), 1, SMALL, faults=1), every(1, 1, ill=1)),
    "one, unlocked": (
        Rules((1, 1), 1, replace(SMALL, allow_unlocked=True), faults=1),
        every(1, 1, ill=1),
    ),
    "two, every start": (Rules((2, 2), 2, SMALL, faults=1), every(2, 2, ill=1)),
    "three, every start, a fault": (Rules((3, 3), 3, STRICT, faults=1), THREE),
    "three, locks come to their end": (Rules((3, 3), 3, STRICT, clock=True), ordinary(3, 3)),
    "three to five": (Rules((3, 5), 5, STRICT), ordinary(3, 5)),
    "five to three": (Rules((5, 3), 3, STRICT, faults=1), ordinary(5, 3)),
    "four, some starts": (
        Rules((4, 4), 4, STRICT, adversary=False),
        sample(FOUR, 200),
    ),
    "four, a fault": (Rules((4, 4), 4, STRICT, faults=1), ordinary(4, 4)),
    "five, some starts": (
        Rules((5, 5), 5, STRICT, adversary=False),
        sample(FIVE, 150),
    ),
    "five, a fault": (Rules((5, 5), 5, STRICT, faults=1), ordinary(5, 5)),
    "three, blue only joins, a fault": (
        Rules((3, 3), 3, INFERRED, faults=1, joining=OLD_BLUE),
        joining(ordinary(3, 3), BLUE),
    ),
    "three, blue only joins, every start": (
        Rules((3, 3), 3, INFERRED, adversary=False, joining=OLD_BLUE),
        joining(THREE, BLUE),
    ),
    "three, green only joins, every healthy start": (
        Rules((3, 3), 3, INFERRED, adversary=False, joining=OLD_GREEN),
        joining(WELL, GREEN),
    ),
    "three, all only join, every healthy start": (
        Rules((3, 3), 3, INFERRED, adversary=False, joining=ALL_OLD),
        joining(WELL, BLUE, GREEN),
    ),
}

SETS |= {
    "three, ECS starts no task of one that is missing": (
        Rules((3, 3), 3, STRICT, faults=1, late=True, last=True),
        every(2, 3, ill=0),
    ),
    "three, a voter is cut off": (
        Rules((3, 3), 3, STRICT, faults=1, cuts=True, last=True, late=True),
        sample(WELL, 12),
    ),
    "three, an alarm": (Rules((3, 3), 3, STRICT, faults=1), alarmed(ordinary(3, 3))),
}
LARGE: dict[str, tuple[Rules, list[Nodes]]] = {
    "four, every start": (Rules((4, 4), 4, STRICT, adversary=False), FOUR),
    "five, every start": (Rules((5, 5), 5, STRICT, adversary=False), FIVE),
    "three, two faults": (Rules((3, 3), 3, STRICT, faults=2), WELL),
    "three to five, a fault": (Rules((3, 5), 5, STRICT, faults=1), ordinary(3, 5)),
    "four, every start, a fault": (Rules((4, 4), 4, STRICT, faults=1), FOUR),
    "five, every start, a fault": (Rules((5, 5), 5, STRICT, faults=1), FIVE),
    "three, blue only joins, every start, a fault": (
        Rules((3, 3), 3, INFERRED, faults=1, joining=OLD_BLUE),
        joining(THREE, BLUE),
    ),
    "three, green only joins, every start, a fault": (
        Rules((3, 3), 3, INFERRED, faults=1, joining=OLD_GREEN),
        joining(THREE, GREEN),
    ),
    "three, all only join, every start, a fault": (
        Rules((3, 3), 3, INFERRED, faults=1, joining=ALL_OLD),
        joining(THREE, BLUE, GREEN),
    ),
    "five, blue only joins, a fault": (
        Rules((5, 5), 5, INFERRED, faults=1, joining=OLD_BLUE),
        joining(ordinary(5, 5), BLUE),
    ),
}
if os.environ.get("QUORUMSHIFT_MODEL_CHECK") == "full":
    SETS |= LARGE


@pytest.mark.parametrize("name", SETS)
def test_every_world_is_safe_and_every_run_ends(name: str) -> None:
    rules, starts = SETS[name]
    check = Check(rules)
    worlds = check.run(starts)
    report(name, worlds, check)
    assert worlds > len(starts)
    assert any(end.startswith("done") for end in check.ends)


def test_there_are_bugs_enough() -> None:
    assert len(BUGS) >= 30


@pytest.mark.parametrize("name", BUGS)
def test_the_check_finds_a_planted_bug(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a small service, where an unharmed planner passes (the first test)."""
    make, flaw = BUGS[name]
    planner = make(monkeypatch)
    rules = Rules((3, 3), 3, STRICT, faults=1, clock=name == "does_not_look_when_locks_end")
    starts = ordinary(3, 3)
    if name in JOINING:
        rules, starts = replace(rules, policy=INFERRED, joining=OLD_BLUE), joining(starts, BLUE)
    if name in WORLDS:
        rules, starts = SETS[WORLDS[name]]
    with pytest.raises(Flaw, match=flaw):
        Check(rules, planner=planner).run(starts)
