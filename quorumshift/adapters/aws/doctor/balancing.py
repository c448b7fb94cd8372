"""The load balancer, its listeners and the two target groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quorumshift.adapters.aws.client import every
from quorumshift.adapters.aws.doctor.looking import Clients, look
from quorumshift.adapters.aws.listener_route import weights
from quorumshift.domain.doctor.expected import Expected
from quorumshift.domain.doctor.facts import Balancer, Listener, TargetGroup
from quorumshift.domain.doctor.finding import Look, because
from quorumshift.domain.doctor.network_facts import Placement

_NO_BALANCER = ("LoadBalancerNotFound", "LoadBalancerNotFoundException")
_NO_GROUP = ("TargetGroupNotFound", "TargetGroupNotFoundException")


def balancer(clients: Clients, expected: Expected) -> Look[Balancer]:
    """The one of ``[adopt]``, else the one of that name."""
    arn = expected.adopted.load_balancer
    which = {"LoadBalancerArns": [arn]} if arn else {"Names": [expected.balancer]}

    def ask() -> Balancer | None:
        found = clients("elbv2").describe_load_balancers(**which)["LoadBalancers"]
        return _balancer(found[0]) if found else None

    return look(ask, *_NO_BALANCER)


def listeners(clients: Clients, found: Look[Balancer]) -> Look[tuple[Listener, ...]]:
    """All of the load balancer's."""
    if found.value is None:
        return Look(unknown=because("the load balancer was not found"))
    arn = found.value.arn

    def ask() -> tuple[Listener, ...]:
        elbv2 = clients("elbv2")
        describe = elbv2.describe_listeners
        found = every(describe, "Listeners", "NextMarker", "Marker", LoadBalancerArn=arn)
        return tuple(_listener(elbv2, one) for one in found)

    return look(ask, *_NO_BALANCER)


def targets(clients: Clients, expected: Expected) -> Look[tuple[TargetGroup, ...]]:
    """Both target groups; nothing where one of them is missing."""
    adopted = expected.adopted
    which = (
        {"TargetGroupArns": [adopted.blue_target_group, adopted.green_target_group]}
        if adopted.blue_target_group
        else {"Names": [expected.blue, expected.green]}
    )

    def ask() -> tuple[TargetGroup, ...]:
        elbv2 = clients("elbv2")
        found = elbv2.describe_target_groups(**which)["TargetGroups"]
        return tuple(_group(elbv2, one) for one in found)

    return look(ask, *_NO_GROUP)


def _balancer(found: Mapping[str, Any]) -> Balancer:
    return Balancer(
        arn=str(found["LoadBalancerArn"]),
        state=str((found.get("State") or {}).get("Code") or "unknown"),
        kind=str(found["Type"]),
        scheme=str(found["Scheme"]),
        vpc=str(found["VpcId"]),
        placement=Placement(
            subnets=tuple(one["SubnetId"] for one in found.get("AvailabilityZones") or ()),
            groups=tuple(found.get("SecurityGroups") or ()),
        ),
    )


def _listener(elbv2: Any, found: Mapping[str, Any]) -> Listener:
    arn, actions = str(found["ListenerArn"]), found.get("DefaultActions") or ()
    forwards = (action.get("ForwardConfig") or {} for action in actions)
    rules = every(elbv2.describe_rules, "Rules", "NextMarker", "Marker", ListenerArn=arn)
    return Listener(
        arn=arn,
        port=int(found["Port"]),
        weights=weights(actions),
        sticky=any(
            (each.get("TargetGroupStickinessConfig") or {}).get("Enabled") for each in forwards
        ),
        protocol=str(found.get("Protocol") or ""),
        ruled=frozenset(
            group
            for rule in rules
            if not rule.get("IsDefault")
            for group in weights(rule.get("Actions") or ())
        ),
    )


def _group(elbv2: Any, found: Mapping[str, Any]) -> TargetGroup:
    arn = str(found["TargetGroupArn"])
    attributes = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    known = {one["Key"]: one["Value"] for one in attributes}
    health = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return TargetGroup(
        arn=arn,
        name=str(found["TargetGroupName"]),
        kind=str(found["TargetType"]),
        port=int(found.get("Port") or 0),
        health_port=str(found.get("HealthCheckPort") or ""),
        health_path=str(found.get("HealthCheckPath") or ""),
        delay=int(known.get("deregistration_delay.timeout_seconds") or 0),
        targets={str(one["Target"]["Id"]): _state(one["TargetHealth"]) for one in health},
    )


def _state(health: Mapping[str, Any]) -> str:
    """``unhealthy: Target.Timeout``, or the state alone."""
    state, reason = str(health["State"]), health.get("Reason")
    return f"{state}: {reason}" if reason else state
