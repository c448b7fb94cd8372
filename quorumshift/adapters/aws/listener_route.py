"""Where the listeners really lead: that for tests to green, that of users to who serves."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

from quorumshift.adapters.aws.client import every
from quorumshift.domain.errors import MissingResource
from quorumshift.domain.serving import Led


class _Listeners:
    """What both read."""

    _elbv2: Any

    def _healthy(self, group: str) -> tuple[str, ...]:
        """Addresses of the healthy targets of a group (ARN)."""
        found = self._elbv2.describe_target_health(TargetGroupArn=group)
        return tuple(
            str(one["Target"]["Id"])
            for one in found["TargetHealthDescriptions"]
            if one["TargetHealth"]["State"] == "healthy"
        )


class ListenerRoute(_Listeners):
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
        return frozenset(each for group in self._groups() for each in self._healthy(group))

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
                return [
                    arn for arn, weight in weights(listener["DefaultActions"]).items() if weight
                ]
        raise MissingResource(
            f"the load balancer has no test listener on port {self._port}; deploy the stack again"
        )


class ProductionListener(_Listeners):
    """Implements ``ports.ProductionRoute``."""

    def __init__(self, elbv2: Any, listener: str) -> None:
        """``listener``: its ARN."""
        self._elbv2 = elbv2
        self._listener = listener

    def leads_to(self) -> tuple[Led, ...]:
        """Where it leads now. Raises ``MissingResource``."""
        found = self._elbv2.describe_listeners(ListenerArns=[self._listener])["Listeners"]
        if not found:
            raise MissingResource(
                f"there is no production listener {self._listener}; deploy the stack again"
            )
        return tuple(
            Led(arn.rpartition("targetgroup/")[2].split("/")[0], weight, self._healthy(arn))
            for arn, weight in weights(found[0]["DefaultActions"]).items()
        )


def weights(actions: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """ARN of a target group → its weight, in a listener's actions."""
    found: dict[str, int] = {}
    for action in actions:
        weighted = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
        found |= {str(one["TargetGroupArn"]): int(one.get("Weight", 1)) for one in weighted}
        if not weighted and action.get("TargetGroupArn"):
            found[str(action["TargetGroupArn"])] = 1
    return found
