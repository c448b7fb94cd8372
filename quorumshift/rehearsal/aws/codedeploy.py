"""The CodeDeploy engine: deployments happen, hooks are asked, traffic moves, roll-backs follow."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from quorumshift.rehearsal.aws import codedeploy_alarms, codedeploy_api, codedeploy_notices
from quorumshift.rehearsal.aws.codedeploy_appspec import read_revision
from quorumshift.rehearsal.aws.codedeploy_configs import DEFAULT, PREFIX, Configs
from quorumshift.rehearsal.aws.codedeploy_errors import Interrupted, refuse
from quorumshift.rehearsal.aws.codedeploy_hooks import Hooks
from quorumshift.rehearsal.aws.codedeploy_lifecycle import Lifecycle
from quorumshift.rehearsal.aws.codedeploy_models import Deployment, now
from quorumshift.rehearsal.aws.codedeploy_rollback import RollBack
from quorumshift.rehearsal.aws.codedeploy_run import Run
from quorumshift.rehearsal.world import World

LONGEST_DESCRIPTION = 256
_STATES = {"Succeeded": "SUCCESS", "Failed": "FAILURE", "Stopped": "STOP"}


class CodeDeployEngine:
    """Applications and deployment groups are moto's; deployments are here."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hooks = Hooks(world)
        self.configs = Configs()
        self._deployments: dict[str, Deployment] = {}
        self._threads: list[threading.Thread] = []
        self._lock = threading.RLock()

    def install(self) -> None:
        """Answer CodeDeploy's operations from here; before the server starts."""
        codedeploy_api.install(self)

    def start(self) -> None:
        """Nothing runs before the first deployment."""

    def stop(self) -> None:
        """Let every deployment's thread end where it is."""
        self.world.stopping.set()
        for thread in self._threads:
            thread.join(5)

    def create(self, group: Any, request: Mapping[str, Any]) -> Deployment:
        """CreateDeployment. Raises CodeDeploy's own errors."""
        if not group.ecs_services:
            raise refuse("InvalidECSServiceException", "The deployment group names no ECS service.")
        description = request.get("description") or ""
        if len(description) > LONGEST_DESCRIPTION:
            raise refuse(
                "DescriptionTooLongException",
                f"The description has {len(description)} characters, at most"
                f" {LONGEST_DESCRIPTION} are allowed.",
            )
        config = request.get("deploymentConfigName") or default_config(group)
        steps = self.configs.steps(config)
        revision = request.get("revision")
        override = request.get("overrideAlarmConfiguration")
        alarms = group.alarm_configuration if override is None else override
        deployment = Deployment(
            group=group,
            config=config,
            revision=dict(revision or {}),
            appspec=read_revision(revision),
            description=description,
            creator="user",
            auto_rollback=request.get("autoRollbackConfiguration")
            or group.auto_rollback_configuration
            or {},
            alarms=codedeploy_alarms.configuration(alarms),
            override=override,
        )
        with self._lock:
            for other in self._deployments.values():
                if other.active and other.group is group:
                    raise refuse(
                        "DeploymentLimitExceededException",
                        f"The Deployment Group '{deployment.group_name}' already has an active"
                        f" Deployment '{other.id}'",
                    )
            last = self.last(group, "Succeeded")
            deployment.previous_revision = last.revision if last else None
            self._deployments[deployment.id] = deployment
        self._say(deployment, "created")
        self._begin(Lifecycle(self.world, deployment, self, self.hooks, steps))
        return deployment

    def get(self, deployment_id: str | None) -> Deployment:
        """Raises ``DeploymentIdRequiredException``, ``DeploymentDoesNotExistException``."""
        if not deployment_id:
            raise refuse("DeploymentIdRequiredException", "Give a deployment id.")
        with self._lock:
            if deployment_id in self._deployments:
                return self._deployments[deployment_id]
        raise refuse(
            "DeploymentDoesNotExistException", f"The deployment {deployment_id} could not be found"
        )

    def all(self) -> list[Deployment]:
        """The newest first."""
        with self._lock:
            return list(reversed(self._deployments.values()))

    def last(self, group: Any, *statuses: str) -> Deployment | None:
        """The group's newest deployment, of any status or of these."""
        return next(
            (d for d in self.all() if d.group is group and (not statuses or d.status in statuses)),
            None,
        )

    def halt(self, deployment: Deployment, roll_back: bool | None) -> None:
        """StopDeployment; ``roll_back`` ``None``: as the deployment's configuration says."""
        with self._lock:
            if not deployment.active:
                raise refuse(
                    "DeploymentAlreadyCompletedException",
                    f"The deployment {deployment.id} has ended: {deployment.status}.",
                )
        rules = deployment.auto_rollback
        by_rule = bool(rules.get("enabled")) and "DEPLOYMENT_STOP_ON_REQUEST" in rules.get(
            "events", []
        )
        wanted = by_rule if roll_back is None else roll_back
        self._say(deployment, f"is asked to stop{', and to roll back' if wanted else ''}")
        deployment.interrupt(
            Interrupted("MANUAL_STOP", "The deployment was stopped by a user.", wanted)
        )

    def proceed(self, deployment: Deployment, wait: str) -> None:
        """ContinueDeployment."""
        if not deployment.active:
            raise refuse("DeploymentAlreadyCompletedException", f"{deployment.id} has ended.")
        expected = "TERMINATION_WAIT" if deployment.termination_wait else "READY_WAIT"
        if deployment.status != "Ready" or wait != expected:
            raise refuse(
                "DeploymentIsNotInReadyStateException",
                f"{deployment.id} is {deployment.status} and does not wait for {wait}.",
            )
        with deployment.changed:
            deployment.continued.add(wait)
            deployment.changed.notify_all()

    def started(self, deployment: Deployment) -> None:
        """See :class:`~quorumshift.rehearsal.aws.codedeploy_run.Outcome`."""
        deployment.started = now()
        deployment.status = "InProgress"
        self._say(deployment, "started")
        codedeploy_notices.tell(self.world, deployment, "START")

    def ready(self, deployment: Deployment) -> None:
        """As above."""
        self._say(deployment, "is ready and waits")
        codedeploy_notices.tell(self.world, deployment, "READY")

    def ended(
        self, deployment: Deployment, status: str, code: str, message: str, roll_back: bool
    ) -> None:
        """As above. The roll-back exists at the moment at which the deployment has ended."""
        back: Deployment | None = None
        with self._lock:
            for event in deployment.events.values():
                if event.status == "Pending":
                    event.status = "Skipped"
            deployment.completed = now()
            if code:
                deployment.error = {"code": code, "message": message}
            if roll_back:
                back = self._roll_back(deployment)
            deployment.status = status
            self._note_in_origin(deployment)
        self._say(deployment, f"{status}{f': {message} ({code})' if code else ''}")
        codedeploy_notices.tell(self.world, deployment, _STATES[status])
        if back is not None:
            codedeploy_notices.tell(self.world, deployment, "ROLLBACK")
            self._begin(RollBack(self.world, back, self))

    def _roll_back(self, deployment: Deployment) -> Deployment | None:
        """Make the roll-back, if there is a way back: before Install there is nothing to undo."""
        undoes_another = "rollbackTriggeringDeploymentId" in deployment.rollback
        if undoes_another or deployment.final:
            return None
        if deployment.green is None or deployment.blue is None:
            deployment.rollback["rollbackMessage"] = "There is nothing to roll back."
            return None
        back = Deployment(
            group=deployment.group,
            config=deployment.config,
            revision=deployment.previous_revision or deployment.revision,
            appspec=deployment.appspec,
            description=f"Rollback of deployment {deployment.id}",
            creator="codeDeployRollback",
            auto_rollback={},
            alarms={},
            blue=deployment.blue,
            green=deployment.green,
            weight=deployment.weight,
        )
        back.rollback = {
            "rollbackTriggeringDeploymentId": deployment.id,
            "rollbackMessage": f"Rolling back deployment {deployment.id}.",
        }
        deployment.rollback = {
            "rollbackDeploymentId": back.id,
            "rollbackMessage": f"Deployment {back.id} rolls it back.",
        }
        self._deployments[back.id] = back
        return back

    def _note_in_origin(self, deployment: Deployment) -> None:
        origin = deployment.rollback.get("rollbackTriggeringDeploymentId")
        if origin is not None:
            told = f"The roll-back {deployment.id} has ended: {deployment.status}."
            self._deployments[origin].rollback["rollbackMessage"] = told

    def _begin(self, run: Run) -> None:
        thread = threading.Thread(target=run.run, name=run.deployment.id, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _say(self, deployment: Deployment, text: str) -> None:
        self.world.events.say(
            "deployment",
            f"{deployment.id} {text}",
            deployment=deployment.id,
            status=deployment.status,
            creator=deployment.creator,
        )


def default_config(group: Any) -> str:
    """The group's own configuration; moto gives a group without one a configuration of EC2's."""
    name = getattr(group.deployment_config_name, "value", group.deployment_config_name)
    if name and str(name).startswith(f"{PREFIX}ECS"):
        return str(name)
    return DEFAULT if not name or name == "OneAtATime" else str(name)
