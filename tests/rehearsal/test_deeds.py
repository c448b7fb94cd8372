"""Deeds are done at their moment, once, and nothing that goes wrong with one is swallowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quorumshift.config import load
from quorumshift.domain.data import to_json
from quorumshift.domain.handover_steps import Kind, Step
from quorumshift.rehearsal.aws.ecs import EcsEngine
from quorumshift.rehearsal.aws.lambda_environment import Outcome
from quorumshift.rehearsal.aws.lambdas import LambdaEngine
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.deeds import Deeds, NeverCame
from quorumshift.rehearsal.faults import parse_fault
from quorumshift.rehearsal.moments import Moment, Phase
from quorumshift.rehearsal.observer import Observer
from quorumshift.rehearsal.samples import ETCD
from quorumshift.rehearsal.steps_done import StepsDone
from quorumshift.rehearsal.world import World

CONFIGURATION = load(ETCD.configuration)


@pytest.fixture
def deeds(aws: EmbeddedAws, tmp_path: Path) -> Deeds:
    """In a world without the service: there is no deployment to interrupt."""
    observer = Observer(aws.world, tmp_path / "instances.json")
    return Deeds(aws.world, CONFIGURATION, EcsEngine(aws.world), observer, aws)


def play(world: World, deeds: Deeds, fault: str, *events: dict[str, Any]) -> None:
    """A deployment of which the story tells no more than this."""
    with deeds.during(parse_fault(fault)):
        for event in events:
            world.events.say("traffic", "said", **event)


def test_a_moment_that_never_came_is_an_error_that_tells_what_did(
    world: World, deeds: Deeds
) -> None:
    moved = [{"deployment": "d-1", "green": share, "blue": 100 - share} for share in (30, 40)]
    with pytest.raises(NeverCame, match=r"stop@35%: its moment never came.*came: 30%, 40%\)"):
        play(world, deeds, "stop@35%", *moved)
    assert not deeds.failed


def test_a_moment_of_a_roll_back_is_not_meant(world: World, deeds: Deeds) -> None:
    done = {"event": "AllowTraffic", "status": "Succeeded"}
    with pytest.raises(NeverCame):
        play(world, deeds, "stop@after", {"deployment": "d-1"}, {"deployment": "d-2", **done})


def test_a_deed_that_cannot_be_done_ends_the_rehearsal(world: World, deeds: Deeds) -> None:
    with pytest.raises(RuntimeError, match=r"stop@30%: .*ApplicationDoesNotExist"):
        play(world, deeds, "stop@30%", {"deployment": "d-1", "green": 30, "blue": 70})
    assert deeds.failed


def test_a_hook_that_cannot_be_killed_is_no_rehearsal(
    world: World, deeds: Deeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quorumshift.rehearsal.dead_hooks.BEGIN_SECONDS", 0.1)
    asked = {"deployment": "d-1", "event": "BeforeAllowTraffic", "status": "InProgress"}
    with pytest.raises(RuntimeError, match=r"hook-killed: .*sample-before-allow-traffic asked AWS"):
        play(world, deeds, "hook-killed", asked)


def test_without_a_fault_nothing_is_waited_for(deeds: Deeds) -> None:
    with deeds.during(None), deeds.during(parse_fault("slow-green")):
        pass
    assert not deeds.failed


class OneFunction(LambdaEngine):
    """Remembers who stands around Act."""

    def __init__(self) -> None:
        self.act: Any = None

    def around(self, name: str, around: Any) -> None:
        assert name == "sample-act"
        self.act = around


def act(kind: Kind, address: str, *tasks: str) -> dict[str, Any]:
    """What the function Act is given, as far as it is read."""
    step = Step(kind, address, "1", tasks[0] if tasks else None, "why", tasks)
    return {"plan": {"plan": {"step": to_json(step)}}}


DONE = Outcome("{}", failed=False, log="")


def test_steps_are_counted_once_however_often_they_are_tried() -> None:
    struck: list[str] = []

    def strike(step: Step, proceed: Callable[[], Outcome]) -> Outcome:
        struck.append(step.address)
        return proceed()

    engine, steps = OneFunction(), StepsDone(Moment(Phase.STEP, 2, Kind.PROMOTE), strike)
    steps.watch(engine, "sample-act")
    for event in (
        act(Kind.LOCK, "a", "task-a"),
        act(Kind.LOCK, "a", "task-a", "task-b"),
        act(Kind.PROMOTE, "a"),
        act(Kind.PROMOTE, "a"),
        {"plan": {"plan": {"step": None}}},
        act(Kind.PROMOTE, "b"),
        act(Kind.PROMOTE, "b"),
        act(Kind.PROMOTE, "c"),
    ):
        assert engine.act(event, lambda: DONE) is DONE
    assert struck == ["b"]
    assert steps.labels == ["lock-1", "lock-2", "promote-1", "promote-2", "promote-3"]


def test_a_step_without_its_moment_is_told(deeds: Deeds, aws: EmbeddedAws) -> None:
    def play_steps() -> None:
        with deeds.during(parse_fault("lost-reply@promote-9")):
            aws.lambdas._around["sample-act"](act(Kind.ADMIT, "a"), lambda: DONE)

    with pytest.raises(NeverCame, match="what came: admit-1"):
        play_steps()


def test_a_lost_reply_is_one_of_a_step_that_was_done(deeds: Deeds, aws: EmbeddedAws) -> None:
    done: list[str] = []

    def proceed() -> Outcome:
        done.append("x")
        return DONE

    with deeds.during(parse_fault("lost-reply@admit-1")):
        around = aws.lambdas._around["sample-act"]
        first, second = (around(act(Kind.ADMIT, "a"), proceed) for _ in range(2))
    assert done == ["x", "x"]
    assert (first.failed, second.failed) == (True, False)
