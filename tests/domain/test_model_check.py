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
from tests.domain.model_starts import every, joining, ordinary
from tests.domain.planted_bugs import BUGS, JOINING

STRICT = Policy()
INFERRED = Policy(allow_inferred=True)
OLD_BLUE, OLD_GREEN, ALL_OLD = frozenset({BLUE}), frozenset({GREEN}), frozenset({BLUE, GREEN})
"""Which colours can only admit and promote."""
SMALL = Policy(tolerance=0, minimum_voters=1)

SETS: dict[str, tuple[Rules, list[Nodes]]] = {
    "one, every start": (Rules((1, 1), 1, SMALL, faults=1), every(1, 1, ill=1)),
    "one, unlocked": (
        Rules((1, 1), 1, replace(SMALL, allow_unlocked=True), faults=1),
        every(1, 1, ill=1),
    ),
    "two, every start": (Rules((2, 2), 2, SMALL, faults=1), every(2, 2, ill=1)),
    "three, every start, a fault": (Rules((3, 3), 3, STRICT, faults=1), every(3, 3, ill=1)),
    "three, locks come to their end": (Rules((3, 3), 3, STRICT, clock=True), ordinary(3, 3)),
    "three to five": (Rules((3, 5), 5, STRICT), ordinary(3, 5)),
    "five to three": (Rules((5, 3), 3, STRICT, faults=1), ordinary(5, 3)),
    "four, every start": (Rules((4, 4), 4, STRICT, adversary=False), every(4, 4, ill=1)),
    "four, a fault": (Rules((4, 4), 4, STRICT, faults=1), ordinary(4, 4)),
    "five, every start": (Rules((5, 5), 5, STRICT, adversary=False), every(5, 5, ill=1)),
    "five, a fault": (Rules((5, 5), 5, STRICT, faults=1), ordinary(5, 5)),
    "three, blue only joins, a fault": (
        Rules((3, 3), 3, INFERRED, faults=1, joining=OLD_BLUE),
        joining(ordinary(3, 3), BLUE),
    ),
    "three, blue only joins, every start": (
        Rules((3, 3), 3, INFERRED, adversary=False, joining=OLD_BLUE),
        joining(every(3, 3, ill=1), BLUE),
    ),
    "three, green only joins, every healthy start": (
        Rules((3, 3), 3, INFERRED, adversary=False, joining=OLD_GREEN),
        joining(every(3, 3, ill=0), GREEN),
    ),
    "three, all only join, every healthy start": (
        Rules((3, 3), 3, INFERRED, adversary=False, joining=ALL_OLD),
        joining(every(3, 3, ill=0), BLUE, GREEN),
    ),
}

LARGE: dict[str, tuple[Rules, list[Nodes]]] = {
    "three, two faults": (Rules((3, 3), 3, STRICT, faults=2), every(3, 3, ill=0)),
    "three to five, a fault": (Rules((3, 5), 5, STRICT, faults=1), ordinary(3, 5)),
    "four, every start, a fault": (Rules((4, 4), 4, STRICT, faults=1), every(4, 4, ill=1)),
    "five, every start, a fault": (Rules((5, 5), 5, STRICT, faults=1), every(5, 5, ill=1)),
    "three, blue only joins, every start, a fault": (
        Rules((3, 3), 3, INFERRED, faults=1, joining=OLD_BLUE),
        joining(every(3, 3, ill=1), BLUE),
    ),
    "three, green only joins, every start, a fault": (
        Rules((3, 3), 3, INFERRED, faults=1, joining=OLD_GREEN),
        joining(every(3, 3, ill=1), GREEN),
    ),
    "three, all only join, every start, a fault": (
        Rules((3, 3), 3, INFERRED, faults=1, joining=ALL_OLD),
        joining(every(3, 3, ill=1), BLUE, GREEN),
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
    assert len(BUGS) >= 10


@pytest.mark.parametrize("name", BUGS)
def test_the_check_finds_a_planted_bug(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a small service, where an unharmed planner passes (the first test)."""
    make, flaw = BUGS[name]
    planner = make(monkeypatch)
    rules = Rules((3, 3), 3, STRICT, faults=1, clock=name == "does_not_look_when_locks_end")
    starts = ordinary(3, 3)
    if name in JOINING:
        rules, starts = replace(rules, policy=INFERRED, joining=OLD_BLUE), joining(starts, BLUE)
    with pytest.raises(Flaw, match=flaw):
        Check(rules, planner=planner).run(starts)
