"""The worst execution that there can be fits into the history that Step Functions allows."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from quorumshift.domain.event_budget import (
    BRISK_TURNS,
    EVENTS_A_LOOK,
    EVENTS_A_LOOK_AT_A_BUILD,
    EVENTS_A_MISSED_LOOK,
    EVENTS_A_TURN,
    MISSED_EVENTS,
    MOST_EVENTS,
    OTHER_EVENTS,
    SLOW_SECONDS,
    least_pause,
    pace,
)
from quorumshift.domain.missed import MOST_LOOKS
from quorumshift.domain.request import BUILD_DEADLINE_SECONDS
from quorumshift.domain.undo import ATTEMPTS
from quorumshift.usecases.turns import LONGEST_SECONDS
from tests.workflows.event_costs import BOTH_ENDS, cost, dearest_round, following, worst
from workflows.__main__ import GOLDEN
from workflows.deploy import TIMEOUT_SECONDS

STATES: dict[str, Any] = json.loads((GOLDEN / "deploy.asl.json").read_text("utf-8"))["States"]
WAITS = sorted(name for name, state in STATES.items() if state["Type"] == "Wait")
COUNTING = {"MissedLook", "MissedRollback"}
SEEING = STATES | {name: {"Type": "Fail"} for name in COUNTING}
SEEN = {name: dearest_round(SEEING, name) for name in WAITS}
MISSED = {name: dearest_round(STATES, name) for name in ("WaitForDeployment", "WaitForRollback")}
LONGEST_MINUTES = 7200


def looped() -> set[str]:
    """The states that an execution may pass more than once: those on a way back to a Wait."""
    return {name for name in STATES if name in _reached(name)}


def _reached(start: str) -> set[str]:
    reached: set[str] = set()
    todo = list(following(STATES[start]))
    while todo:
        here = todo.pop()
        if here not in reached:
            reached.add(here)
            todo += following(STATES[here])
    return reached


def most_events(poll: int, build: int, deadline: int) -> int:
    """Of an execution that passes every other state once, and waits as long as it may in each."""
    rounds = {
        "WaitForBuild": math.ceil(build / poll),
        "WaitForDeployment": math.ceil(deadline / poll),
        "WaitForRollback": math.ceil(deadline / poll) + ATTEMPTS,
    }
    assert sorted(rounds) == WAITS
    once = sum(worst(state) for name, state in STATES.items() if name not in looped())
    loops = sum(times * SEEN[name] for name, times in rounds.items())
    # Where no function runs any more, nobody sees that the deadline has passed.
    unseen = sum(MOST_LOOKS * events for events in MISSED.values())
    return BOTH_ENDS + once + loops + unseen


def paced(asked: int, build: int, deadline: int) -> int:
    rollout = (deadline, EVENTS_A_LOOK)
    return pace(asked, ((build, EVENTS_A_LOOK_AT_A_BUILD), rollout, rollout))


def test_no_state_is_passed_again_but_after_a_wait() -> None:
    for name in looped():
        assert any(wait == name or wait in _reached(name) for wait in WAITS)
    assert {name for name in looped() if STATES[name]["Type"] == "Task"} == {
        "PollBuild",
        "PollDeployment",
        "PollRollback",
    }


def test_a_look_costs_what_the_budget_counts_for_it() -> None:
    assert {
        "WaitForBuild": EVENTS_A_LOOK_AT_A_BUILD,
        "WaitForDeployment": EVENTS_A_LOOK,
        "WaitForRollback": EVENTS_A_LOOK,
    } == SEEN
    assert set(MISSED.values()) == {EVENTS_A_MISSED_LOOK}


@settings(deadline=None)
@given(
    st.integers(5, 300),
    st.integers(10, LONGEST_MINUTES).map(lambda minutes: minutes * 60),
    st.sampled_from([0, BUILD_DEADLINE_SECONDS]),
)
@example(asked=5, deadline=208 * 60, build=BUILD_DEADLINE_SECONDS)
def test_the_worst_build_rollout_and_roll_back_fit_into_one_history(
    asked: int, deadline: int, build: int
) -> None:
    poll = paced(asked, build, deadline)
    assert poll >= asked
    assert most_events(poll, build, deadline) <= MOST_EVENTS
    if poll > asked:  # no slower than needed, by a tenth
        assert most_events(math.floor(poll * 0.9), build, deadline) > 0.9 * MOST_EVENTS


def test_the_defaults_are_as_fast_as_asked() -> None:
    assert paced(15, BUILD_DEADLINE_SECONDS, 180 * 60) == 15


def test_a_look_more_than_fits_takes_a_second_more_between_two() -> None:
    """The last look of each loop comes after its deadline, and counts as well."""
    seconds = 7 * (MOST_EVENTS - OTHER_EVENTS - MISSED_EVENTS - 2)
    assert pace(5, ((seconds, 1), (0, 1))) == 7
    assert pace(5, ((seconds, 1), (1, 1))) == 8
    assert pace(9, ((seconds, 1), (1, 1))) == 9


def test_only_a_hand_over_that_gets_nowhere_is_slowed_down() -> None:
    pauses = [least_pause(turns) for turns in (0, 1, BRISK_TURNS, BRISK_TURNS + 1)]
    assert pauses == [0, 0, 0, SLOW_SECONDS]


def test_the_worst_deployment_ends_before_its_execution_does() -> None:
    assert 2 * LONGEST_MINUTES * 60 + BUILD_DEADLINE_SECONDS + 24 * 3600 < TIMEOUT_SECONDS


HAND_OVER: dict[str, Any] = json.loads((GOLDEN / "hand_over.asl.json").read_text("utf-8"))["States"]
A_TURN = ("Observe", "Plan", "WhatNext", "Act", "Settle")


def test_a_turn_of_the_hand_over_costs_what_is_counted() -> None:
    assert sum(cost(HAND_OVER[name]) for name in A_TURN) == EVENTS_A_TURN


@given(seconds=st.floats(0, 10))
@example(seconds=0.0)
def test_a_hand_over_that_acts_and_gets_nowhere_ends_by_itself(seconds: float) -> None:
    """``seconds``: that the functions of a turn take. A try more costs three events, and a pause
    whose jitter is half of the longest one on the average."""
    retry = HAND_OVER["Observe"]["Retry"][0]
    tries = LONGEST_SECONDS / (retry["MaxDelaySeconds"] / 2)
    events, began, turns = BOTH_ENDS + 3 * tries, 0.0, 0
    while began <= LONGEST_SECONDS:
        turns += 1
        events += EVENTS_A_TURN
        began += seconds + least_pause(turns)
    events += sum(worst(HAND_OVER[name]) for name in ("WhichGoal", "AnswerFailed", "WasItAskedFor"))
    assert events < MOST_EVENTS
