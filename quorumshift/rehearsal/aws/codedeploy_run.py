"""What the thread of a deployment and that of a roll-back have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from quorumshift.rehearsal.aws import codedeploy_traffic as traffic
from quorumshift.rehearsal.aws.codedeploy_appspec import HOOKS
from quorumshift.rehearsal.aws.codedeploy_errors import EventFailed, Interrupted, RehearsalEnds
from quorumshift.rehearsal.aws.codedeploy_models import Colour, Deployment, now
from quorumshift.rehearsal.aws.codedeploy_task_sets import TaskSets
from quorumshift.rehearsal.world import World

LOOK_EVERY = 0.1
"""Real seconds between two looks at a task set."""


class Outcome(Protocol):
    """Who is told how a deployment goes."""

    def started(self, deployment: Deployment) -> None:
        """It is InProgress."""

    def ready(self, deployment: Deployment) -> None:
        """It waits for traffic to be shifted, or for blue to be terminated."""

    def ended(
        self, deployment: Deployment, status: str, code: str, message: str, roll_back: bool
    ) -> None:
        """It has ended; ``roll_back``: a roll-back is wanted."""


class Run:
    """One deployment, acted out by :meth:`steps` of its kind."""

    def __init__(self, world: World, deployment: Deployment, outcome: Outcome) -> None:
        self.world = world
        self.deployment = deployment
        self.outcome = outcome
        self.sets = TaskSets(world, deployment)

    def run(self) -> None:
        """To the end, whatever happens."""
        deployment = self.deployment
        try:
            self.steps()
            self.outcome.ended(deployment, "Succeeded", "", "", False)
        except Interrupted as why:
            self.outcome.ended(deployment, "Stopped", why.code, why.message, why.roll_back)
        except EventFailed as why:
            self._failed(why.code, why.message)
        except RehearsalEnds:
            return
        except Exception as error:  # noqa: BLE001 # a broken engine is a failed deployment, told
            if self.world.stopping.is_set():
                return
            said = f"the rehearsal's CodeDeploy broke: {type(error).__name__}: {error}"
            self.world.events.say("error", f"{deployment.id}: {said}", deployment=deployment.id)
            self._failed("INTERNAL_ERROR", said)

    def steps(self) -> None:
        """What is done; raises for every end but success."""
        raise NotImplementedError

    def _failed(self, code: str, message: str) -> None:
        rules = self.deployment.auto_rollback
        wanted = bool(rules.get("enabled")) and "DEPLOYMENT_FAILURE" in rules.get("events", [])
        self.outcome.ended(self.deployment, "Failed", code, message, wanted)

    def wait(self, holds: Callable[[], bool], aws_seconds: float) -> bool:
        """Whether it held in time. ``deployment.changed`` is notified when it may hold."""
        deadline = time.monotonic() + self.world.real(aws_seconds)
        with self.deployment.changed:
            while True:
                self._go_on()
                left = deadline - time.monotonic()
                if holds():
                    return True
                if left <= 0:
                    return False
                self.deployment.changed.wait(min(left, LOOK_EVERY))

    def poll(self, holds: Callable[[], bool], aws_seconds: float = float("inf")) -> bool:
        """Whether it held in time; ``holds`` may call AWS."""
        deadline = time.monotonic() + self.world.real(aws_seconds)
        while not holds():
            if time.monotonic() > deadline:
                return False
            self.wait(lambda: False, LOOK_EVERY * self.world.speed)
        return True

    def _go_on(self) -> None:
        if self.world.stopping.is_set():
            raise RehearsalEnds
        if self.deployment.interruption is not None and not self.deployment.final:
            raise self.deployment.interruption

    @contextmanager
    def event(self, name: str) -> Iterator[None]:
        """One lifecycle event around what it does."""
        event = self.deployment.events[name]
        event.status, event.started = "InProgress", now()
        self._say(name, "starts")
        try:
            self._go_on()
            yield
        except (EventFailed, Interrupted) as why:
            code = why.diagnostics if isinstance(why, EventFailed) else "UnknownError"
            event.diagnostics = {"errorCode": code, "message": why.message}
            event.status, event.ended = "Failed", now()
            self._say(name, f"failed: {why.message}")
            raise
        event.diagnostics = {"errorCode": "Success", "message": ""}
        event.status, event.ended = "Succeeded", now()
        self._say(name, "succeeded")

    def skip(self, name: str) -> None:
        """An event that has nothing to do."""
        self.deployment.events[name].status = "Skipped"

    def send(self, listener: str, colour: Colour, other: Colour) -> None:
        """All traffic of the listener to ``colour``."""
        traffic.send(self.world, listener, {other.target_group: 0, colour.target_group: 100})

    def shift(self, green_percent: int, production: str) -> None:
        """So much of the production traffic to green."""
        blue, green = self.deployment.blue, self.deployment.green
        assert blue is not None
        assert green is not None
        shares = {blue.target_group: 100 - green_percent, green.target_group: green_percent}
        traffic.send(self.world, production, shares)
        self.deployment.weight = green_percent
        self.world.events.say(
            "traffic",
            f"blue {100 - green_percent} %, green {green_percent} %",
            deployment=self.deployment.id,
            blue=100 - green_percent,
            green=green_percent,
        )

    def _say(self, name: str, what: str) -> None:
        kind = "hook" if name in HOOKS else "traffic" if "Traffic" in name else "deployment"
        self.world.events.say(
            kind,
            f"{name} {what}",
            deployment=self.deployment.id,
            event=name,
            status=self.deployment.events[name].status,
        )
