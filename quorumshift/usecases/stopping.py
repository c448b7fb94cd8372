"""Stops a deployment, wherever its execution stands, without ever leaving one without a keeper.

The execution is what rolls back, hands votes home and gives locks back, so it is never ended while
a deployment of its runs, or may run: then the deployment is stopped, and the execution sees it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from quorumshift.domain.execution import CREATING, Execution
from quorumshift.domain.rollout import Progress
from quorumshift.ports import Clock, Deployments, Executions

CREATION_SECONDS = 180.0
"""How long the state ``CreateDeployment`` may take, all of its tries together, before it is given
up to wait for what it creates."""
IN_FLIGHT_SECONDS = 65.0
"""The same once the execution was stopped: the last try of its function, and none after it."""
PAUSE = 0.5


class Deed(StrEnum):
    """What was done. ``NOTHING``: there was nothing left to stop."""

    STOPPED_DEPLOYMENT = "stoppedDeployment"
    STOPPED_EXECUTION = "stoppedExecution"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Stopped:
    """``text``: what was done, and what comes next, for a person."""

    deed: Deed
    text: str
    deployment: str | None = None


@dataclass(frozen=True, slots=True)
class Stopping:
    """``cause``: what the execution's end shall say; ``tell``: takes a line where a person has to
    wait."""

    executions: Executions
    deployments: Deployments
    clock: Clock
    cause: str
    tell: Callable[[str], None]

    def stop(self, execution: Execution) -> Stopped:
        """Stop what it deploys, or the execution itself where it deploys nothing yet."""
        deployment = self._deployment(execution)
        if deployment is None and execution.running:
            return self._before_a_deployment(execution)
        if deployment is None:
            return Stopped(Deed.NOTHING, f"{execution.name} has ended and deployed nothing")
        return self._stop(deployment, execution)

    def _before_a_deployment(self, execution: Execution) -> Stopped:
        if self.executions.place(execution.id).state == CREATING:
            self.tell("a deployment is just being created; it is stopped as soon as it is there")
            return self._once_created(execution)
        self.executions.stop(execution.id, self.cause)
        # Between the look and the stop it may have gone on; the function of a state that was
        # stopped goes on to its own end.
        if self.executions.place(execution.id).state == CREATING:
            self.tell("a deployment may just be being created; it is waited for, and stopped")
            return self._once_created(self.executions.describe(execution.id))
        if (deployment := self._deployment(execution)) is not None:
            return self._stop(deployment, execution)
        text = f"no deployment existed: the execution {execution.name} was stopped"
        return Stopped(Deed.STOPPED_EXECUTION, f"{text}; nothing was touched")

    def _once_created(self, execution: Execution) -> Stopped:
        patience = CREATION_SECONDS if execution.running else IN_FLIGHT_SECONDS
        deadline = self.clock.now() + patience
        while (deployment := self._deployment(execution)) is None:
            now = self.executions.describe(execution.id)
            given_up = self.clock.now() >= deadline
            if (now.running and self._left_creating(now)) or given_up:
                return Stopped(
                    Deed.NOTHING if now.running else Deed.STOPPED_EXECUTION,
                    f"no deployment of {execution.name} was created",
                )
            if not now.running and now.status != "ABORTED":
                return Stopped(Deed.NOTHING, f"{now.name} has ended and deployed nothing")
            self.clock.sleep(PAUSE)
        return self._stop(deployment, execution)

    def _left_creating(self, execution: Execution) -> bool:
        place = self.executions.place(execution.id)
        return place.state != CREATING and not place.has_deployment

    def _stop(self, deployment: str, execution: Execution) -> Stopped:
        rollout = self.deployments.look(deployment)
        if rollout.progress is Progress.RUNNING:
            self.deployments.stop(deployment)
            follows = "the execution follows" if execution.running else "the watchdog follows"
            return Stopped(
                Deed.STOPPED_DEPLOYMENT,
                f"deployment {deployment} is being stopped and rolled back; {follows} it to its "
                "end",
                deployment,
            )
        if rollout.progress is Progress.SUCCEEDED:
            text = "has succeeded, so there is nothing to stop; to go back: quorumshift rollback"
        elif rollout.undone_by:
            text = f"was stopped before; {rollout.undone_by} rolls it back"
        else:
            text = f"has ended before ({rollout.progress.value})"
        return Stopped(Deed.NOTHING, f"deployment {deployment} {text}", deployment)

    def _deployment(self, execution: Execution) -> str | None:
        return self.deployments.of_execution(execution.id, execution.since)
