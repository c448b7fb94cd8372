"""What ECS knows of one task, and how DescribeTasks tells it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from quorumshift.rehearsal.world import REGION

RUNNING = "RUNNING"
STOPPED = "STOPPED"
HEALTHY = "HEALTHY"
UNHEALTHY = "UNHEALTHY"
UNKNOWN = "UNKNOWN"

FAILED_TO_START = "TaskFailedToStart"
CONTAINER_EXITED = "EssentialContainerExited"
SCHEDULER = "ServiceSchedulerInitiated"
USER = "UserInitiated"


def now() -> datetime:
    """The real time: ECS's time stamps are not scaled."""
    return datetime.now(UTC)


@dataclass
class TaskRecord:
    """One task. ``number`` counts the tasks of the rehearsal from 0, ``sequence`` those of the
    service from 1. ``founders``: how many tasks the service was made with. ``times``:
    DescribeTasks' time stamps by name. ``protected_until``: epoch seconds. ``proved``: it has been
    healthy (or, without a health check, has run for a while). ``pid``: of the container's process
    while it runs. ``told``: status and health as last said."""

    arn: str
    cluster_arn: str
    service: str
    task_set: str
    task_definition: dict[str, Any]
    number: int
    sequence: int
    address: str
    launch: dict[str, str]
    subnet: str
    founders: int = 0
    last_status: str = "PROVISIONING"
    desired_status: str = RUNNING
    health: str = UNKNOWN
    stopped_reason: str = ""
    stop_code: str = ""
    exit_code: int | None = None
    container_reason: str = ""
    image_digest: str = ""
    pid: int | None = None
    proved: bool = False
    protected_until: float = 0.0
    tags: dict[str, str] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=lambda: {"createdAt": now()})
    told: tuple[str, str] = ("", "")
    stopping: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def container(self) -> dict[str, Any]:
        """The definition of its one container."""
        return dict(self.task_definition["containerDefinitions"][0])

    @property
    def protected(self) -> bool:
        """Scale-in and deployments may not end it now."""
        return time.time() < self.protected_until

    @property
    def wanted(self) -> bool:
        """ECS wants it to run."""
        return self.desired_status == RUNNING

    def listed_tags(self) -> list[dict[str, str]]:
        """The tags as ECS lists them."""
        return [{"key": key, "value": value} for key, value in self.tags.items()]

    def end(self, reason: str, code: str) -> bool:
        """Want it stopped. The first reason stays; ``False`` when there was one before."""
        with self._lock:
            if self.desired_status == STOPPED:
                return False
            self.desired_status = STOPPED
            self.stopped_reason = reason
            self.stop_code = code
            self.times["stoppingAt"] = now()
        self.stopping.set()
        return True

    def describe(self) -> dict[str, Any]:
        """The task as DescribeTasks answers it."""
        definition = self.task_definition
        network = f"eni-{self.id[:17]}"
        return {
            "attachments": [
                {
                    "id": f"{self.id[:8]}-0000-4000-8000-{self.id[:12]}",
                    "type": "ElasticNetworkInterface",
                    "status": "DELETED" if self.last_status == STOPPED else "ATTACHED",
                    "details": [
                        {"name": "subnetId", "value": self.subnet},
                        {"name": "networkInterfaceId", "value": network},
                        {"name": "privateIPv4Address", "value": self.address},
                    ],
                }
            ],
            "availabilityZone": f"{REGION}{'abc'[self.number % 3]}",
            "clusterArn": self.cluster_arn,
            "connectivity": "CONNECTED",
            "containers": [self._container(network)],
            "cpu": definition.get("cpu"),
            "memory": definition.get("memory"),
            "desiredStatus": self.desired_status,
            "group": f"service:{self.service}",
            "healthStatus": self.health,
            "lastStatus": self.last_status,
            "overrides": {"containerOverrides": [{"name": self.container["name"]}]},
            "platformFamily": "Linux",
            "platformVersion": "1.4.0",
            "startedBy": self.task_set,
            "stoppedReason": self.stopped_reason or None,
            "stopCode": self.stop_code or None,
            "taskArn": self.arn,
            "taskDefinitionArn": definition["taskDefinitionArn"],
            "version": 1,
            **self.launch,
            **self.times,
        }

    def _container(self, network: str) -> dict[str, Any]:
        started = self.last_status not in ("PROVISIONING", "PENDING")
        ended = self.exit_code is not None or self.last_status == STOPPED
        status = STOPPED if ended else RUNNING if started else "PENDING"
        container = {
            "containerArn": self.arn.replace(":task/", ":container/") + f"/{self.id[:12]}",
            "taskArn": self.arn,
            "name": self.container["name"],
            "image": self.container["image"],
            "imageDigest": self.image_digest or None,
            "runtimeId": f"{self.id}-{self.number}",
            "lastStatus": status,
            "exitCode": self.exit_code,
            "reason": self.container_reason or None,
            "healthStatus": self.health,
            "networkBindings": [],
            "networkInterfaces": [
                {"attachmentId": network, "privateIpv4Address": self.address},
            ],
            "cpu": str(self.container.get("cpu", 0)),
        }
        return {key: value for key, value in container.items() if value is not None}
