"""A step is done if what it was planned for still holds; the look may be minutes old by then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorumshift.domain.look import Look
from quorumshift.domain.raft import Colour
from quorumshift.domain.rollout import Progress, Rollout
from quorumshift.usecases.turns import Act, Planned, Turn, next_turn
from tests.usecases.service import DEPLOYMENT, MemoryService
from tests.usecases.test_turns import POLICY, machine

OTHER = Rollout("d-2", Progress.RUNNING)


class Engine(MemoryService):
    """With another rollout than the one that is asked for under way, where ``other`` is one."""

    other: Rollout | None = None

    def look(self, deployment: str) -> Rollout:
        return self.other if self.other and deployment == self.other.id else self.rollout

    def active(self) -> str | None:
        return self.other.id if self.other else super().active()


def ends(service: Engine, progress: Progress) -> None:
    service.rollout = replace(service.rollout, progress=progress)


def planned(service: Engine, deployment: str | None) -> tuple[Planned, Look]:
    """The first step, and the look that it rests on."""
    look = machine(service).look(deployment)
    found = next_turn(look, Colour.GREEN, None, None, service.raft.dialect, POLICY)
    assert found.decision is Turn.STEP
    return found, look


def act(service: Engine, step: Planned, look: Look, deployment: str | None) -> Act:
    """Do it; nothing is done where it is refused."""
    before = (service.locked, service.voters())
    done = machine(service).act(step, look, deployment)
    assert ((service.locked, service.voters()) == before) is bool(done.refused)
    return done


def test_what_holds_still_is_done() -> None:
    service = Engine()
    assert act(service, *planned(service, DEPLOYMENT), DEPLOYMENT) == Act("")


def test_without_a_step_nothing_is_asked() -> None:
    service = Engine()
    found, look = planned(service, DEPLOYMENT)
    ends(service, Progress.STOPPED)
    idle = replace(found, plan=replace(found.plan, step=None))
    assert machine(service).act(idle, look, DEPLOYMENT) == Act("")


@pytest.mark.parametrize("progress", [Progress.STOPPED, Progress.FAILED])
def test_a_rollout_that_ended_since_the_look_has_another_goal(progress: Progress) -> None:
    service = Engine()
    step, look = planned(service, DEPLOYMENT)
    ends(service, progress)
    refused = act(service, step, look, DEPLOYMENT).refused
    assert refused == f"since the look {DEPLOYMENT} has ended: {progress.value}"


def test_a_roll_out_that_had_ended_before_the_look_is_no_change() -> None:
    service = Engine()
    ends(service, Progress.STOPPED)
    assert act(service, *planned(service, DEPLOYMENT), DEPLOYMENT) == Act("")


def test_once_it_has_succeeded_there_is_nothing_to_go_back_to() -> None:
    service = Engine()
    step, look = planned(service, DEPLOYMENT)
    ends(service, Progress.SUCCEEDED)
    assert "d-1 has succeeded" in act(service, step, look, DEPLOYMENT).refused


def test_another_rollout_has_the_votes() -> None:
    service = Engine()
    ends(service, Progress.STOPPED)
    step, look = planned(service, DEPLOYMENT)
    service.other = OTHER
    assert "d-2 is under way" in act(service, step, look, DEPLOYMENT).refused
    overtaken = replace(look, overtaken="d-2 is under way: votes and locks are its own.")
    service.other = None
    assert act(service, step, overtaken, DEPLOYMENT).refused == f"{DEPLOYMENT} has the votes again"


def test_between_rollouts_one_that_began_or_ended_has_the_votes() -> None:
    service = Engine()
    ends(service, Progress.SUCCEEDED)
    step, look = planned(service, None)
    service.other = OTHER
    assert act(service, step, look, None).refused == "d-2 came or went since the look"
    service.other = None
    busy = replace(look, busy="d-2")
    assert act(service, step, busy, None).refused == "d-2 came or went since the look"
    assert act(service, step, look, None) == Act("")
