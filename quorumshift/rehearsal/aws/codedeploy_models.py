"""What CodeDeploy knows of one deployment, and how its API tells it."""

from __future__ import annotations

import secrets
import string
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from quorumshift.rehearsal.aws.codedeploy_appspec import AppSpec
from quorumshift.rehearsal.aws.codedeploy_errors import Interrupted

EVENTS = (
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "AllowTestTraffic",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AllowTraffic",
    "AfterAllowTraffic",
)
ACTIVE = ("Created", "Queued", "InProgress", "Baking", "Ready")
_TARGET_STATUS = {"Created": "Pending", "Queued": "Pending", "Stopped": "Failed"}


def new_id() -> str:
    """``d-`` and nine of A-Z and 0-9."""
    alphabet = string.ascii_uppercase + string.digits
    return "d-" + "".join(secrets.choice(alphabet) for _ in range(9))


def now() -> datetime:
    """The real time: time stamps are not scaled."""
    return datetime.now(UTC)


@dataclass
class Event:
    """One lifecycle event of the target."""

    name: str
    status: str = "Pending"
    started: datetime | None = None
    ended: datetime | None = None
    diagnostics: dict[str, str] | None = None

    def describe(self) -> dict[str, Any]:
        """As GetDeploymentTarget answers it."""
        told = {
            "lifecycleEventName": self.name,
            "status": self.status,
            "startTime": self.started,
            "endTime": self.ended,
            "diagnostics": self.diagnostics,
        }
        return {key: value for key, value in told.items() if value is not None}


@dataclass
class Colour:
    """One of the two task sets. ``described``: what ECS said of it last."""

    task_set: str
    target_group: str
    target_group_name: str
    described: dict[str, Any] = field(default_factory=dict)


@dataclass
class Deployment:
    """``group``: moto's record of the deployment group. ``alarms``: the alarm configuration that
    counts for it; ``override``: the one that it brought along. ``weight``: percent of the
    production traffic on green. ``final``: stopping it has no effect any more. ``changed``:
    notified at each change of what a thread may wait for."""

    group: Any
    config: str
    revision: dict[str, Any]
    appspec: AppSpec
    description: str
    creator: str
    auto_rollback: Mapping[str, Any]
    alarms: Mapping[str, Any]
    override: Mapping[str, Any] | None = None
    id: str = field(default_factory=new_id)
    status: str = "Created"
    created: datetime = field(default_factory=now)
    started: datetime | None = None
    completed: datetime | None = None
    error: dict[str, str] | None = None
    rollback: dict[str, str] = field(default_factory=dict)
    previous_revision: dict[str, Any] | None = None
    termination_wait: bool = False
    continued: set[str] = field(default_factory=set)
    blue: Colour | None = None
    green: Colour | None = None
    weight: int = 0
    events: dict[str, Event] = field(default_factory=lambda: {name: Event(name) for name in EVENTS})
    interruption: Interrupted | None = None
    final: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def application(self) -> str:
        """The application's name."""
        return str(self.group.application.application_name)

    @property
    def group_name(self) -> str:
        """The deployment group's name."""
        return str(self.group.deployment_group_name)

    @property
    def active(self) -> bool:
        """It has not ended."""
        return self.status in ACTIVE

    @property
    def service(self) -> tuple[str, str]:
        """(cluster, service) of the group."""
        first = self.group.ecs_services[0]
        return str(first["clusterName"]), str(first["serviceName"])

    @property
    def target_id(self) -> str:
        """``cluster:service``."""
        return ":".join(self.service)

    def interrupt(self, why: Interrupted) -> bool:
        """Ask the deployment's thread to end; the first reason counts."""
        with self.changed:
            if self.interruption is not None:
                return False
            self.interruption = why
            self.changed.notify_all()
            return True

    def describe(self) -> dict[str, Any]:
        """The deployment as GetDeployment answers it."""
        group = self.group
        overview = dict.fromkeys(
            ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready"), 0
        )
        overview[self.target_status] += 1
        told = {
            "applicationName": self.application,
            "deploymentGroupName": self.group_name,
            "deploymentConfigName": self.config,
            "deploymentId": self.id,
            "previousRevision": self.previous_revision,
            "revision": self.revision,
            "status": self.status,
            "errorInformation": self.error,
            "createTime": self.created,
            "startTime": self.started,
            "completeTime": self.completed,
            "deploymentOverview": overview,
            "description": self.description or None,
            "creator": self.creator,
            "ignoreApplicationStopFailures": False,
            "autoRollbackConfiguration": self.auto_rollback or None,
            "updateOutdatedInstancesOnly": False,
            "rollbackInfo": dict(self.rollback),
            "deploymentStyle": group.deployment_style
            or {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            "instanceTerminationWaitTimeStarted": self.termination_wait,
            "blueGreenDeploymentConfiguration": group.blue_green_deployment_configuration,
            "loadBalancerInfo": group.load_balancer_info,
            "fileExistsBehavior": "DISALLOW",
            "deploymentStatusMessages": [],
            "computePlatform": "ECS",
            "overrideAlarmConfiguration": self.override,
        }
        return {key: value for key, value in told.items() if value is not None}

    @property
    def target_status(self) -> str:
        """The status of its one target."""
        return _TARGET_STATUS.get(self.status, self.status)

    def describe_target(self, target_arn: str, colours: list[dict[str, Any]]) -> dict[str, Any]:
        """The target as GetDeploymentTarget answers it; ``colours``: its ``taskSetsInfo``."""
        times = [t for e in self.events.values() for t in (e.started, e.ended) if t is not None]
        return {
            "deploymentTargetType": "ECSTarget",
            "ecsTarget": {
                "deploymentId": self.id,
                "targetId": self.target_id,
                "targetArn": target_arn,
                "lastUpdatedAt": max([self.created, *times]),
                "lifecycleEvents": [event.describe() for event in self.events.values()],
                "status": self.target_status,
                "taskSetsInfo": colours,
            },
        }

    def describe_colours(self) -> list[dict[str, Any]]:
        """``taskSetsInfo`` (``identifer`` is the API's own spelling)."""
        told = []
        for label, colour, weight in (
            ("Blue", self.blue, 100 - self.weight),
            ("Green", self.green, self.weight),
        ):
            if colour is None:
                continue
            seen = colour.described
            told.append(
                {
                    "identifer": colour.task_set,
                    "desiredCount": seen.get("computedDesiredCount", 0),
                    "pendingCount": seen.get("pendingCount", 0),
                    "runningCount": seen.get("runningCount", 0),
                    "status": seen.get("status", "ACTIVE"),
                    "trafficWeight": float(weight),
                    "targetGroup": {"name": colour.target_group_name},
                    "taskSetLabel": label,
                }
            )
        return told
