"""Deployment configurations: how the traffic moves."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from quorumshift.rehearsal.aws.codedeploy_errors import refuse

PREFIX = "CodeDeployDefault."
DEFAULT = PREFIX + "ECSAllAtOnce"

Step = tuple[int, float]
"""(percent on green, AWS's minutes to wait after it)."""


def _linear(percentage: int, interval: int) -> dict[str, Any]:
    return {
        "type": "TimeBasedLinear",
        "timeBasedLinear": {"linearPercentage": percentage, "linearInterval": interval},
    }


def _canary(percentage: int, interval: int) -> dict[str, Any]:
    return {
        "type": "TimeBasedCanary",
        "timeBasedCanary": {"canaryPercentage": percentage, "canaryInterval": interval},
    }


BUILT_IN: dict[str, dict[str, Any]] = {
    DEFAULT: {"type": "AllAtOnce"},
    PREFIX + "ECSLinear10PercentEvery1Minutes": _linear(10, 1),
    PREFIX + "ECSLinear10PercentEvery3Minutes": _linear(10, 3),
    PREFIX + "ECSCanary10Percent5Minutes": _canary(10, 5),
    PREFIX + "ECSCanary10Percent15Minutes": _canary(10, 15),
}


class Configs:
    """The built-in ones and those that were created."""

    def __init__(self) -> None:
        self._infos = {
            name: _info(name, routing, datetime(2019, 1, 1, tzinfo=UTC))
            for name, routing in BUILT_IN.items()
        }

    def create(self, name: str | None, platform: str | None, routing: Mapping[str, Any]) -> str:
        """CreateDeploymentConfig for ECS; its id."""
        if not name:
            raise refuse("DeploymentConfigNameRequiredException", "Give a name.")
        if name.startswith(PREFIX) or len(name) > 100:
            raise refuse("InvalidDeploymentConfigNameException", f"{name} is not valid.")
        if name in self._infos:
            raise refuse("DeploymentConfigAlreadyExistsException", f"{name} already exists.")
        if platform != "ECS":
            raise refuse("InvalidComputePlatformException", "The rehearsal has ECS alone.")
        info = _info(name, dict(routing or {"type": "AllAtOnce"}), datetime.now(UTC))
        _check(info["trafficRoutingConfig"])
        self._infos[name] = info
        return str(info["deploymentConfigId"])

    def get(self, name: str | None) -> dict[str, Any]:
        """GetDeploymentConfig."""
        if not name:
            raise refuse("DeploymentConfigNameRequiredException", "Give a name.")
        if name not in self._infos:
            raise refuse(
                "DeploymentConfigDoesNotExistException",
                f"No Deployment Configuration found for name: {name}",
            )
        return self._infos[name]

    def names(self) -> list[str]:
        """ListDeploymentConfigs."""
        return list(self._infos)

    def steps(self, name: str) -> list[Step]:
        """How the traffic moves; the first step is taken at once, the last is all of it."""
        return steps(self.get(name)["trafficRoutingConfig"])


def steps(routing: Mapping[str, Any]) -> list[Step]:
    """The steps of a ``trafficRoutingConfig``."""
    if routing["type"] == "TimeBasedLinear":
        linear = routing["timeBasedLinear"]
        by, every = linear["linearPercentage"], float(linear["linearInterval"])
        return [*((percent, every) for percent in range(by, 100, by)), (100, 0.0)]
    if routing["type"] == "TimeBasedCanary":
        canary = routing["timeBasedCanary"]
        return [(canary["canaryPercentage"], float(canary["canaryInterval"])), (100, 0.0)]
    return [(100, 0.0)]


def _check(routing: Mapping[str, Any]) -> None:
    kinds = {"TimeBasedLinear": "linear", "TimeBasedCanary": "canary"}
    kind = routing.get("type")
    if kind == "AllAtOnce":
        return
    word = kinds.get(str(kind), "")
    details = routing.get(str(kind)[:1].lower() + str(kind)[1:], {})
    percentage = details.get(f"{word}Percentage", 0)
    if not word or not 1 <= percentage <= 99 or details.get(f"{word}Interval", 0) < 1:
        raise refuse(
            "InvalidTrafficRoutingConfigurationException",
            f"{kind}: give a percentage of 1 to 99 and an interval of at least 1 minute.",
        )


def _info(name: str, routing: Mapping[str, Any], created: datetime) -> dict[str, Any]:
    return {
        "deploymentConfigId": str(uuid.uuid4()),
        "deploymentConfigName": name,
        "computePlatform": "ECS",
        "createTime": created,
        "trafficRoutingConfig": dict(routing),
    }
