"""What a hand-over looks at, and how long it tries a step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from quorumshift.domain.errors import ChangeRefused, Transient
from quorumshift.domain.handover_steps import Kind, Step
from quorumshift.domain.look import Look
from quorumshift.domain.raft import Colour
from quorumshift.domain.rollout import Progress, Rollout
from quorumshift.usecases.hand_over import PATIENCE_SECONDS, HandOver
from quorumshift.usecases.turns import Planned, next_turn
from tests.usecases.service import DEPLOYMENT, MemoryService
from tests.usecases.test_turns import POLICY, machine


@dataclass
class Service(MemoryService):
    """``runs``: the deployment that is under way, where it is not the one looked at."""

    runs: str | None = None

    def active(self) -> str | None:
        return self.runs or super().active()

    def look(self, deployment: str) -> Rollout:
        return self.rollout if deployment == DEPLOYMENT else Rollout(deployment, Progress.RUNNING)

    def ends(self, progress: Progress) -> None:
        self.rollout = replace(self.rollout, progress=progress)


def planned(service: MemoryService, look: Look, step: Step) -> Planned:
    """A turn that does this step."""
    turn = next_turn(look, Colour.GREEN, None, None, service.raft.dialect, POLICY)
    return replace(turn, plan=replace(turn.plan, step=step))


@pytest.mark.parametrize("progress", [Progress.STOPPED, Progress.FAILED, Progress.SUCCEEDED])
def test_a_look_tells_whether_the_rollout_has_ended(progress: Progress) -> None:
    service = Service()
    assert not machine(service).look(DEPLOYMENT).stopped
    service.ends(progress)
    assert machine(service).look(DEPLOYMENT).stopped


def test_a_look_tells_whose_the_votes_are() -> None:
    service = Service()
    assert machine(service).look(DEPLOYMENT).overtaken == ""
    service.ends(Progress.STOPPED)
    assert machine(service).look(DEPLOYMENT).overtaken == ""
    service.runs = "d-9"
    assert "d-9 is under way" in machine(service).look(DEPLOYMENT).overtaken


def test_a_look_between_deployments_tells_which_has_begun() -> None:
    service = Service()
    service.ends(Progress.SUCCEEDED)
    look = machine(service).look(None)
    assert (look.stopped, look.busy, look.overtaken) == (False, "", "")
    service.runs = "d-9"
    look = machine(service).look(None)
    assert (look.stopped, look.busy, look.overtaken) == (False, "d-9", "")


class Refusing:
    """A cluster that has something to say against every change."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.tries = 0

    def __getattr__(self, name: str) -> object:
        def refuse(*args: object) -> None:
            self.tries += 1
            raise self.error

        return refuse


def over(service: MemoryService, raft: object) -> HandOver:
    real = machine(service)
    return HandOver(real._observer, raft, real._locks, service, service.clock, POLICY)  # type: ignore[arg-type] # only its changes are asked for


@pytest.mark.parametrize(
    ("kind", "error", "patience"),
    [
        (Kind.ADMIT, Transient("not yet"), PATIENCE_SECONDS),
        (Kind.PROMOTE, Transient("not yet"), PATIENCE_SECONDS),
        (Kind.REMOVE, Transient("not yet"), PATIENCE_SECONDS),
        (Kind.TRANSFER, Transient("not yet"), 0),
        (Kind.ADMIT, ChangeRefused("never"), 0),
    ],
)
def test_what_may_be_early_is_tried_for_so_long_and_what_is_refused_once(
    kind: Kind, error: Exception, patience: float
) -> None:
    service = Service()
    look = machine(service).look(DEPLOYMENT)
    raft, began = Refusing(error), service.clock.now()
    step = Step(kind, "g1", "1", "arn:g1", "it is its turn")
    act = over(service, raft).act(planned(service, look, step), look, DEPLOYMENT)
    assert act.refused == str(error)
    assert service.clock.now() - began == pytest.approx(patience, abs=1)
    assert (raft.tries > 1) == (patience > 0)


@pytest.mark.parametrize("kind", [Kind.PROMOTE, Kind.TRANSFER, Kind.REMOVE])
def test_who_has_no_raft_id_is_no_member_to_change(kind: Kind) -> None:
    service = Service()
    look = machine(service).look(DEPLOYMENT)
    raft = Refusing(RuntimeError("asked"))
    step = Step(kind, "g1", None, "arn:g1", "it is its turn")
    act = over(service, raft).act(planned(service, look, step), look, DEPLOYMENT)
    assert "g1 has no Raft id" in act.refused
    assert raft.tries == 0
