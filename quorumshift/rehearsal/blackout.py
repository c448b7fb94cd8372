"""A deployment is stopped while none of our functions can run: the locks alone keep the quorum.

The functions stay down until whatever CodeDeploy and ECS do by themselves has come to rest. Then
they come back, and the executions, which have waited for them, put votes and locks in order.
"""

from __future__ import annotations

from quorumshift.names import Names
from quorumshift.rehearsal.aftermath import Aftermath
from quorumshift.rehearsal.aws.codedeploy_models import ACTIVE
from quorumshift.rehearsal.aws.ecs import EcsEngine
from quorumshift.rehearsal.aws.lambdas import LambdaEngine
from quorumshift.rehearsal.aws.task_record import STOPPED
from quorumshift.rehearsal.interruptions import Interruptions
from quorumshift.rehearsal.observer import Observer
from quorumshift.rehearsal.waiting import wait_for
from quorumshift.rehearsal.world import World

STILL_SECONDS = 300.0
"""AWS's seconds for which only locked tasks must be left before the functions come back."""


class Blackout:
    """:meth:`begin`, then :meth:`end`, which takes long."""

    def __init__(
        self,
        world: World,
        names: Names,
        ecs: EcsEngine,
        observer: Observer,
        lambdas: LambdaEngine,
        interruptions: Interruptions,
        aftermath: Aftermath,
    ) -> None:
        self._world = world
        self._names = names
        self._ecs = ecs
        self._observer = observer
        self._lambdas = lambdas
        self._interruptions = interruptions
        self._aftermath = aftermath
        self._deployment = ""

    def begin(self) -> None:
        """Every function goes down, and a person stops the deployment with its roll-back."""
        self._deployment = self._interruptions.deployment()
        self._world.events.say("fault", "every function is down")
        self._lambdas.take_down()
        self._interruptions.stop()

    def end(self) -> None:
        """Wait for rest, bring the functions back, and wait until all is in order.

        Raises ``NotSeen`` with what is left when it is not.
        """
        wait_for(
            self._world,
            self._at_rest,
            "everything to rest without functions",
            self._aftermath.longest,
        )
        self._world.sleep(STILL_SECONDS)
        said = "has" if self._observer.snapshot().has_quorum else "HAS NOT"
        held = ", ".join(sorted(task.address for task in self._aftermath.locked())) or "none"
        text = f"without functions the cluster {said} its quorum (locked: {held}); they come back"
        self._world.events.say("fault", text)
        self._lambdas.bring_back()
        self._aftermath.wait()

    def _at_rest(self) -> bool:
        """The roll-back has ended or is held up by locks alone."""
        stopped = self._interruptions.look(self._deployment)
        if stopped["status"] in ACTIVE:
            return False
        undo = stopped.get("rollbackInfo", {}).get("rollbackDeploymentId")
        if undo is None or not self._aftermath.runs(undo):
            return True
        ending = [task for task in self._ecs.tasks() if task.task_set == self._green(undo)]
        return all(task.protected for task in ending if task.last_status != STOPPED)

    def _green(self, undo: str) -> str:
        target = self._world.client("codedeploy").get_deployment_target(
            deploymentId=undo, targetId=f"{self._names.cluster}:{self._names.service}"
        )
        colours = target["deploymentTarget"]["ecsTarget"]["taskSetsInfo"]
        return next(str(each["identifer"]) for each in colours if each["taskSetLabel"] == "Green")
