"""ECS's operations on services and task sets, answered from the engine.

The seam: ``moto.ecs.urls.url_paths`` names the class that answers; it is read when the server gets
its first request for ECS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.ecs import urls
from moto.ecs.exceptions import ECSException

from quorumshift.rehearsal.aws.ecs_task_api import TaskResponses, refuse
from quorumshift.rehearsal.aws.loud import NotRehearsed
from quorumshift.rehearsal.aws.task_sets import PRIMARY

if TYPE_CHECKING:
    from quorumshift.rehearsal.aws.ecs import EcsEngine
    from quorumshift.rehearsal.aws.ecs_services import Service

MOST_TASK_SETS = 5
_FIXED_UNDER_CODE_DEPLOY = ("taskDefinition", "loadBalancers", "networkConfiguration")


def install(engine: EcsEngine) -> None:
    """Let ``engine`` answer."""
    Responses.engine = engine
    urls.url_paths["{0}/$"] = Responses.dispatch


class Responses(TaskResponses):
    """Those on tasks, and these."""

    def create_service(self) -> ActionResult:
        """CreateService: only the CODE_DEPLOY controller is rehearsed."""
        controller = (self._get_param("deploymentController") or {}).get("type", "ECS")
        if controller != "CODE_DEPLOY":
            raise NotRehearsed(
                f"services under the {controller} controller; the rehearsal moves CODE_DEPLOY's"
            )
        name = self._get_param("serviceName")
        with self.engine.not_looking():
            record: Any = self.ecs_backend.create_service(
                self._cluster(),
                name,
                self._get_int_param("desiredCount", 0),
                self._get_param("taskDefinition"),
                self._get_param("loadBalancers"),
                self._get_param("schedulingStrategy"),
                self._get_param("tags"),
                self._get_param("deploymentController"),
                self._get_param("launchType") or "FARGATE",
                service_registries=self._get_param("serviceRegistries"),
                platform_version=self._get_param("platformVersion"),
                propagate_tags=self._get_param("propagateTags") or "NONE",
                network_configuration=self._get_param("networkConfiguration"),
                role_arn=self._get_param("role"),
            )
            record.capacity_provider_strategy = self._get_param("capacityProviderStrategy")
            record.health_check_grace_period_seconds = self._get_param(
                "healthCheckGracePeriodSeconds"
            )
        return ActionResult({"service": self.engine.service(self._cluster(), name).describe()})

    def describe_services(self) -> ActionResult:
        """DescribeServices."""
        found, failures = [], []
        for name in self._get_param("services", []):
            try:
                found.append(self.engine.service(self._cluster(), name).describe())
            except ECSException:
                failures.append({"arn": name, "reason": "MISSING"})
        return ActionResult({"services": found, "failures": failures})

    def update_service(self) -> ActionResult:
        """UpdateService: CodeDeploy owns what a deployment changes."""
        service = self._service()
        for name in _FIXED_UNDER_CODE_DEPLOY:
            if self._get_param(name) is not None:
                raise refuse(
                    "InvalidParameterException",
                    f"Unable to update {name} on services with a CODE_DEPLOY deployment"
                    " controller. Use AWS CodeDeploy to trigger a new deployment.",
                )
        desired = self._get_int_param("desiredCount")
        if desired is not None:
            service.record.desired_count = desired
        return ActionResult({"service": service.describe()})

    def delete_service(self) -> ActionResult:
        """DeleteService."""
        service = self._service()
        super().delete_service()
        return ActionResult({"service": service.describe()})

    def create_task_set(self) -> ActionResult:
        """CreateTaskSet. Under the CODE_DEPLOY controller it is CodeDeploy who calls."""
        service = self._service()
        if len(service.task_sets) >= MOST_TASK_SETS:
            raise refuse(
                "InvalidParameterException",
                f"{MOST_TASK_SETS} deployments exist on the service. Unable to create new TaskSet"
                " since this exceeds the maximum limit.",
            )
        strategy = self._get_param("capacityProviderStrategy")
        launch: dict[str, Any] = (
            {"capacityProviderStrategy": strategy}
            if strategy
            else {"launchType": self._get_param("launchType") or "FARGATE"}
        )
        launch["platformVersion"] = self._get_param("platformVersion") or "1.4.0"
        task_set = service.add_task_set(
            self._get_param("taskDefinition"),
            balancers=self._get_param("loadBalancers") or [],
            network=self._get_param("networkConfiguration") or {},
            launch=launch,
            scale=float((self._get_param("scale") or {}).get("value", 100.0)),
            external_id=self._get_param("externalId") or "",
            started_by="CODE_DEPLOY",
        )
        return ActionResult({"taskSet": task_set.describe(service.desired)})

    def describe_task_sets(self) -> ActionResult:
        """DescribeTaskSets."""
        service = self._service()
        names = self._get_param("taskSets", [])
        failures = []
        found = [t.describe(service.desired) for t in service.task_sets] if not names else []
        for name in names:
            try:
                found.append(service.task_set(name).describe(service.desired))
            except ECSException:
                failures.append({"arn": name, "reason": "MISSING"})
        return ActionResult({"taskSets": found, "failures": failures})

    def update_task_set(self) -> ActionResult:
        """UpdateTaskSet."""
        service = self._service()
        task_set = service.task_set(self._get_param("taskSet"))
        task_set.scale = float(self._get_param("scale")["value"])
        return ActionResult({"taskSet": task_set.describe(service.desired)})

    def delete_task_set(self) -> ActionResult:
        """DeleteTaskSet. It stays DRAINING while it has tasks, protected ones too."""
        service = self._service()
        task_set = service.task_set(self._get_param("taskSet"))
        in_use = task_set.status == PRIMARY or task_set.desired(service.desired) > 0
        if in_use and not self._get_bool_param("force"):
            raise refuse(
                "InvalidParameterException",
                f"{task_set.id} is {task_set.status} and scaled above 0. Scale it to 0, or"
                " delete it with force.",
            )
        task_set.drain()
        return ActionResult({"taskSet": task_set.describe(service.desired)})

    def update_service_primary_task_set(self) -> ActionResult:
        """UpdateServicePrimaryTaskSet."""
        service = self._service()
        task_set = service.make_primary(self._get_param("primaryTaskSet"))
        return ActionResult({"taskSet": task_set.describe(service.desired)})

    def _service(self) -> Service:
        self.ecs_backend._get_cluster(self._cluster())
        return self.engine.service(self._cluster(), self._get_param("service"))
