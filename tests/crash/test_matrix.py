"""The crash matrix: every call × what can happen to it, every moment × what somebody may do, every
API out of order, and two thousand schedules of several. ``make soak`` runs a hundred thousand."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.crash.campaign import (
    Tally,
    of_calls,
    of_deeds,
    of_outages,
    plain,
    run,
    tally,
    tally_of_seeds,
)
from tests.crash.faults import Schedule, read, tell

SCHEDULES = 2000
PARTS = 20
SINGLES: dict[str, Callable[[], Iterator[Schedule]]] = {
    "calls": of_calls,
    "deeds": of_deeds,
    "outages": of_outages,
}
Counted = Callable[[str, object], None]


def held(found: Tally, kind: str, counted: Counted) -> None:
    """Nothing was wrong; the counts go to the end of the run (``tests/conftest.py``)."""
    counted("crash", (kind, dict(found.ends)))
    assert not found.wrong, "\n".join(found.wrong)


@pytest.mark.parametrize("size", [3, 4, 5])
def test_without_a_fault_it_deploys_and_leaves_nothing(size: int) -> None:
    assert len(plain(size).calls) > 300


def test_a_voter_lost_while_blue_ends_costs_no_deployment() -> None:
    """A person keeps one task of blue a while longer. The votes were called home to it for two
    hours, for which it was locked."""
    ran = run(read("protect@97.2+246.4 task@103.2#1"))
    assert (ran.ends["deploy/one"], ran.wrong) == ("Deployed", ())


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", SINGLES)
def test_every_single_fault_ends_safely(kind: str, part: int, record_property: Counted) -> None:
    held(tally(itertools.islice(SINGLES[kind](), part, None, PARTS)), kind, record_property)


@pytest.mark.parametrize("part", range(2 * PARTS))
def test_schedules_of_several_end_safely(part: int, record_property: Counted) -> None:
    held(tally_of_seeds(range(part, SCHEDULES, 2 * PARTS)), "schedules", record_property)


def test_a_run_is_the_same_each_time() -> None:
    schedule = read("lost@200 outage:ecs@50+60 stop:hand_over@60 task@90#1")
    assert run(schedule) == run(schedule)


def test_a_schedule_is_read_as_it_is_told() -> None:
    text = "lost@137 outage:ecs@42.5+240 stop:deploy@80 task@90#2"
    assert tell(read(text)) == text
    with pytest.raises(ValueError, match="is no fault"):
        read("lost")
