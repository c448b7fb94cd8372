"""One ECS service under the CODE_DEPLOY controller: its task sets and their tasks."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from moto.ecs.exceptions import ECSException

from quorumshift.rehearsal.aws import task_notices
from quorumshift.rehearsal.aws.ecs_shapes import describe
from quorumshift.rehearsal.aws.ecs_tasks import TaskLife
from quorumshift.rehearsal.aws.instances import Instances
from quorumshift.rehearsal.aws.task_record import RUNNING, STOPPED, TaskRecord, now
from quorumshift.rehearsal.aws.task_sets import ACTIVE, PRIMARY, STEADY, TaskSet, new_id
from quorumshift.rehearsal.world import ACCOUNT, REGION, World

REMEMBERED_SECONDS = 3600.0
LEAST_REMEMBERED = 60.0
"""A stopped task stays describable for an hour; in real seconds at least for so many."""
MOST_EVENTS = 100


class Numbers(Protocol):
    """Counts the tasks ever started."""

    def next(self) -> int:
        """0, 1, 2, …"""


class Service:
    """``record`` is moto's: it keeps name, desired count, task definition, network and the like;
    everything that moves is here."""

    def __init__(self, world: World, record: Any, instances: Instances, numbers: Numbers) -> None:
        self.record = record
        self.instances = instances
        self.task_sets: list[TaskSet] = []
        self.started = 0
        self.founders = self.desired
        self._world = world
        self._numbers = numbers
        self._ended: list[TaskLife] = []
        self._events: list[dict[str, Any]] = []
        self._steady: set[str] = set()
        self.instances.write(())
        first = self.add_task_set(
            record.task_definition,
            balancers=record.load_balancers,
            network=record.network_configuration,
            launch=self.launch(),
        )
        first.status = PRIMARY

    @property
    def name(self) -> str:
        """The service's name."""
        return str(self.record.name)

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return str(self.record.cluster_name)

    @property
    def desired(self) -> int:
        """The desired count; none when it was deleted."""
        return int(self.record.desired_count) if self.record.status == "ACTIVE" else 0

    def launch(self) -> dict[str, Any]:
        """How the service's tasks are launched, in the API's words."""
        strategy = getattr(self.record, "capacity_provider_strategy", None)
        how: dict[str, Any] = (
            {"capacityProviderStrategy": strategy}
            if strategy
            else {"launchType": self.record.launch_type or "FARGATE"}
        )
        return {**how, "platformVersion": self.record.platform_version or "1.4.0"}

    def add_task_set(
        self,
        task_definition: str,
        *,
        balancers: list[Mapping[str, Any]],
        network: Mapping[str, Any],
        launch: dict[str, Any],
        scale: float = 100.0,
        external_id: str = "",
        started_by: str = "",
    ) -> TaskSet:
        """Add one; its tasks start at the next look."""
        identity = new_id()
        described = self._world.client("ecs").describe_task_definition(
            taskDefinition=task_definition
        )
        task_set = TaskSet(
            world=self._world,
            arn=f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-set/{self.cluster}/{self.name}/{identity}",
            id=identity,
            service_arn=self.record.arn,
            cluster_arn=self.record.cluster_arn,
            task_definition=described["taskDefinition"],
            balancers=list(balancers),
            network=network,
            launch=launch,
            grace=float(getattr(self.record, "health_check_grace_period_seconds", None) or 0),
            spawn=self._spawn,
            scale=scale,
            external_id=external_id,
            started_by=started_by,
        )
        self.task_sets.append(task_set)
        return task_set

    def task_set(self, name: str) -> TaskSet:
        """By id or ARN. Raises ``TaskSetNotFoundException``."""
        for task_set in self.task_sets:
            if name in (task_set.arn, task_set.id):
                return task_set
        raise ECSException(
            "TaskSetNotFoundException",
            "The specified task set wasn't found. List them with DescribeTaskSets.",
        )

    def make_primary(self, name: str) -> TaskSet:
        """What it serves with becomes the service's own."""
        primary = self.task_set(name)
        for task_set in self.task_sets:
            if task_set.status == PRIMARY:
                task_set.status = ACTIVE
        primary.status = PRIMARY
        self.record.task_definition = primary.task_definition["taskDefinitionArn"]
        self.record.load_balancers = list(primary.balancers)
        return primary

    def lives(self) -> Iterator[TaskLife]:
        """All its tasks, the stopped ones as long as they are remembered."""
        yield from self._ended
        for task_set in list(self.task_sets):
            yield from list(task_set.lives)

    def tasks(self) -> list[TaskRecord]:
        """The same, as records."""
        return [life.task for life in self.lives()]

    def reconcile(self) -> None:
        """One look at every task set."""
        for task_set in list(self.task_sets):
            if self.record.status != "ACTIVE":
                task_set.drain(even_protected=True)
            task_set.reconcile(self.desired)
            self._tell_steady(task_set)
            if task_set.gone:
                self._ended += task_set.lives
                self.task_sets.remove(task_set)
                self.tell(f"(service {self.name}, taskSet {task_set.id}) has been deleted.")
        self._forget()

    @property
    def over(self) -> bool:
        """It was deleted, and nothing of it is left."""
        return self.record.status != "ACTIVE" and not self.task_sets

    def tell(self, text: str) -> None:
        """Add a service event."""
        self._events.insert(0, {"id": str(uuid.uuid4()), "createdAt": now(), "message": text})
        del self._events[MOST_EVENTS:]

    def describe(self) -> dict[str, Any]:
        """The service as DescribeServices answers it."""
        return describe(self, list(self._events))

    def _spawn(self, task_set: TaskSet) -> TaskLife:
        number = self._numbers.next()
        self.started += 1
        network = task_set.network.get("awsvpcConfiguration", {})
        strategy = task_set.launch.get("capacityProviderStrategy")
        task = TaskRecord(
            arn=f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{self.cluster}/{uuid.uuid4().hex}",
            cluster_arn=self.record.cluster_arn,
            service=self.name,
            task_set=task_set.id,
            task_definition=task_set.task_definition,
            number=number,
            sequence=self.started,
            address=self._world.block.task(number),
            launch={"launchType": "FARGATE"}
            | ({"capacityProviderName": strategy[0]["capacityProvider"]} if strategy else {}),
            subnet=next(iter(network.get("subnets", [])), "subnet-00000000"),
            founders=self.founders,
        )
        life = TaskLife(self._world, task, task_set.balancers, self.instances.path, self._changed)
        life.start()
        self.tell(
            f"(service {self.name}, taskSet {task_set.id}) has started 1 tasks: (task {task.id})."
        )
        return life

    def _changed(self, task: TaskRecord) -> None:
        self.instances.write(other for other in self.tasks() if other.wanted or other.pid)
        if task.told == (task.last_status, task.health):
            return
        task.told = (task.last_status, task.health)
        why = f": {task.stopped_reason}" if task.last_status == STOPPED else ""
        health = f", {task.health}" if task.last_status == RUNNING and task.wanted else ""
        self._world.events.say(
            "task",
            f"task {task.number} of {self.name} ({task.address}): {task.last_status}{health}{why}",
            task=task.arn,
            service=self.name,
            task_set=task.task_set,
            address=task.address,
            sequence=task.sequence,
            status=task.last_status,
            health=task.health,
            reason=task.stopped_reason,
        )
        if not self._world.stopping.is_set():
            task_notices.tell(self._world, task)

    def _tell_steady(self, task_set: TaskSet) -> None:
        if task_set.stability != STEADY:
            self._steady.discard(task_set.id)
        elif task_set.id not in self._steady:
            self._steady.add(task_set.id)
            self.tell(f"(service {self.name}, taskSet {task_set.id}) has reached a steady state.")

    def _forget(self) -> None:
        keep = max(LEAST_REMEMBERED, self._world.real(REMEMBERED_SECONDS))

        def remembered(life: TaskLife) -> bool:
            task = life.task
            if task.last_status != STOPPED:
                return True
            return time.time() - task.times["stoppedAt"].timestamp() < keep

        self._ended[:] = filter(remembered, self._ended)
        for task_set in self.task_sets:
            task_set.lives[:] = filter(remembered, task_set.lives)
