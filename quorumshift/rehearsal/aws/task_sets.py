"""A task set: so many tasks of one task definition behind one target group, kept alive."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from quorumshift.rehearsal.aws import targets
from quorumshift.rehearsal.aws.ecs_tasks import TaskLife
from quorumshift.rehearsal.aws.task_record import (
    CONTAINER_EXITED,
    FAILED_TO_START,
    HEALTHY,
    RUNNING,
    SCHEDULER,
    STOPPED,
    UNHEALTHY,
    TaskRecord,
    now,
)
from quorumshift.rehearsal.world import World

PRIMARY = "PRIMARY"
ACTIVE = "ACTIVE"
DRAINING = "DRAINING"
STEADY = "STEADY_STATE"
STABILIZING = "STABILIZING"

FIRST_BACK_OFF = 10.0
LONGEST_BACK_OFF = 27 * 60.0
"""AWS's seconds between failing starts; doubled each time (service throttle logic)."""
LEAST_BACK_OFF = 0.2
LEAST_GRACE = 10.0
"""Real seconds: the load balancer's verdict on a process that is still starting does not count."""


def new_id() -> str:
    """``ecs-svc/`` and 19 digits."""
    return f"ecs-svc/{uuid.uuid4().int % 10**19:019d}"


@dataclass
class TaskSet:
    """``scale``: percent of the service's desired count. ``grace``: AWS's seconds in which the load
    balancer's verdict does not end a task. ``spawn``: makes and starts one task."""

    world: World
    arn: str
    id: str
    service_arn: str
    cluster_arn: str
    task_definition: dict[str, Any]
    balancers: list[Mapping[str, Any]]
    network: Mapping[str, Any]
    launch: dict[str, Any]
    grace: float
    spawn: Callable[[TaskSet], TaskLife]
    status: str = ACTIVE
    external_id: str = ""
    started_by: str = ""
    scale: float = 100.0
    created: datetime = field(default_factory=now)
    stability: str = STABILIZING
    stability_at: datetime = field(default_factory=now)
    lives: list[TaskLife] = field(default_factory=list)
    _failures: int = 0
    _attempt: int = 0
    _attempts: dict[str, int] = field(default_factory=dict)
    _not_before: float = 0.0
    _looked: float = 0.0
    _well: set[str] = field(default_factory=set)
    _forced: bool = False

    @property
    def tasks(self) -> list[TaskRecord]:
        """All its tasks, the stopped ones as long as they are remembered."""
        return [life.task for life in self.lives]

    def desired(self, service_desired: int) -> int:
        """``computedDesiredCount``: rounded up, as documented."""
        if self.status == DRAINING:
            return 0
        return math.ceil(service_desired * self.scale / 100)

    def running(self) -> int:
        """Tasks that run and shall."""
        return sum(1 for task in self.tasks if task.wanted and task.last_status == RUNNING)

    def pending(self) -> int:
        """Tasks on their way up."""
        return sum(1 for task in self.tasks if task.wanted and task.last_status != RUNNING)

    @property
    def gone(self) -> bool:
        """It was deleted, and none of its tasks is left."""
        return self.status == DRAINING and all(t.last_status == STOPPED for t in self.tasks)

    def drain(self, *, even_protected: bool = False) -> None:
        """Stop its tasks and forget it; protected ones when their protection ends."""
        self.status = DRAINING
        self._forced = even_protected

    def reconcile(self, service_desired: int) -> None:
        """One look: replace what ended, stop what is ill or too much, note whether it is steady."""
        self._note_failed_starts()
        self._stop_ill()
        wanted = [task for task in self.tasks if task.wanted]
        missing = self.desired(service_desired) - len(wanted)
        if missing > 0 and time.monotonic() >= self._not_before:
            for _ in range(missing):
                life = self.spawn(self)
                self.lives.append(life)
                self._attempts[life.task.arn] = self._attempt
        elif missing < 0:
            self._scale_in(wanted, -missing)
        self._note_stability(service_desired)

    def _scale_in(self, wanted: list[TaskRecord], surplus: int) -> None:
        may_end = [task for task in wanted if self._forced or not task.protected]
        may_end.sort(key=lambda task: (task.last_status == RUNNING, -task.number))
        for task in may_end[:surplus]:
            task.end(f"Scaling activity initiated by (deployment {self.id})", SCHEDULER)

    def _stop_ill(self) -> None:
        for task in self.tasks:
            if task.wanted and task.health == UNHEALTHY:
                task.end("Task failed container health checks", SCHEDULER)
        self._look_at_targets()

    def _look_at_targets(self) -> None:
        """Target health, not at every turn: it is a call."""
        if time.monotonic() < self._looked + (0.5 if self.stability == STEADY else 0.15):
            return
        self._looked = time.monotonic()
        running = [task for task in self.tasks if task.wanted and task.last_status == RUNNING]
        groups = targets.states(self.world, self.balancers) if running else []
        self._well = {
            task.address
            for task in running
            if all(states.get(task.address) in ("healthy", "unused") for states in groups)
        }
        grace = max(LEAST_GRACE, self.world.real(self.grace))
        for balancer, states in zip(self.balancers, groups, strict=False):
            for task in running:
                age = (now() - task.times["startedAt"]).total_seconds()
                if states.get(task.address) == "unhealthy" and age > grace:
                    group = balancer["targetGroupArn"]
                    task.end(f"Task failed ELB health checks in (target-group {group})", SCHEDULER)

    def _note_failed_starts(self) -> None:
        """Tasks that ended before they ever were well make the next start wait longer; tasks that
        start together count once."""
        for task in self.tasks:
            attempt = self._attempts.get(task.arn)
            if attempt is None:
                continue
            if task.proved:
                self._failures = 0
                del self._attempts[task.arn]
            elif not task.wanted:
                del self._attempts[task.arn]
                ill = task.health == UNHEALTHY
                if attempt == self._attempt and (
                    ill or task.stop_code in (FAILED_TO_START, CONTAINER_EXITED)
                ):
                    self._attempt += 1
                    self._failures += 1
                    seconds = min(LONGEST_BACK_OFF, FIRST_BACK_OFF * 2 ** (self._failures - 1))
                    self._not_before = time.monotonic() + max(
                        LEAST_BACK_OFF, self.world.real(seconds)
                    )

    def _note_stability(self, service_desired: int) -> None:
        desired = self.desired(service_desired)
        running = [task for task in self.tasks if task.wanted and task.last_status == RUNNING]
        checked = bool(self.task_definition["containerDefinitions"][0].get("healthCheck"))
        steady = (
            len(running) == desired
            and self.pending() == 0
            and all(task.address in self._well for task in running)
            and (not checked or all(task.health == HEALTHY for task in running))
        )
        stability = STEADY if steady else STABILIZING
        if stability != self.stability:
            self.stability = stability
            self.stability_at = now()

    def describe(self, service_desired: int) -> dict[str, Any]:
        """The task set as DescribeTaskSets answers it."""
        return {
            "id": self.id,
            "taskSetArn": self.arn,
            "serviceArn": self.service_arn,
            "clusterArn": self.cluster_arn,
            **({"startedBy": self.started_by} if self.started_by else {}),
            **({"externalId": self.external_id} if self.external_id else {}),
            "status": self.status,
            "taskDefinition": self.task_definition["taskDefinitionArn"],
            "computedDesiredCount": self.desired(service_desired),
            "pendingCount": self.pending(),
            "runningCount": sum(1 for task in self.tasks if task.last_status == RUNNING),
            "createdAt": self.created,
            "updatedAt": self.stability_at,
            **self.launch,
            "platformFamily": "Linux",
            "networkConfiguration": self.network,
            "loadBalancers": self.balancers,
            "serviceRegistries": [],
            "scale": {"value": self.scale, "unit": "PERCENT"},
            "stabilityStatus": self.stability,
            "stabilityStatusAt": self.stability_at,
            "tags": [],
        }
