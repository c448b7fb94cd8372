"""The planner against every world that an adversary can bring about.

``QUORUMSHIFT_MODEL_CHECK=full`` with ``--timeout 0`` also runs the largest sets: a million worlds,
for the better part of an hour.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from quorumshift.domain.policy import Policy
from tests.domain.model import Flaw, Nodes, Rules
from tests.domain.model_check import Check, report
from tests.domain.model_starts import every, ordinary
from tests.domain.planted_bugs import BUGS

STRICT = Policy()
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
}

LARGE: dict[str, tuple[Rules, list[Nodes]]] = {
    "three, two faults": (Rules((3, 3), 3, STRICT, faults=2), every(3, 3, ill=0)),
    "three to five, a fault": (Rules((3, 5), 5, STRICT, faults=1), ordinary(3, 5)),
    "four, every start, a fault": (Rules((4, 4), 4, STRICT, faults=1), every(4, 4, ill=1)),
    "five, every start, a fault": (Rules((5, 5), 5, STRICT, faults=1), every(5, 5, ill=1)),
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
    with pytest.raises(Flaw, match=flaw):
        Check(rules, planner=planner).run(ordinary(3, 3))
