"""Defects that the way back once had, planted anew: each is found by its test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from quorumshift.domain import standstill
from quorumshift.domain.policy import Policy
from quorumshift.domain.standstill import Memory
from quorumshift.usecases import turns
from tests.usecases import test_way_back as tests

Patch = pytest.MonkeyPatch
BUGS: dict[str, tuple[Callable[[Patch], object], Callable[[], object]]] = {
    "the last resort asks for the quorum alone": (
        lambda patch: patch.setattr(turns, "last_resort", _quorum_alone),
        tests.test_tasks_that_never_come_end_in_words_and_with_all_that_votes,
    ),
    "whoever was taken out is admitted again": (
        lambda patch: patch.setattr(turns, "out_of_question", lambda *_: frozenset()),
        tests.test_another_ready_task_takes_the_place_of_a_frozen_voter,
    ),
    "who answers is not silent": (
        lambda patch: patch.setattr(Memory, "silent", lambda *_: frozenset()),
        tests.test_a_voter_that_is_cut_off_and_answers_clients_gives_way_too,
    ),
    "what is refused is tried for ever": (
        lambda patch: patch.setattr(Memory, "lasting", lambda *_: frozenset()),
        lambda: tests.test_a_green_node_that_cannot_be_dialled_does_not_block_the_way_back(
            "b1 b3 g1 g2", "g2"
        ),
    ),
    "only the leader is ever asked": (
        lambda patch: patch.setattr(turns, "_asked_before", lambda course: 0),
        lambda: tests.test_a_green_node_that_cannot_be_dialled_does_not_block_the_way_back(
            "b1 b3 g1", "g1"
        ),
    ),
    "what is answered as done is done": (
        lambda patch: patch.setattr(standstill, "is_done", lambda *_: None),
        lambda: tests.test_what_is_never_done_for_one_is_done_for_another("lying"),
    ),
    "nobody is told": (
        lambda patch: patch.setattr(turns, "_waits_long", lambda *_: False),
        lambda: tests.test_tasks_that_are_missing_are_waited_for_with_the_minimum_of_voters("b2"),
    ),
}


def _quorum_alone(policy: Policy, **_: Any) -> Policy:
    return replace(policy, tolerance=0, minimum_voters=1, allow_unlocked=True)


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_defect_is_found(name: str, monkeypatch: Patch) -> None:
    plant, test = BUGS[name]
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        test()
