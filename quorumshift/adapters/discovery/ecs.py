"""Which tasks a service has, from ECS: their colour, address, health and locks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from quorumshift.adapters.aws.client import every
from quorumshift.adapters.aws.task_locks import TaskLocks, record_of
from quorumshift.domain.appspec import Blueprint, Capacity, Network
from quorumshift.domain.errors import MissingResource
from quorumshift.domain.lock_record import foreign_until
from quorumshift.domain.raft import Colour, Task
from quorumshift.domain.rollout import TaskFailure
from quorumshift.ports import GreenTask, Roster

_PRIMARY = "PRIMARY"
_DRAINING = "DRAINING"
_STEADY = "STEADY_STATE"
_WANTED = ("UserInitiated", "SpotInterruption", "TerminationNotice")
"""Stop codes that say nothing about the image."""
_SCALED = "Scaling activity initiated"
"""How ECS's reason begins for a task that its service wants no more, as in a roll-back; the stop
code is the one of a failed health check as well."""


class EcsService:
    """Implements ``ports.Discovery`` and ``ports.GreenTasks`` for one service under the
    CODE_DEPLOY controller, whose task sets carry the deployment's id."""

    def __init__(self, ecs: Any, cluster: str, service: str, container: str) -> None:
        self._ecs = ecs
        self._cluster = cluster
        self._service = service
        self._container = container
        self._locks = TaskLocks(ecs, cluster)
        self._checked: dict[str, bool] = {}

    def roster(self, deployment: str | None) -> Roster:
        """All running tasks that have an address. Raises ``MissingResource``, also for a task that
        will never have one of IPv4."""
        service = self._describe_service()
        sets = self._task_sets()
        colours = _colours(sets, deployment)
        arns = self._listed("RUNNING")
        locks = self._locks.protected_until(arns)
        tasks = list(self._locks.described(arns))
        return Roster(
            tasks=tuple(
                Task(
                    arn=str(task["taskArn"]),
                    address=address,
                    colour=_colour_of(task, colours),
                    ready=self._is_ready(task),
                    locked_until=(until := locks.get(str(task["taskArn"]))),
                    foreign_until=foreign_until(record_of(task), until),
                )
                for task in tasks
                if (address := _address(task))
            ),
            desired=int(service["desiredCount"]),
            steady=_is_steady(sets, deployment),
        )

    def running(self, deployment: str) -> tuple[GreenTask, ...]:
        """What the green tasks run, as ECS pulled it."""
        green = self._green_ids(deployment)
        return tuple(
            GreenTask(
                task=str(task["taskArn"]),
                task_definition=str(task["taskDefinitionArn"]),
                image=str(container.get("image") or ""),
                digest=str(container.get("imageDigest") or ""),
            )
            for task in self._tasks("RUNNING")
            if task.get("startedBy") in green
            for container in task.get("containers") or []
            if container["name"] == self._container
        )

    def failures(self, deployment: str) -> tuple[TaskFailure, ...]:
        """Green tasks that stopped though nobody wanted it, in the order in which they did. ECS
        tells for about an hour."""
        green = self._green_ids(deployment)
        dead = [
            task
            for task in self._tasks("STOPPED")
            if task.get("startedBy") in green and not _was_wanted(task)
        ]
        dead.sort(key=lambda task: str(task.get("stoppedAt") or task.get("stoppingAt") or ""))
        return tuple(self._failure(task) for task in dead)

    def revisions(self) -> dict[str, str]:
        """Address of a running task → ARN of its task definition."""
        found = (
            (_address(task), str(task["taskDefinitionArn"])) for task in self._tasks("RUNNING")
        )
        return {address: revision for address, revision in found if address}

    def live(self) -> str:
        """ARN of the task definition that serves now: the primary task set's, because the
        service's own is the template's."""
        return str(self._primary()["taskDefinition"])

    def blueprint(self, port: int) -> Blueprint:
        """How the serving task set runs; ``port``: the container's, behind the load balancer."""
        primary, service = self._primary(), self._describe_service()
        vpc = (primary.get("networkConfiguration") or {}).get("awsvpcConfiguration")
        return Blueprint(
            container=self._container,
            port=port,
            # What was set: the task set's is what LATEST was when it was made.
            platform_version=service.get("platformVersion") or None,
            network=_network(vpc) if vpc else None,
            capacity=tuple(
                Capacity(
                    str(one["capacityProvider"]), int(one.get("weight", 0)), int(one.get("base", 0))
                )
                for one in primary.get("capacityProviderStrategy") or []
            ),
        )

    def _describe_service(self) -> dict[str, Any]:
        found = self._ecs.describe_services(cluster=self._cluster, services=[self._service])
        active = [one for one in found["services"] if one.get("status") == "ACTIVE"]
        if not active:
            raise MissingResource(
                f"there is no active service {self._service} in the cluster {self._cluster}; "
                "deploy the stack, or correct the configured names"
            )
        return dict(active[0])

    def _task_sets(self) -> list[dict[str, Any]]:
        return list(
            self._ecs.describe_task_sets(cluster=self._cluster, service=self._service)["taskSets"]
        )

    def _primary(self) -> dict[str, Any]:
        for task_set in self._task_sets():
            if task_set.get("status") == _PRIMARY:
                return task_set
        raise MissingResource(
            f"the service {self._service} has no primary task set: it is not under the "
            "CODE_DEPLOY deployment controller, or not up yet"
        )

    def _green_ids(self, deployment: str) -> set[str]:
        return {str(one["id"]) for one in self._task_sets() if one.get("externalId") == deployment}

    def _listed(self, desired: str) -> list[str]:
        return list(
            every(
                self._ecs.list_tasks,
                "taskArns",
                cluster=self._cluster,
                serviceName=self._service,
                desiredStatus=desired,
            )
        )

    def _tasks(self, desired: str) -> Iterator[dict[str, Any]]:
        return self._locks.described(self._listed(desired))

    def _is_ready(self, task: dict[str, Any]) -> bool:
        if task.get("lastStatus") != "RUNNING":
            return False
        health = task.get("healthStatus") or "UNKNOWN"
        if health == "UNKNOWN":
            # Either nothing checks its health, or the first check is still to come.
            return not self._has_health_check(str(task["taskDefinitionArn"]))
        return bool(health == "HEALTHY")

    def _has_health_check(self, task_definition: str) -> bool:
        if task_definition not in self._checked:  # a revision never changes
            found = self._ecs.describe_task_definition(taskDefinition=task_definition)
            containers = found["taskDefinition"]["containerDefinitions"]
            self._checked[task_definition] = any(one.get("healthCheck") for one in containers)
        return self._checked[task_definition]

    def _failure(self, task: dict[str, Any]) -> TaskFailure:
        containers = task.get("containers") or []
        ours = [one for one in containers if one.get("name") == self._container]
        reason = str(task.get("stoppedReason") or "no reason was given")
        detail = ours[0].get("reason") if ours else None
        return TaskFailure(
            task=str(task["taskArn"]),
            reason=f"{reason}: {detail}" if detail else reason,
            exit_code=ours[0].get("exitCode") if ours else None,
        )


