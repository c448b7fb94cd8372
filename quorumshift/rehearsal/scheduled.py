"""Deployments that the service's own schedule starts: its stack's, and at its own time.

Nobody waits until four o'clock: the clock of the embedded EventBridge Scheduler is set to shortly
before the schedule's next time, and the schedule does the rest.
"""

from __future__ import annotations

from quorumshift.names import Names
from quorumshift.rehearsal.aws.schedules import SchedulesEngine
from quorumshift.rehearsal.execution import Execution, machine_arn
from quorumshift.rehearsal.waiting import wait_for
from quorumshift.rehearsal.world import World

AHEAD_SECONDS = 60.0
"""AWS's seconds by which the clock is set before the next time."""
PATIENCE_SECONDS = 20.0
"""Real seconds after that time in which its execution must have begun, or have been skipped."""
SKIPPED = "Skipped"


class NotSkipped(RuntimeError):
    """A deployment that the schedule started ran beside another one."""


class Scheduled(Execution):
    """Deploys what the schedule asks for, with the execution that the schedule starts."""

    def __init__(self, world: World, names: Names, schedules: SchedulesEngine) -> None:
        super().__init__(world, names, {})
        self._world = world
        self._schedules = schedules

    def start(self) -> None:
        """Let the schedule's time come; return when its execution is there."""
        before = self._known()
        self._schedules.approach(self._names.canary, AHEAD_SECONDS)
        seconds = self._world.real(AHEAD_SECONDS) + PATIENCE_SECONDS
        what = f"an execution that the schedule {self._names.canary} starts"
        wait_for(self._world, lambda: bool(self._known() - before), what, seconds)
        (self._arn,) = self._known() - before

    def skipped(self) -> None:
        """Return when it has ended in ``Skipped``. Raises :class:`NotSkipped` for another end."""
        wait_for(self._world, self.ended, "the end of the schedule's execution", PATIENCE_SECONDS)
        if (last := self.states()[-1]) != SKIPPED:
            raise NotSkipped(f"{self._arn} ended in {last} while another deployment was under way")

    def _known(self) -> set[str]:
        pages = self._client.get_paginator("list_executions").paginate(
            stateMachineArn=machine_arn(self._names.deploy)
        )
        return {each["executionArn"] for page in pages for each in page["executions"]}
