"""How DescribeServices tells a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quorumshift.rehearsal.aws.ecs_services import Service


def describe(service: Service, events: list[dict[str, Any]]) -> dict[str, Any]:
    """``events``: the newest first."""
    record = service.record
    sets = [task_set.describe(service.desired) for task_set in service.task_sets]
    return {
        "serviceArn": record.arn,
        "serviceName": service.name,
        "clusterArn": record.cluster_arn,
        "loadBalancers": record.load_balancers,
        "serviceRegistries": record.service_registries,
        "status": record.status
        if not service.task_sets or record.status == "ACTIVE"
        else "DRAINING",
        "desiredCount": service.desired,
        "runningCount": sum(s["runningCount"] for s in sets),
        "pendingCount": sum(s["pendingCount"] for s in sets),
        "taskDefinition": record.task_definition,
        "deploymentController": record.deployment_controller,
        "deployments": [],
        "taskSets": sets,
        "events": events,
        "healthCheckGracePeriodSeconds": getattr(record, "health_check_grace_period_seconds", None),
        "networkConfiguration": record.network_configuration,
        "propagateTags": record.propagate_tags,
        "schedulingStrategy": record.scheduling_strategy,
        "tags": record.tags,
        **service.launch(),
    }
