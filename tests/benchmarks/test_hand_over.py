"""The benchmark of the hand-over: what it makes of histories, seconds and repetitions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from benchmarks.arms import Arm, Repetition, by_state, spent, turns
from benchmarks.executions import Executed, visits
from benchmarks.hand_over import Measured, missed, report
from benchmarks.stage import CONFIGURATION, patient
from benchmarks.traffic import Window, window
from quorumshift.domain.raft import Colour
from quorumshift.rehearsal.load import LoadResult, Second
from quorumshift.rehearsal.observer import ObserverResult

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_window_is_of_the_seconds_it_touches() -> None:
    seconds = [Second(at, 10 + at, at % 2, {}, 5.0 * at) for at in range(6)]
    assert window(seconds, 1.5, 3.9) == Window(11 + 12 + 13, 2, 15.0)
    assert window(seconds, 9.0, 12.0) == Window(0, 0, 0.0)


def test_arms_take_turns_and_votes_always_come_back() -> None:
    order = turns({Arm.PRODUCT: 5, Arm.BARE: 3, Arm.QUIET: 2, Arm.KILL: 2})
    count = {arm: sum(one is arm for one, _ in order) for arm in Arm}
    assert count == {Arm.PRODUCT: 6, Arm.BARE: 4, Arm.QUIET: 2, Arm.KILL: 2}
    voting = Colour.BLUE
    for arm, goal in order:
        assert (goal is voting) is (arm in (Arm.QUIET, Arm.KILL))
        voting = goal
    assert voting is Colour.BLUE
    assert {arm for arm, _ in order[:6]} > {Arm.PRODUCT}


def history(*stays: tuple[str, float, dict[str, Any]]) -> list[dict[str, Any]]:
    """Events of states, one after another, each so many seconds long."""
    now, events = NOON, []
    for name, seconds, output in stays:
        events.append({"timestamp": now, "stateEnteredEventDetails": {"name": name}})
        events.append({"timestamp": now, "lambdaFunctionScheduledEventDetails": {}})
        now += timedelta(seconds=seconds)
        details = {"name": name, "output": json.dumps(output)}
        events.append({"timestamp": now, "stateExitedEventDetails": details})
    return events


def act(kind: str, refused: str = "") -> dict[str, Any]:
    """What ``Act`` leaves."""
    return {
        "plan": {"plan": {"step": {"kind": kind, "address": "10.0.0.1"}}},
        "act": {"refused": refused},
    }


def test_time_is_spent_on_the_step_that_it_leads_to() -> None:
    stays = visits(
        history(
            ("Observe", 0.5, {}),
            ("Act", 0.25, act("admit", refused="not yet")),
            ("Settle", 2.0, {}),
            ("Act", 0.25, act("admit")),
            ("Observe", 0.5, {}),
            ("Act", 1.0, act("remove")),
            ("AnswerSucceeded", 0.5, {}),
        )
    )
    done = Executed(0.0, 5.5, "", stays)
    assert done.changes == (("admit", "10.0.0.1"), ("remove", "10.0.0.1"))
    assert spent(done) == {"admit": 3.0, "remove": 1.5, "answer": 0.5}
    assert by_state(done) == {
        "Observe": 1.0,
        "Act": 1.5,
        "Settle": 2.0,
        "AnswerSucceeded": 0.5,
        "between": 0.5,
    }


def repetition(arm: Arm, seconds: float, stall_ms: float, problem: str = "") -> Repetition:
    """One, in which nothing failed."""
    seen = Window(2000, 0, stall_ms)
    return Repetition(
        arm, Colour.GREEN, seconds, seen, {"admit": seconds}, {}, 1.0, problem=problem
    )


def measured(*repetitions: Repetition, failed: int = 0, lost: int = 0) -> Measured:
    """A whole run, in which the quorum held."""
    load = LoadResult(
        total=9000,
        failed=failed,
        p50_ms=3.0,
        p99_ms=9.0,
        acknowledged=9000,
        failed_writes=failed,
        lost=lost,
        unreadable=0,
        longest_stall_ms=1500.0,
        versions={},
        version_served="2",
        errors=(),
        timeline=(),
        began=0.0,
    )
    seen = ObserverResult(0.0, 60.0, 600, 0.0, 2, 0.1, 0.1, 0.0, (), ())
    return Measured(repetitions, load, seen)


GOOD = (
    repetition(Arm.PRODUCT, 15.0, 20.0),
    repetition(Arm.PRODUCT, 14.0, 30.0),
    repetition(Arm.BARE, 12.0, 15.0),
    repetition(Arm.KILL, 2.0, 1500.0),
)


def test_what_was_reached_is_not_missed_and_is_told() -> None:
    section = report(measured(*GOOD), "a command")
    assert section.missed == ()
    for told in ("2 / 1 / 0 / 1", "20.0 / 25.0 / 30.0", "0.020, 0.017", "1.208", "0 of 4,000"):
        assert told in section.text, told


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (measured(*GOOD, failed=1), "1 requests failed"),
        (measured(*GOOD, lost=3), "3 acknowledged writes were lost"),
        (measured(*GOOD, repetition(Arm.PRODUCT, 15, 151)), "stalled 151 ms"),
        (measured(*GOOD[:3], repetition(Arm.KILL, 2, 299)), "0.100 of a killed leader's"),
        (measured(*GOOD[:1], repetition(Arm.BARE, 9.9, 9), GOOD[3]), "1.515 times as long"),
        (measured(*GOOD, repetition(Arm.PRODUCT, 90, 0, "FAILED: why")), "1 repetitions had"),
        (measured(*GOOD, replace(GOOD[0], without_quorum=0.1)), "the quorum was lost in a hand"),
    ],
)
def test_what_was_not_reached_is_said(run: Measured, why: str) -> None:
    assert any(why in text for text in missed(run))


def test_nothing_measured_reaches_no_goal() -> None:
    assert len(missed(measured())) >= 2


def test_an_odd_repetition_is_told_and_counts_in_no_figure() -> None:
    odd = repetition(Arm.PRODUCT, 170.0, 5000.0, "FAILED: HandOverBlocked")
    section = report(measured(*GOOD, odd), "a command")
    assert "hand-over to green: FAILED: HandOverBlocked" in section.text
    assert "20.0 / 25.0 / 30.0" in section.text


def test_the_service_is_the_rehearsals_but_for_the_wait() -> None:
    text = CONFIGURATION.read_text()
    changed = [line for line in patient(text).splitlines() if line not in text.splitlines()]
    assert changed == ["termination_wait_minutes = 2880", "deadline_minutes = 7200"]
    with pytest.raises(ValueError, match="termination_wait_minutes once"):
        patient("[deployment]\n")
