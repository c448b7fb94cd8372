"""What is left when a deployment was not followed to its end, until all is in order again."""

from __future__ import annotations

from quorumshift.names import Names
from quorumshift.rehearsal.aws.codedeploy_models import ACTIVE
from quorumshift.rehearsal.aws.ecs import EcsEngine
from quorumshift.rehearsal.aws.task_record import TaskRecord
from quorumshift.rehearsal.interruptions import Interruptions
from quorumshift.rehearsal.waiting import wait_for
from quorumshift.rehearsal.world import World

LONGEST_SECONDS = 50.0
LONGEST_AWS_SECONDS = 600.0
"""For all to come to rest, and for everything to be put in order: so many real seconds, as Raft
takes, and so many of AWS's, as retries do."""
IN_ORDER_SECONDS = 1.0
"""Real seconds between two looks that must find everything in order."""


class Aftermath:
    """Of the service's deployments, hand-overs, locks and scaling."""

    def __init__(
        self, world: World, names: Names, ecs: EcsEngine, interruptions: Interruptions
    ) -> None:
        self._world = world
        self._names = names
        self._ecs = ecs
        self._interruptions = interruptions

    @property
    def longest(self) -> float:
        """Real seconds."""
        return LONGEST_SECONDS + self._world.real(LONGEST_AWS_SECONDS)

    def wait(self) -> None:
        """Return when all is in order. Raises ``NotSeen`` with what is left when it is not."""
        what = "every vote and lock to be given back and the roll-back to end"
        for _ in range(2):  # in order for a while: one thing may end just before another begins
            wait_for(self._world, lambda: not self._left(), what, self.longest, self._left)
            self._world.stopping.wait(IN_ORDER_SECONDS)

    def locked(self) -> list[TaskRecord]:
        """Tasks that run and are protected."""
        return [task for task in self._ecs.tasks() if task.wanted and task.protected]

    def runs(self, deployment: str) -> bool:
        """Whether this deployment has not ended."""
        return self._interruptions.look(deployment)["status"] in ACTIVE

    def _left(self) -> str:
        """What is not in order yet, empty when all is."""
        known = self._world.client("codedeploy").list_deployments()["deployments"]
        hand_overs = self._interruptions.running(self._names.hand_over)
        return "; ".join(
            [
                *(f"{each} runs" for each in known if self.runs(each)),
                *(f"the task at {task.address} is locked" for task in self.locked()),
                *(f"{each} runs" for each in hand_overs),
                *(f"the scaling of {each} is suspended" for each in self._suspended()),
            ]
        )

    def _suspended(self) -> list[str]:
        autoscaling = self._world.client("application-autoscaling")
        targets = autoscaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        return [
            target["ResourceId"]
            for target in targets
            if any(target.get("SuspendedState", {}).values())
        ]
