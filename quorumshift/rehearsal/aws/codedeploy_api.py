"""CodeDeploy's operations on deployments, answered from the engine.

The seam: ``moto.codedeploy.urls.url_paths`` names the class that answers; it is read when the
server gets its first request for CodeDeploy.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from moto.codedeploy import urls
from moto.codedeploy.responses import CodeDeployResponse, _deployment_group_info
from moto.core.responses import ActionResult, EmptyResult

from quorumshift.rehearsal.aws.codedeploy_alarms import configuration
from quorumshift.rehearsal.aws.codedeploy_errors import refuse
from quorumshift.rehearsal.aws.codedeploy_task_sets import TaskSets
from quorumshift.rehearsal.world import ACCOUNT, REGION

if TYPE_CHECKING:
    from quorumshift.rehearsal.aws.codedeploy import CodeDeployEngine
    from quorumshift.rehearsal.aws.codedeploy_models import Deployment

MOST_IN_A_BATCH = 25


def install(engine: CodeDeployEngine) -> None:
    """Let ``engine`` answer."""
    Responses.engine = engine
    urls.url_paths["{0}/$"] = Responses.dispatch


class Responses(CodeDeployResponse):
    """moto's, with what it lacks."""

    engine: ClassVar[CodeDeployEngine]

    def create_deployment(self) -> ActionResult:
        """CreateDeployment."""
        group = self._group()
        names = (
            "deploymentConfigName",
            "description",
            "revision",
            "autoRollbackConfiguration",
            "overrideAlarmConfiguration",
        )
        request = {name: self._get_param(name) for name in names}
        return ActionResult({"deploymentId": self.engine.create(group, request).id})

    def get_deployment(self) -> ActionResult:
        """GetDeployment."""
        return ActionResult({"deploymentInfo": self._deployment().describe()})

    def batch_get_deployments(self) -> ActionResult:
        """BatchGetDeployments."""
        names = self._get_param("deploymentIds") or []
        if len(names) > MOST_IN_A_BATCH:
            raise refuse("BatchLimitExceededException", f"At most {MOST_IN_A_BATCH} at a time.")
        known = {deployment.id: deployment for deployment in self.engine.all()}
        found = [known[name].describe() for name in names if name in known]
        return ActionResult({"deploymentsInfo": found})

    def list_deployments(self) -> ActionResult:
        """ListDeployments: the newest first."""
        application = self._get_param("applicationName")
        name = self._get_param("deploymentGroupName")
        if application and not name:
            raise refuse("DeploymentGroupNameRequiredException", "Give the group's name too.")
        if name and not application:
            raise refuse("ApplicationNameRequiredException", "Give the application's name too.")
        group = self._group() if application else None
        statuses = self._get_param("includeOnlyStatuses") or []
        between = self._get_param("createTimeRange") or {}
        start, end = _aware(between.get("start")), _aware(between.get("end"))
        if start is not None and end is not None and start > end:
            raise refuse("InvalidTimeRangeException", "The start time is after the end time.")
        ids = [
            deployment.id
            for deployment in self.engine.all()
            if (group is None or deployment.group is group)
            and (not statuses or deployment.status in statuses)
            and (start is None or deployment.created >= start)
            and (end is None or deployment.created <= end)
        ]
        return ActionResult({"deployments": ids})

    def get_deployment_group(self) -> ActionResult:
        """GetDeploymentGroup, with what moto leaves out."""
        group: Any = self._group()
        info = _deployment_group_info(group)
        info["alarmConfiguration"] = configuration(group.alarm_configuration)
        for key, found in (
            ("lastSuccessfulDeployment", self.engine.last(group, "Succeeded")),
            ("lastAttemptedDeployment", self.engine.last(group)),
        ):
            if found is None:
                del info[key]
                continue
            info[key] = {
                "deploymentId": found.id,
                "status": found.status,
                "createTime": found.created,
                **({"endTime": found.completed} if found.completed else {}),
            }
        return ActionResult({"deploymentGroupInfo": info})

    def list_deployment_targets(self) -> ActionResult:
        """ListDeploymentTargets: the service is the only one."""
        return ActionResult({"targetIds": [self._deployment().target_id]})

    def get_deployment_target(self) -> ActionResult:
        """GetDeploymentTarget."""
        deployment = self._deployment()
        target = self._target(deployment, self._get_param("targetId"))
        return ActionResult({"deploymentTarget": target})

    def batch_get_deployment_targets(self) -> ActionResult:
        """BatchGetDeploymentTargets."""
        deployment = self._deployment()
        names = self._get_param("targetIds") or [deployment.target_id]
        targets = [self._target(deployment, name) for name in names]
        return ActionResult({"deploymentTargets": targets})

    def stop_deployment(self) -> ActionResult:
        """StopDeployment."""
        self.engine.halt(self._deployment(), self._get_bool_param("autoRollbackEnabled"))
        return ActionResult({"status": "Pending", "statusMessage": "The deployment is stopping."})

    def continue_deployment(self) -> ActionResult:
        """ContinueDeployment."""
        wait = self._get_param("deploymentWaitType") or "READY_WAIT"
        if wait not in ("READY_WAIT", "TERMINATION_WAIT"):
            raise refuse("InvalidDeploymentWaitTypeException", f"There is no wait {wait}.")
        self.engine.proceed(self._deployment(), wait)
        return EmptyResult()

    def put_lifecycle_event_hook_execution_status(self) -> ActionResult:
        """PutLifecycleEventHookExecutionStatus."""
        execution = self._get_param("lifecycleEventHookExecutionId")
        self.engine.hooks.answer(self._deployment(), execution, self._get_param("status"))
        return ActionResult({"lifecycleEventHookExecutionId": execution})

    def create_deployment_config(self) -> ActionResult:
        """CreateDeploymentConfig."""
        identity = self.engine.configs.create(
            self._get_param("deploymentConfigName"),
            self._get_param("computePlatform"),
            self._get_param("trafficRoutingConfig"),
        )
        return ActionResult({"deploymentConfigId": identity})

    def get_deployment_config(self) -> ActionResult:
        """GetDeploymentConfig."""
        found = self.engine.configs.get(self._get_param("deploymentConfigName"))
        return ActionResult({"deploymentConfigInfo": found})

    def list_deployment_configs(self) -> ActionResult:
        """ListDeploymentConfigs."""
        return ActionResult({"deploymentConfigsList": self.engine.configs.names()})

    def _deployment(self) -> Deployment:
        return self.engine.get(self._get_param("deploymentId"))

    def _group(self) -> Any:
        application = self._get_param("applicationName")
        name = self._get_param("deploymentGroupName")
        if not application:
            raise refuse("ApplicationNameRequiredException", "Give the application's name.")
        if not name:
            raise refuse("DeploymentGroupNameRequiredException", "Give the group's name.")
        return self.codedeploy_backend.get_deployment_group(application, name)

    def _target(self, deployment: Deployment, name: str | None) -> dict[str, Any]:
        if not name:
            raise refuse("DeploymentTargetIdRequiredException", "Give a target id.")
        if name != deployment.target_id:
            raise refuse(
                "DeploymentTargetDoesNotExistException",
                f"{deployment.id} has no target {name}; it has {deployment.target_id}.",
            )
        if deployment.active:
            sets = TaskSets(self.engine.world, deployment)
            for colour in (deployment.blue, deployment.green):
                if colour is not None:
                    sets.look(colour)
        cluster, service = deployment.service
        arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{cluster}/{service}"
        return deployment.describe_target(arn, deployment.describe_colours())


def _aware(time: Any) -> datetime | None:
    if time is None:
        return None
    if not isinstance(time, datetime):
        return datetime.fromtimestamp(float(time), UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
