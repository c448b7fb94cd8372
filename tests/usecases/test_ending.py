"""What an execution that could not go on leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from quorumshift.adapters.aws.builds import CodeBuilds
from quorumshift.domain.policy import Policy
from quorumshift.domain.rollout import Progress
from quorumshift.usecases.ending import Ending
from quorumshift.usecases.observer import Observer
from quorumshift.usecases.vote_locks import VoteLocks
from tests.usecases.service import DEPLOYMENT, MemoryService

UNDO = "d-2"


@dataclass
class Stopped(MemoryService):
    """A deployment that was stopped. ``runs``: the deployment that is under way now."""

    runs: str | None = None

    def active(self) -> str | None:
        return self.runs


def ending_of(service: MemoryService) -> Ending:
    observer = Observer(service, service.raft, service.clock, Policy())
    locks, builds = VoteLocks(observer, service, Policy()), CodeBuilds(None, "", "")
    return Ending(observer, locks, service, service, builds)


@pytest.mark.parametrize("progress", [Progress.STOPPED, Progress.FAILED, Progress.SUCCEEDED])
def test_what_another_deployment_runs_on_is_left_alone(progress: Progress) -> None:
    """Whoever comes late: its locks stay, its votes are not called home, its cluster is its own to
    judge, and nobody is advised to remove its members."""
    service = Stopped(runs="d-9")
    service.rollout = replace(service.rollout, progress=progress, undone_by=UNDO)
    service.raft.admit("g1", ["b1"])
    service.lock(["arn:b1"], 120)
    ending = ending_of(service)
    assert ending.after_success(DEPLOYMENT).another == "d-9"
    assert ending.after_rollback(DEPLOYMENT).another == "d-9"
    assert "d-9 is under way" in ending.give_back_locks(DEPLOYMENT)
    assert ending.clean_up(DEPLOYMENT) == ""
    assert not ending.left_behind(DEPLOYMENT)
    assert not ending.needs_votes_back(DEPLOYMENT, Progress.RUNNING)
    assert service.locked == {"b1"}
    assert service.deeds == []


def test_locks_are_kept_while_the_deployment_itself_runs() -> None:
    service = Stopped(runs=DEPLOYMENT)
    service.lock(["arn:b1"], 120)
    assert "still runs" in ending_of(service).give_back_locks(DEPLOYMENT)
    assert service.locked == {"b1"}


def test_what_has_succeeded_needs_no_votes_back_however_it_was_found() -> None:
    service = Stopped()
    service.rollout = replace(service.rollout, progress=Progress.SUCCEEDED)
    assert not ending_of(service).needs_votes_back(DEPLOYMENT, Progress.RUNNING)


@pytest.mark.parametrize(
    ("runs", "deeds"),
    [
        pytest.param(UNDO, ["resume"], id="its-own-roll-back-which-nobody-follows"),
        pytest.param("d-9", [], id="another-deployment-whose-scaling-it-is"),
        pytest.param(None, ["resume"], id="nothing"),
    ],
)
def test_scaling_goes_on_unless_another_deployment_suspends_it(
    runs: str | None, deeds: list[str]
) -> None:
    service = Stopped(runs=runs)
    service.rollout = replace(service.rollout, progress=Progress.STOPPED, undone_by=UNDO)
    touched, said = ending_of(service).after_failure("arn:one", "2026-11-22T10:00:00Z")
    assert touched
    assert f"its roll-back is {UNDO}" in said
    assert service.deeds == deeds
