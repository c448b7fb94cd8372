"""What a look at a roll-back means: the votes come first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quorumshift.domain.raft import Membership
from quorumshift.domain.rollout import Progress, Rollout
from quorumshift.domain.undo import (
    ATTEMPTS,
    GRACE,
    Decision,
    HandBack,
    UndoObservation,
    judge,
    left_behind,
    strangers,
)
from tests.domain.cluster_builder import cluster
from tests.domain.strategies import fleet

STOPPED = Rollout("d-1", Progress.STOPPED, undone_by="d-2")
UNDONE = Rollout("d-2", Progress.SUCCEEDED, undoes="d-1")
GREEN = ("g1", "g2", "g3")


def seen(**changes: Any) -> UndoObservation:
    base = UndoObservation(
        waited=15,
        deadline=3600,
        rollout=STOPPED,
        undo=UNDONE,
        cluster=cluster(),
        hand_back=HandBack(running=False),
    )
    return replace(base, **changes)


ALONE = replace(STOPPED, undone_by=None)


@pytest.mark.parametrize(
    ("changes", "decision", "says"),
    [
        ({}, "done", "d-2 has ended well"),
        ({"undo": replace(UNDONE, progress=Progress.RUNNING)}, "wait", "under way"),
        ({"undo": replace(UNDONE, progress=Progress.FAILED)}, "failed", "d-2 ended failed"),
        ({"rollout": replace(STOPPED, progress=Progress.RUNNING)}, "wait", "being stopped"),
        ({"rollout": ALONE, "undo": None}, "done", "nothing had to be undone"),
        (
            {"rollout": ALONE, "undo": None, "cluster": cluster(green=GREEN)},
            "wait",
            "has not started the roll-back",
        ),
        (
            {"rollout": ALONE, "undo": None, "cluster": cluster(green=GREEN), "waited": GRACE},
            "failed",
            "3 green tasks still run",
        ),
        ({"hand_back": HandBack(running=True)}, "wait", "handed back"),
        ({"cluster": cluster(membership=Membership.LOCAL)}, "wait", "no quorum tells"),
        ({"cluster": cluster(membership=Membership.UNKNOWN)}, "wait", "no quorum tells"),
        (
            {"cluster": cluster(membership=Membership.UNKNOWN), "waited": 3600},
            "failed",
            "after 60 minutes no quorum tells",
        ),
    ],
)
def test_a_look_at_a_rollback(changes: dict[str, Any], decision: str, says: str) -> None:
    meaning = judge(seen(**changes))
    assert (meaning.decision.value, says in meaning.reason) == (decision, True), meaning


@pytest.mark.parametrize("waited", [15, 3600])
def test_what_has_succeeded_is_never_undone(waited: int) -> None:
    """Blue is gone, so every vote is a stranger's."""
    gone = cluster(blue=(), green=GREEN, voters=GREEN)
    rollout = replace(STOPPED, progress=Progress.SUCCEEDED, undone_by=None)
    meaning = judge(seen(rollout=rollout, undo=None, cluster=gone, waited=waited))
    assert meaning.decision is Decision.SUCCEEDED


def test_votes_are_called_home_by_nobody_once_another_deployment_has_begun() -> None:
    voting = cluster(green=GREEN, voters=("b1", "b2", "g1"))
    meaning = judge(seen(cluster=voting, overtaken="d-9 is under way"))
    assert meaning.decision is Decision.DONE


def test_votes_that_are_not_blues_are_called_home_before_anything_else() -> None:
    voting = cluster(green=GREEN, voters=("b1", "b2", "g1"))
    meaning = judge(seen(cluster=voting))
    assert meaning.decision is Decision.HAND_BACK
    assert "g1" in meaning.reason


def test_so_is_a_member_whose_task_is_gone() -> None:
    gone = cluster(voters=("b1", "b2", "b3", "g1"), down=("g1",))
    assert judge(seen(cluster=gone)).decision is Decision.HAND_BACK


def test_after_some_attempts_a_person_is_asked() -> None:
    voting = cluster(green=GREEN, voters=("b1", "g1", "g2"))
    spent = HandBack(running=False, ended=ATTEMPTS, why="no blue task is ready")
    meaning = judge(seen(cluster=voting, hand_back=spent))
    assert meaning.decision is Decision.FAILED
    assert "no blue task is ready" in meaning.reason


def test_a_learner_that_the_leader_cannot_remove_is_nothing_to_wait_for() -> None:
    """Its end costs no quorum, and nobody could do anything about it; a vote is another matter."""
    old = "b1 b2 b3"
    assert strangers(fleet(3, 3, learners="g1")) == ("g1",)
    assert strangers(fleet(3, 3, learners="g1", joins=old)) == ()
    assert strangers(fleet(3, 3, learners="g1", joins=old, leader="")) == ("g1",)
    assert strangers(fleet(3, 3, voters=f"{old} g1", joins=old)) == ("g1",)


def test_a_learner_is_called_home_where_one_of_two_leaders_can_remove_it() -> None:
    both = fleet(3, 3, learners="g1", joins="b1")
    second = both.nodes[1]
    assert second.report is not None
    claims = replace(second, report=replace(second.report, leader=second.raft_id))
    torn = replace(both, nodes=(both.nodes[0], claims, *both.nodes[2:]))
    assert strangers(both) == ()
    assert strangers(torn) == ("g1",)


def test_votes_or_locks_are_something_that_is_left_behind() -> None:
    assert not left_behind(fleet(3, 3))
    assert left_behind(fleet(3, 3, voters="b1 b2 b3 g1"))
    assert left_behind(fleet(3, 3, locked="b1"))
