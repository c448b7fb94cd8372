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
    """A deployment that was stopped. ``runs``: the deployment that is under way now; ``holds``:
    the one whose suspension of scaling stands."""

    runs: str | None = None
    holds: str | None = None

    def active(self) -> str | None:
        return self.runs

    def suspended_for(self) -> str | None:
        return self.holds


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


@pytest.mark.parametrize(
    ("progress", "locked", "strangers", "holds", "left"),
    [
        pytest.param(Progress.RUNNING, False, False, None, True, id="it-runs-and-nobody-follows"),
        pytest.param(Progress.STOPPED, False, False, None, False, id="everything-is-home"),
        pytest.param(Progress.STOPPED, True, False, None, True, id="locks"),
        pytest.param(Progress.FAILED, False, True, None, True, id="votes"),
        pytest.param(Progress.SUCCEEDED, False, False, None, False, id="nothing"),
        pytest.param(Progress.SUCCEEDED, True, False, None, True, id="locks-of-who-serves"),
        pytest.param(Progress.SUCCEEDED, True, True, None, False, id="locks-that-votes-need"),
        pytest.param(Progress.SUCCEEDED, False, False, DEPLOYMENT, True, id="scaling"),
        pytest.param(Progress.SUCCEEDED, False, False, "d-9", False, id="the-scaling-of-another"),
    ],
)
def test_what_an_execution_that_failed_left_to_others(
    progress: Progress, locked: bool, strangers: bool, holds: str | None, left: bool
) -> None:
    service = Stopped(runs=DEPLOYMENT if progress is Progress.RUNNING else None, holds=holds)
    service.rollout = replace(service.rollout, progress=progress)
    if locked:
        service.lock(["arn:b1"], 120)
    if strangers:
        service.raft.admit("g1", ["b1"])
    assert ending_of(service).left_behind(DEPLOYMENT) is left


def test_an_execution_without_a_deployment_left_nothing() -> None:
    service = Stopped(holds=DEPLOYMENT)
    service.lock(["arn:b1"], 120)
    assert not ending_of(service).left_behind(None)


def test_locks_between_deployments_are_given_back_without_a_word() -> None:
    service = Stopped()
    service.lock(["arn:b1"], 120)
    assert ending_of(service).give_back_locks(None) == ""
    assert service.locked == set()


def test_but_not_while_a_deployment_runs() -> None:
    service = Stopped(runs="d-9")
    service.lock(["arn:b1"], 120)
    assert ending_of(service).give_back_locks(None) == ""
    assert service.locked == {"b1"}


def test_scaling_goes_on_when_a_deployment_that_nobody_follows_is_stopped() -> None:
    """Its roll-back is under way at once, and nobody comes back at its end."""
    service = Stopped()

    def stop(deployment: str) -> None:
        MemoryService.stop(service, deployment)
        service.runs = UNDO

    service.stop = stop  # type: ignore[method-assign] # the engine's answer to a stop
    touched, said = ending_of(service).after_failure("arn:one", "2026-11-22T10:00:00Z")
    assert touched
    assert "is being stopped and rolled back; nobody follows it" in said
    assert service.deeds == ["stop", "resume"]


def test_what_succeeded_a_moment_before_the_stop_is_not_said_to_be_undone() -> None:
    service = Stopped()

    def too_late(deployment: str) -> None:
        service.deeds.append("stop")
        service.rollout = replace(service.rollout, progress=Progress.SUCCEEDED)

    service.stop = too_late  # type: ignore[method-assign] # the engine's answer to a stop
    _, said = ending_of(service).after_failure("arn:one", "2026-11-22T10:00:00Z")
    assert f"{DEPLOYMENT} has succeeded, so its tasks serve and nothing is undone" in said


def test_without_a_roll_back_scaling_goes_on_once() -> None:
    service = Stopped()
    service.rollout = replace(service.rollout, progress=Progress.STOPPED)
    _, said = ending_of(service).after_failure("arn:one", "2026-11-22T10:00:00Z")
    assert "has ended (stopped);" in said
    assert service.deeds == ["resume"]
