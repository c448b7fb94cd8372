"""The cluster, the service and the task definition that serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quorumshift.adapters.aws.doctor.looking import Clients, look
from quorumshift.domain.doctor.expected import Expected
from quorumshift.domain.doctor.facts import Cluster, Container, Definition, EcsService, TaskSet
from quorumshift.domain.doctor.finding import Look
from quorumshift.domain.doctor.network_facts import Placement

_ROLLING = "ECS"
"""The controller of a service that names none (Amazon ECS API Reference, DeploymentController)."""


def cluster(clients: Clients, expected: Expected) -> Look[Cluster]:
    """The cluster, if it is active."""

    def ask() -> Cluster | None:
        found = clients("ecs").describe_clusters(clusters=[expected.cluster])["clusters"]
        active = [one for one in found if one.get("status") == "ACTIVE"]
        if not active:
            return None
        return Cluster("ACTIVE", frozenset(active[0].get("capacityProviders") or ()))

    return look(ask, "ClusterNotFoundException")


def service(clients: Clients, expected: Expected) -> Look[EcsService]:
    """The service, if it is active, with its task sets."""

    def ask() -> EcsService | None:
        found = clients("ecs").describe_services(
            cluster=expected.cluster, services=[expected.service]
        )["services"]
        active = [one for one in found if one.get("status") == "ACTIVE"]
        return _service(active[0]) if active else None

    return look(ask, "ClusterNotFoundException", "ServiceNotFoundException")


def definition(clients: Clients, service: Look[EcsService]) -> Look[Definition]:
    """What the primary task set runs."""
    primary = service.value.primary if service.value else None
    if primary is None:
        return Look(unknown="because nothing serves")

    def ask() -> Definition:
        found = clients("ecs").describe_task_definition(taskDefinition=primary.definition)
        return _definition(found["taskDefinition"])

    return look(ask, "ClientException")


def _service(found: Mapping[str, Any]) -> EcsService:
    return EcsService(
        status=str(found["status"]),
        controller=str((found.get("deploymentController") or {}).get("type") or _ROLLING),
        desired=int(found["desiredCount"]),
        running=int(found["runningCount"]),
        providers=_providers(found),
        sets=tuple(_task_set(one) for one in found.get("taskSets") or ()),
    )


def _task_set(found: Mapping[str, Any]) -> TaskSet:
    vpc = (found.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    return TaskSet(
        id=str(found["id"]),
        status=str(found["status"]),
        steady=found.get("stabilityStatus") == "STEADY_STATE",
        definition=str(found["taskDefinition"]),
        platform=str(found.get("platformVersion") or ""),
        running=int(found.get("runningCount") or 0),
        wanted=int(found.get("computedDesiredCount") or 0),
        providers=_providers(found),
        placement=Placement(
            subnets=tuple(vpc.get("subnets") or ()),
            groups=tuple(vpc.get("securityGroups") or ()),
            public_ip=vpc.get("assignPublicIp") == "ENABLED",
        ),
    )


def _providers(found: Mapping[str, Any]) -> dict[str, int]:
    """Who names none may have a launch type, which is the provider of that name and no other."""
    strategy = found.get("capacityProviderStrategy") or ()
    if not strategy and found.get("launchType") == "FARGATE":
        return {"FARGATE": 1}
    return {str(one["capacityProvider"]): int(one.get("weight") or 0) for one in strategy}


def _definition(found: Mapping[str, Any]) -> Definition:
    return Definition(
        arn=str(found["taskDefinitionArn"]),
        containers=tuple(_container(one) for one in found["containerDefinitions"]),
        network_mode=str(found.get("networkMode") or "bridge"),
        task_role=str(found.get("taskRoleArn") or ""),
        execution_role=str(found.get("executionRoleArn") or ""),
    )


def _container(found: Mapping[str, Any]) -> Container:
    timeout = found.get("stopTimeout")
    return Container(
        name=str(found["name"]),
        image=str(found["image"]),
        ports=frozenset(int(one["containerPort"]) for one in found.get("portMappings") or ()),
        stop_timeout=None if timeout is None else int(timeout),
        environment={one["name"]: one["value"] for one in found.get("environment") or ()},
        secrets={one["name"]: one["valueFrom"] for one in found.get("secrets") or ()},
    )
