"""The ECS engine: services under the CODE_DEPLOY controller have tasks, and tasks are processes."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from moto.ecs.exceptions import ECSException

from quorumshift.rehearsal.aws import ecs_api
from quorumshift.rehearsal.aws.ecs_services import Service
from quorumshift.rehearsal.aws.instances import Instances
from quorumshift.rehearsal.aws.task_record import TaskRecord
from quorumshift.rehearsal.world import ACCOUNT, REGION, World

TURN = 0.05
"""Real seconds between two looks at every service."""
LAST_GRACE = 4.0
"""Real seconds that all tasks have to end when the rehearsal does."""


class EcsEngine:
    """Starts, watches, replaces and stops tasks. Clusters and task definitions are moto's."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._services: dict[int, Service] = {}
        self._instances: dict[str, Instances] = {}
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._started = 0
        self._said = ""

    def install(self) -> None:
        """Answer ECS's operations from here; before the server starts."""
        (self.world.directory / "tasks").mkdir(exist_ok=True)
        ecs_api.install(self)

    def start(self) -> None:
        """Begin to look after the services."""
        self._thread = threading.Thread(target=self._run, name="ecs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End every task (SIGTERM, then SIGKILL) without draining, and return when all have."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.world.stopping.set()
        lives = [life for service in self.services() for life in service.lives()]
        for life in lives:
            life.task.end("The rehearsal ends", "TerminationNotice")
        for life in lives:
            life.join(LAST_GRACE)

    def instances_path(self, service: str) -> Path:
        """The file that tells the service's tasks of each other (see :class:`Instances`)."""
        return self._instances_of(service).path

    def tasks(self) -> list[TaskRecord]:
        """All tasks of all services, the stopped ones as long as they are remembered."""
        return [task for service in self.services() for task in service.tasks()]

    def task_at(self, address: str) -> str:
        """ARN of the task that runs at this address. Raises ``LookupError``."""
        for task in self.tasks():
            if task.address == address and task.pid is not None:
                return task.arn
        raise LookupError(f"no task runs at {address}")

    def kill(self, task_arn: str, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the task's process, as a crash would. Raises ``LookupError``."""
        for task in self.tasks():
            if task.arn == task_arn and task.pid is not None:
                os.kill(task.pid, how)
                return
        raise LookupError(f"{task_arn} does not run")

    def next(self) -> int:
        """The number of the next task ever started, from 0."""
        with self._lock:
            self._started += 1
            return self._started - 1

    @contextlib.contextmanager
    def not_looking(self) -> Iterator[None]:
        """A service that is made inside is not taken up before the end."""
        with self._lock:
            yield

    def services(self) -> list[Service]:
        """The services that moto knows and this engine moves; new ones are taken up here."""
        from moto.ecs.models import ecs_backends

        with self._lock:
            for record in list(ecs_backends[ACCOUNT][REGION].services.values()):
                controller = record.deployment_controller.get("type")
                if (
                    id(record) not in self._services
                    and controller == "CODE_DEPLOY"
                    and record.status == "ACTIVE"
                ):
                    instances = self._instances_of(record.name)
                    service = Service(self.world, record, instances, self)
                    self._services[id(record)] = service
            return list(self._services.values())

    def service(self, cluster: str, name: str) -> Service:
        """By name or ARN. Raises ``ServiceNotFoundException``."""
        for service in self.services():
            named = service.name == name.rpartition("/")[2]
            if named and service.cluster == cluster.rpartition("/")[2]:
                return service
        raise ECSException("ServiceNotFoundException", "Service not found.")

    def find_task(self, cluster: str, name: str) -> TaskRecord | None:
        """By id or ARN."""
        for service in self.services():
            if service.cluster == cluster.rpartition("/")[2]:
                for task in service.tasks():
                    if task.id == name.rpartition("/")[2]:
                        return task
        return None

    def budget(self, task: TaskRecord) -> tuple[int, int]:
        """(protected tasks, desired count) of the task's service."""
        for service in self.services():
            tasks = service.tasks()
            if task in tasks:
                return sum(1 for t in tasks if t.wanted and t.protected), service.desired
        return 0, 0

    def _instances_of(self, service: str) -> Instances:
        with self._lock:
            if service not in self._instances:
                name = f"instances-{service}.json" if self._instances else "instances.json"
                self._instances[service] = Instances(self.world.directory / name)
            return self._instances[service]

    def _run(self) -> None:
        while not self._stop.wait(TURN):
            for service in self._look():
                try:
                    service.reconcile()
                except Exception as error:  # noqa: BLE001 # one broken look must not end them all
                    if not self._stop.is_set() and not self.world.stopping.is_set():
                        self._broke(f"service {service.name}", error)

    def _look(self) -> list[Service]:
        try:
            return self.services()
        except Exception as error:  # noqa: BLE001 # as above: said, and tried again at the next look
            self._broke("services", error)
            return []

    def _broke(self, what: str, error: Exception) -> None:
        said = f"ECS, {what}: {type(error).__name__}: {error}"
        if said != self._said:  # not twenty times a second
            self._said = said
            self.world.events.say("error", said)
