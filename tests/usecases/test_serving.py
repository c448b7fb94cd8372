"""Who serves is looked for until it is so, and for no longer than the patience."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from quorumshift.domain.errors import TrafficAstray
from quorumshift.domain.serving import Led
from quorumshift.usecases.serving import PATIENCE_SECONDS, Measure

ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/app:"


@dataclass
class Balanced:
    """Green is healthy after so many seconds."""

    healthy_at: float
    time: float = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def leads_to(self) -> tuple[Led, ...]:
        return (Led("app-green", 100, ("g1",) if self.time >= self.healthy_at else ()),)

    def revisions(self) -> Mapping[str, str]:
        return {"g1": f"{ARN}9"}


def test_targets_that_become_healthy_are_waited_for() -> None:
    world = Balanced(healthy_at=12)
    found = Measure(world, world, world).require(f"{ARN}9", "deployment d-1 has succeeded")
    assert found == "app:9 serves all traffic: 1 healthy target"
    assert world.time == 15


@pytest.mark.parametrize(("revision", "healthy_at"), [("9", 1e9), ("7", 0)])
def test_what_does_not_come_is_told_with_what_was_seen(revision: str, healthy_at: float) -> None:
    world = Balanced(healthy_at)
    with pytest.raises(TrafficAstray) as caught:
        Measure(world, world, world).require(f"{ARN}{revision}", "deployment d-1 has succeeded")
    assert world.time == PATIENCE_SECONDS
    assert f"app:{revision} was to serve all traffic, but" in str(caught.value)
    seen = "app:9 serves all traffic" if healthy_at == 0 else "leads to app-green, which has no"
    assert seen in str(caught.value)


def test_an_end_is_reached_whatever_cannot_be_measured() -> None:
    class Broken(Balanced):
        def leads_to(self) -> tuple[Led, ...]:
            raise OSError("no answer")

    world = Broken(0)
    said = Measure(world, world, world).said()
    assert said == "Who serves could not be measured: OSError: no answer"


@pytest.mark.parametrize(
    ("leads", "said"),
    [
        ((), "Nobody"),
        ((Led("app-green", 100, ("g1",)),), "app:9 serves all traffic"),
    ],
)
def test_it_is_said_in_a_sentence(leads: tuple[Led, ...], said: str) -> None:
    class Leads(Balanced):
        def leads_to(self) -> tuple[Led, ...]:
            return leads

    world = Leads(0)
    assert Measure(world, world, world).said().startswith(said)
