"""CodeDeploy's application and group, and the alarms that watch it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quorumshift.adapters.aws.alarms import described, watched
from quorumshift.adapters.aws.doctor.looking import Clients, look
from quorumshift.domain.doctor.expected import Expected
from quorumshift.domain.doctor.facts import DeploymentGroup
from quorumshift.domain.doctor.finding import Look

MISSING = ("ApplicationDoesNotExistException", "DeploymentGroupDoesNotExistException")


def application(clients: Clients, expected: Expected) -> Look[str]:
    """Its compute platform."""

    def ask() -> str:
        found = clients("codedeploy").get_application(applicationName=expected.application)
        return str(found["application"].get("computePlatform") or "")

    return look(ask, *MISSING)


def group(clients: Clients, expected: Expected) -> Look[DeploymentGroup]:
    """The deployment group."""

    def ask() -> DeploymentGroup:
        found = clients("codedeploy").get_deployment_group(
            applicationName=expected.application, deploymentGroupName=expected.deployment_group
        )
        return _group(found["deploymentGroupInfo"])

    return look(ask, *MISSING)


def alarms(clients: Clients, found: Look[DeploymentGroup]) -> Look[Mapping[str, str]]:
    """How those stand that the group names."""
    names = found.value.alarms if found.value else ()
    if not names:
        return Look()

    def ask() -> Mapping[str, str]:
        found = described(clients("cloudwatch"), names)
        return {one["AlarmName"]: one["StateValue"] for one in found}

    return look(ask)


def _group(found: Mapping[str, Any]) -> DeploymentGroup:
    pairs = (found.get("loadBalancerInfo") or {}).get("targetGroupPairInfoList") or []
    rollback = found.get("autoRollbackConfiguration") or {}
    alarms = watched(found)
    return DeploymentGroup(
        platform=str(found.get("computePlatform") or ""),
        role=str(found.get("serviceRoleArn") or ""),
        services=tuple(
            f"{one['clusterName']}/{one['serviceName']}" for one in found.get("ecsServices") or ()
        ),
        targets=frozenset(one["name"] for pair in pairs for one in pair.get("targetGroups") or ()),
        production=_listeners(pairs, "prodTrafficRoute"),
        test=_listeners(pairs, "testTrafficRoute"),
        rollback=frozenset(rollback.get("events") or () if rollback.get("enabled") else ()),
        alarms=alarms.names,
        alarms_off=alarms.off,
    )


def _listeners(pairs: list[dict[str, Any]], route: str) -> frozenset[str]:
    return frozenset(
        arn for pair in pairs for arn in (pair.get(route) or {}).get("listenerArns") or ()
    )