def _colours(sets: Sequence[dict[str, Any]], deployment: str | None) -> dict[str, Colour]:
    """Task set → its colour for ``deployment``; see ``ports.Discovery``."""
    own = [one for one in sets if deployment is not None and one.get("externalId") == deployment]
    rest = [one for one in sets if one not in own]
    blue = [one for one in rest if one.get("status") == _PRIMARY] or _replaced(own, rest)
    other = Colour.GREEN if deployment is None else Colour.NONE
    return {
        str(one["id"]): Colour.GREEN if one in own else Colour.BLUE if one in blue else other
        for one in sets
    }


def _replaced(own: list[dict[str, Any]], rest: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of the other task sets, those that the primary one took the place of: what was made after it
    is a later deployment's, and what is on its way out is left over from an earlier one, as long as
    there is another."""
    made = [one["createdAt"] for one in own if one.get("createdAt")]
    older = [
        one for one in rest if not made or not one.get("createdAt") or one["createdAt"] <= made[0]
    ]
    return [one for one in older if one.get("status") != _DRAINING] or older


def _colour_of(task: dict[str, Any], colours: dict[str, Colour]) -> Colour:
    known = colours.get(str(task.get("startedBy")))
    if known is not None:
        return known
    # Its task set is gone already, or was not there when the sets were listed.
    return Colour.NONE if colours else Colour.BLUE


def _was_wanted(task: dict[str, Any]) -> bool:
    reason = str(task.get("stoppedReason") or "")
    return task.get("stopCode") in _WANTED or reason.startswith(_SCALED)


def _is_steady(sets: Sequence[dict[str, Any]], deployment: str | None) -> bool:
    wanted = Colour.BLUE if deployment is None else Colour.GREEN
    colours = _colours(sets, deployment)
    ours = [one for one in sets if colours[str(one["id"])] is wanted]
    return bool(ours) and all(one.get("stabilityStatus") == _STEADY for one in ours)


def _address(task: dict[str, Any]) -> str:
    for attachment in task.get("attachments") or []:
        for detail in attachment.get("details") or []:
            if detail.get("name") == "privateIPv4Address":
                return str(detail.get("value") or "")
    for container in task.get("containers") or []:
        for interface in container.get("networkInterfaces") or []:
            if interface.get("privateIpv4Address"):
                return str(interface["privateIpv4Address"])
    if task.get("lastStatus") == "RUNNING" and _has_ipv6(task):
        raise MissingResource(
            f"the task {str(task['taskArn']).rpartition('/')[2]} has an IPv6 address alone, and "
            "nodes are asked, and know each other, by their IPv4 addresses; run the tasks in "
            "subnets with IPv4, or with both"
        )
    return ""


def _has_ipv6(task: dict[str, Any]) -> bool:
    details = (each for one in task.get("attachments") or [] for each in one.get("details") or [])
    containers = task.get("containers") or []
    interfaces = (each for one in containers for each in one.get("networkInterfaces") or [])
    return any(str(each.get("name")).lower() == "ipv6address" for each in details) or any(
        each.get("ipv6Address") for each in interfaces
    )


def _network(vpc: dict[str, Any]) -> Network:
    return Network(
        subnets=tuple(vpc.get("subnets") or ()),
        security_groups=tuple(vpc.get("securityGroups") or ()),
        public_ip=vpc.get("assignPublicIp") == "ENABLED",
    )
