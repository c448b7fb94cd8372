"""Whether the test listener really leads to green."""

from __future__ import annotations

import urllib.parse
from typing import Any

from quorumshift.adapters.aws.client import every
from quorumshift.domain.errors import MissingResource


class ListenerRoute:
    """Implements ``ports.TrialRoute``: reads a load balancer's test listener.

    The target groups swap roles at every deployment, so nothing but the listener knows which one
    is green's.
    """

    def __init__(self, elbv2: Any, production_listener: str, test_url: str) -> None:
        """``production_listener``: its ARN; the test listener is its sibling on the port of
        ``test_url``."""
        self._elbv2 = elbv2
        self._production = production_listener
        self._port = urllib.parse.urlsplit(test_url).port

    def healthy_targets(self) -> frozenset[str]:
        """Addresses that the test listener sends requests to now. Raises ``MissingResource``."""
        return frozenset(
            str(one["Target"]["Id"])
            for group in self._groups()
            for one in self._elbv2.describe_target_health(TargetGroupArn=group)[
                "TargetHealthDescriptions"
            ]
            if one["TargetHealth"]["State"] == "healthy"
        )

    def _groups(self) -> list[str]:
        production = self._elbv2.describe_listeners(ListenerArns=[self._production])["Listeners"]
        listeners = every(
            self._elbv2.describe_listeners,
            "Listeners",
            "NextMarker",
            "Marker",
            LoadBalancerArn=production[0]["LoadBalancerArn"],
        )
        for listener in listeners:
            if listener["Port"] == self._port:
                return _forwards_to(listener["DefaultActions"])
        raise MissingResource(
            f"the load balancer has no test listener on port {self._port}; deploy the stack again"
        )


def _forwards_to(actions: list[dict[str, Any]]) -> list[str]:
    groups: list[str] = []
    for action in actions:
        weighted = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
        if weighted:
            groups += [str(one["TargetGroupArn"]) for one in weighted if one.get("Weight", 1)]
        elif action.get("TargetGroupArn"):
            groups.append(str(action["TargetGroupArn"]))
    return groups
