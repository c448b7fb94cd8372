"""What the deployment engine is told to do, as a JSON value.

CodeDeploy calls it the AppSpec (version 0.0 of the format for Amazon ECS).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HAND_OVER_STAGE = "AfterAllowTraffic"
"""The stage at which the votes are handed over; nothing of ours is asked after it."""


@dataclass(frozen=True, slots=True)
class Network:
    """Where the tasks of the new task set live."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    public_ip: bool = False


@dataclass(frozen=True, slots=True)
class Capacity:
    """One entry of a capacity provider strategy."""

    provider: str
    weight: int = 0
    base: int = 0


@dataclass(frozen=True, slots=True)
class Blueprint:
    """How the serving task set runs: what a new one must repeat.

    ``platform_version`` is ``None`` where the service leaves it to AWS.
    """

    container: str
    port: int
    platform_version: str | None
    network: Network | None
    capacity: tuple[Capacity, ...]


def app_spec(
    task_definition: str, blueprint: Blueprint, hooks: Mapping[str, str]
) -> dict[str, Any]:
    """The AppSpec for this revision (an ARN). ``hooks``: stage → function that is asked there.

    The capacity provider strategy is repeated, because CodeDeploy drops the service's own when
    the AppSpec leaves it out.
    """
    properties: dict[str, Any] = {
        "TaskDefinition": task_definition,
        "LoadBalancerInfo": {
            "ContainerName": blueprint.container,
            "ContainerPort": blueprint.port,
        },
    }
    if blueprint.platform_version:
        properties["PlatformVersion"] = blueprint.platform_version
    if blueprint.network:
        properties["NetworkConfiguration"] = {
            "AwsvpcConfiguration": {
                "Subnets": list(blueprint.network.subnets),
                "SecurityGroups": list(blueprint.network.security_groups),
                "AssignPublicIp": "ENABLED" if blueprint.network.public_ip else "DISABLED",
            }
        }
    if blueprint.capacity:
        properties["CapacityProviderStrategy"] = [
            {"CapacityProvider": one.provider, "Base": one.base, "Weight": one.weight}
            for one in blueprint.capacity
        ]
    service = {"Type": "AWS::ECS::Service", "Properties": properties}
    return {
        "version": 0.0,
        "Resources": [{"TargetService": service}],
        "Hooks": [{stage: function} for stage, function in hooks.items()],
    }
