"""Where a listener sends its traffic: read and changed through the load balancer's API alone, so
that what a deployment finds is what is so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quorumshift.rehearsal.aws.codedeploy_errors import EventFailed
from quorumshift.rehearsal.world import World


@dataclass(frozen=True, slots=True)
class Routes:
    """The group's pair: ``groups`` (name → ARN) of both target groups, the production listener and
    the test listener (empty when there is none)."""

    groups: dict[str, str]
    production: str
    test: str

    def name(self, arn: str) -> str:
        """The name of one of the two."""
        return next(name for name, group in self.groups.items() if group == arn)


def routes(world: World, load_balancer_info: Mapping[str, Any]) -> Routes:
    """Read ``targetGroupPairInfoList``. Raises :class:`EventFailed`."""
    pairs = load_balancer_info.get("targetGroupPairInfoList") or []
    if len(pairs) != 1:
        raise EventFailed("MISSING_ELB_INFORMATION", "The group has no pair of target groups.")
    names = [group["name"] for group in pairs[0].get("targetGroups", [])]
    production = pairs[0].get("prodTrafficRoute", {}).get("listenerArns", [])
    if len(set(names)) != 2 or len(production) != 1:
        raise EventFailed(
            "ELASTIC_LOAD_BALANCING_INVALID",
            "An ECS deployment needs two target groups and one production listener.",
        )
    found = world.client("elbv2").describe_target_groups(Names=names)["TargetGroups"]
    test = (pairs[0].get("testTrafficRoute") or {}).get("listenerArns") or [""]
    return Routes(
        groups={group["TargetGroupName"]: group["TargetGroupArn"] for group in found},
        production=production[0],
        test=test[0],
    )


def weights(world: World, listener: str) -> dict[str, int]:
    """Target group ARN → weight, of the listener's default action."""
    action = _forward(world, listener)
    config = action.get("ForwardConfig", {}).get("TargetGroups")
    if config:
        return {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in config}
    return {action["TargetGroupArn"]: 1}


def serving(world: World, of: Routes) -> str:
    """ARN of the target group that the production listener sends everything to.

    Raises :class:`EventFailed` when it is neither or both of the pair.
    """
    weighted = [group for group, weight in weights(world, of.production).items() if weight > 0]
    if len(weighted) != 1 or weighted[0] not in of.groups.values():
        raise EventFailed(
            "ELASTIC_LOAD_BALANCING_INVALID",
            f"The production listener {of.production} sends its traffic to"
            f" {', '.join(weighted) or 'nowhere'}; it must be one of {', '.join(of.groups)}.",
        )
    return weighted[0]


def send(world: World, listener: str, shares: Mapping[str, int]) -> None:
    """Weight the listener's default action anew; its stickiness stays."""
    action = _forward(world, listener)
    config = {
        "TargetGroups": [
            {"TargetGroupArn": group, "Weight": weight} for group, weight in shares.items()
        ]
    }
    sticky = action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig")
    if sticky is not None:
        config["TargetGroupStickinessConfig"] = sticky
    world.client("elbv2").modify_listener(
        ListenerArn=listener, DefaultActions=[{"Type": "forward", "ForwardConfig": config}]
    )


def _forward(world: World, listener: str) -> dict[str, Any]:
    described = world.client("elbv2").describe_listeners(ListenerArns=[listener])
    for action in described["Listeners"][0]["DefaultActions"]:
        if action["Type"] == "forward":
            return dict(action)
    raise EventFailed(
        "ELASTIC_LOAD_BALANCING_INVALID", f"The default action of {listener} forwards nothing."
    )
