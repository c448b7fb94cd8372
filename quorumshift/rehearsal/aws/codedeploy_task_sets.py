"""The two task sets of a deployment, through ECS's API."""

from __future__ import annotations

from typing import Any

import botocore.exceptions

from quorumshift.rehearsal.aws.codedeploy_errors import EventFailed
from quorumshift.rehearsal.aws.codedeploy_models import Colour, Deployment
from quorumshift.rehearsal.aws.codedeploy_traffic import Routes, serving
from quorumshift.rehearsal.world import World


class TaskSets:
    """Finds blue, makes green, and removes either."""

    def __init__(self, world: World, deployment: Deployment) -> None:
        self._world = world
        self._deployment = deployment
        cluster, service = deployment.service
        self._which = {"cluster": cluster, "service": service}

    @property
    def _ecs(self) -> Any:
        return self._world.client("ecs")

    def service(self) -> dict[str, Any]:
        """The service. Raises :class:`EventFailed` when it cannot be deployed to."""
        try:
            found = self._ecs.describe_services(
                cluster=self._which["cluster"], services=[self._which["service"]]
            )["services"]
        except botocore.exceptions.ClientError as error:
            raise EventFailed("INVALID_ECS_SERVICE", f"The service: {error}") from error
        if not found or found[0]["status"] != "ACTIVE":
            raise EventFailed("INVALID_ECS_SERVICE", f"There is no service {self._which}.")
        return dict(found[0])

    def find_blue(self, routes: Routes) -> Colour:
        """The primary task set; it must be behind the production listener."""
        primary = next((s for s in self.service()["taskSets"] if s["status"] == "PRIMARY"), None)
        if primary is None:
            raise EventFailed("INVALID_ECS_SERVICE", "The service has no primary task set.")
        group = serving(self._world, routes)
        if group not in [balancer["targetGroupArn"] for balancer in primary["loadBalancers"]]:
            raise EventFailed(
                "INVALID_ECS_SERVICE",
                f"Primary taskset target group must be behind listener {routes.production}",
            )
        return Colour(primary["id"], group, routes.name(group), primary)

    def make_green(self, routes: Routes, blue: Colour) -> Colour:
        """Create the replacement behind the other target group of the pair."""
        spec = self._deployment.appspec
        service = self.service()
        group = next(arn for arn in routes.groups.values() if arn != blue.target_group)
        for leftover in service["taskSets"]:
            if leftover["id"] != blue.task_set and leftover["status"] == "ACTIVE":
                self.remove(leftover["id"])  # of a deployment that was not rolled back
        launch: dict[str, Any] = (
            {"capacityProviderStrategy": spec.strategy}  # AppSpec's, or none at all
            if spec.strategy
            else {"launchType": "FARGATE"}
        )
        try:
            made = self._ecs.create_task_set(
                **self._which,
                externalId=self._deployment.id,
                taskDefinition=spec.task_definition,
                networkConfiguration=spec.network or service["networkConfiguration"],
                loadBalancers=[
                    {
                        "targetGroupArn": group,
                        "containerName": spec.container,
                        "containerPort": spec.port,
                    }
                ],
                platformVersion=spec.platform or "LATEST",
                scale={"value": 100, "unit": "PERCENT"},
                **launch,
            )["taskSet"]
        except botocore.exceptions.ClientError as error:
            raise EventFailed("ECS_UPDATE_ERROR", f"The task set was refused: {error}") from error
        return Colour(made["id"], group, routes.name(group), made)

    def look(self, colour: Colour) -> bool:
        """Read the task set anew; ``False`` when it is gone."""
        found = self._ecs.describe_task_sets(**self._which, taskSets=[colour.task_set])["taskSets"]
        if found:
            colour.described = found[0]
        else:
            colour.described = {
                **colour.described,
                "status": "DRAINING",
                "computedDesiredCount": 0,
                "runningCount": 0,
                "pendingCount": 0,
            }
        return bool(found)

    def is_steady(self, colour: Colour) -> bool:
        """It runs all it shall, healthily."""
        return self.look(colour) and colour.described["stabilityStatus"] == "STEADY_STATE"

    def make_primary(self, colour: Colour) -> None:
        """Let the service be this task set's."""
        self._ecs.update_service_primary_task_set(**self._which, primaryTaskSet=colour.task_set)

    def remove(self, task_set: str) -> None:
        """Delete it; it is gone when its last task is."""
        try:
            self._ecs.delete_task_set(**self._which, taskSet=task_set, force=True)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "TaskSetNotFoundException":
                raise
