"""How a deployment group moves traffic, as CodeDeploy knows it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import code
from quorumshift.domain.errors import InvalidRequest
from quorumshift.domain.shift import Step, at_once, canary, linear


class Shifts:
    """Reads deployment configurations and the group's own settings."""

    def __init__(self, codedeploy: Any, application: str, group: str) -> None:
        self._codedeploy = codedeploy
        self._group = {"applicationName": application, "deploymentGroupName": group}

    def steps(self, config: str) -> tuple[Step, ...]:
        """The steps of a configuration. Raises ``InvalidRequest`` when there is none."""
        try:
            found = self._codedeploy.get_deployment_config(deploymentConfigName=config)
        except ClientError as error:
            if code(error) != "DeploymentConfigDoesNotExistException":
                raise
            raise InvalidRequest(
                f"deploymentConfig: CodeDeploy knows no configuration {config!r}; "
                "CodeDeployDefault.ECSLinear10PercentEvery1Minutes is one"
            ) from error
        routing = found["deploymentConfigInfo"].get("trafficRoutingConfig") or {}
        if moving := routing.get("timeBasedLinear"):
            return linear(int(moving["linearPercentage"]), int(moving["linearInterval"]))
        if moving := routing.get("timeBasedCanary"):
            return canary(int(moving["canaryPercentage"]), int(moving["canaryInterval"]))
        return at_once()

    def termination_minutes(self) -> int:
        """How long blue stays after all traffic has moved."""
        group = self._codedeploy.get_deployment_group(**self._group)["deploymentGroupInfo"]
        ends = (group.get("blueGreenDeploymentConfiguration") or {}).get(
            "terminateBlueInstancesOnDeploymentSuccess"
        ) or {}
        return int(ends.get("terminationWaitTimeInMinutes") or 0)
