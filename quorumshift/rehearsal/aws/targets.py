"""A task's places in its target groups, through the load balancer's API."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from quorumshift.rehearsal.world import World

LoadBalancers = Sequence[Mapping[str, Any]]
"""``loadBalancers`` of a service or task set: targetGroupArn, containerName, containerPort."""

LEAST_DRAINING = 0.3
"""Real seconds between deregistration and SIGTERM: the requests in flight are real."""


def register(world: World, balancers: LoadBalancers, address: str) -> None:
    """Add the task to each target group."""
    for balancer in balancers:
        world.client("elbv2").register_targets(
            TargetGroupArn=balancer["targetGroupArn"],
            Targets=[{"Id": address, "Port": balancer["containerPort"]}],
        )


def deregister(world: World, balancers: LoadBalancers, address: str) -> None:
    """Take the task out of each target group. One that is not in it is no error."""
    client = world.client("elbv2")
    for balancer in balancers:
        with contextlib.suppress(client.exceptions.InvalidTargetException):
            client.deregister_targets(
                TargetGroupArn=balancer["targetGroupArn"],
                Targets=[{"Id": address, "Port": balancer["containerPort"]}],
            )


def draining_seconds(world: World, balancers: LoadBalancers) -> float:
    """Real seconds to wait after :func:`deregister`: the longest deregistration delay."""
    delays = [
        float(attribute["Value"])
        for balancer in balancers
        for attribute in world.client("elbv2").describe_target_group_attributes(
            TargetGroupArn=balancer["targetGroupArn"]
        )["Attributes"]
        if attribute["Key"] == "deregistration_delay.timeout_seconds"
    ]
    return max(LEAST_DRAINING, world.real(max(delays))) if delays else 0.0


def states(world: World, balancers: LoadBalancers) -> list[dict[str, str]]:
    """For each target group: address → ``TargetHealth.State``."""
    return [
        {
            health["Target"]["Id"]: health["TargetHealth"]["State"]
            for health in world.client("elbv2").describe_target_health(
                TargetGroupArn=balancer["targetGroupArn"]
            )["TargetHealthDescriptions"]
        }
        for balancer in balancers
    ]
