"""What a hand-over is asked for, there and back, and out of nonsense."""

from __future__ import annotations

import json
from typing import Any

import pytest

from quorumshift.domain.asked import Asked
from quorumshift.domain.raft import Colour


@pytest.mark.parametrize(
    "asked",
    [
        Asked("d-1", "hook-1", Colour.GREEN),
        Asked("d-1", goal=Colour.BLUE),
        Asked(goal=Colour.BLUE),
        Asked(hook="hook-1"),
        Asked(),
    ],
)
def test_what_is_asked_for_survives_the_way_through_an_input(asked: Asked) -> None:
    assert Asked.read(json.loads(asked.text())) == asked


def test_an_input_says_nothing_of_what_there_is_none_of() -> None:
    assert json.loads(Asked("d-1", "hook-1", Colour.GREEN).text()) == {
        "deploymentId": "d-1",
        "lifecycleEventHookExecutionId": "hook-1",
        "goal": "green",
    }
    assert json.loads(Asked().text()) == {}


@pytest.mark.parametrize("goal", [None, "", "none", "Blue", 7, ["blue"], {"goal": "blue"}])
def test_a_goal_is_never_guessed_and_nonsense_never_raises(goal: Any) -> None:
    read = Asked.read({"deploymentId": None, "goal": goal})
    assert read == Asked()
    with pytest.raises(ValueError, match="has no goal; give green or blue"):
        _ = read.colour


def test_the_goal_that_was_given_is_the_goal() -> None:
    assert Asked(goal=Colour.BLUE).colour is Colour.BLUE
