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
from tests.usecases.service import MemoryService

UNDO = "d-2"


@dataclass
class Stopped(MemoryService):
    """A deployment that was stopped. ``runs``: the deployment that is under way now."""

    runs: str | None = None

    def active(self) -> str | None:
        return self.runs


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
    observer = Observer(service, service.raft, service.clock, Policy())
    locks, builds = VoteLocks(observer, service, Policy()), CodeBuilds(None, "", "")
    ending = Ending(observer, locks, service, service, builds)
    touched, said = ending.after_failure("arn:one", "2026-11-22T10:00:00Z")
    assert touched
    assert f"its roll-back is {UNDO}" in said
    assert service.deeds == deeds
