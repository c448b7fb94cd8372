"""ECS's operations on tasks and their protection, answered from the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from moto.core.responses import ActionResult
from moto.ecs.exceptions import ECSException
from moto.ecs.responses import EC2ContainerServiceResponse

from quorumshift.rehearsal.aws import task_protection
from quorumshift.rehearsal.aws.loud import NotRehearsed
from quorumshift.rehearsal.aws.task_record import RUNNING, USER, TaskRecord

if TYPE_CHECKING:
    from quorumshift.rehearsal.aws.ecs import EcsEngine
    from quorumshift.rehearsal.aws.ecs_services import Service

MOST_TAGS = 50
"""Of one resource (API reference, TagResource)."""


def refuse(code: str, message: str) -> ECSException:
    """An error of ECS's."""
    return ECSException(code, message)


class TaskResponses(EC2ContainerServiceResponse):
    """moto's, with what it lacks. Errors carry ECS's own codes."""

    engine: ClassVar[EcsEngine]

    def list_tasks(self) -> ActionResult:
        """ListTasks: by default those that shall run."""
        cluster = self._cluster()
        self.ecs_backend._get_cluster(cluster)
        wanted = self._get_param("desiredStatus") or RUNNING
        started_by = self._get_param("startedBy")
        family = self._get_param("family")
        name = self._get_param("serviceName")
        services = [self.engine.service(cluster, name)] if name else self._services(cluster)
        arns = [
            task.arn
            for service in services
            for task in service.tasks()
            if task.desired_status == wanted
            and started_by in (None, task.task_set)
            and family in (None, task.task_definition["family"])
        ]
        return ActionResult({"taskArns": arns})

    def describe_tasks(self) -> ActionResult:
        """DescribeTasks."""
        cluster = self._cluster()
        self.ecs_backend._get_cluster(cluster)
        include = self._get_param("include") or []
        found, failures = [], []
        for name in self._get_param("tasks", []):
            task = self.engine.find_task(cluster, name)
            if task is None:
                failures.append({"arn": name, "reason": "MISSING"})
            else:
                tags = {"tags": task.listed_tags()} if "TAGS" in include else {}
                found.append({**task.describe(), **tags})
        return ActionResult({"tasks": found, "failures": failures})

    def stop_task(self) -> ActionResult:
        """StopTask: protection does not hold against it."""
        name = self._get_param("task")
        task = self.engine.find_task(self._cluster(), name)
        if task is None:
            raise refuse("InvalidParameterException", f"The referenced task was not found: {name}")
        task.end(self._get_param("reason") or "Task stopped by user", USER)
        return ActionResult({"task": task.describe()})

    def tag_resource(self) -> ActionResult:
        """TagResource: of a task ours; of anything else moto's."""
        task = self._tagged()
        if task is None:
            return super().tag_resource()
        given = {tag["key"]: tag.get("value", "") for tag in self._get_param("tags") or []}
        if len(task.tags | given) > MOST_TAGS:
            raise refuse("InvalidParameterException", f"A task has at most {MOST_TAGS} tags.")
        task.tags |= given
        return ActionResult({})

    def untag_resource(self) -> ActionResult:
        """UntagResource; a key that is not there is no error."""
        task = self._tagged()
        if task is None:
            return super().untag_resource()
        for key in self._get_param("tagKeys") or []:
            task.tags.pop(key, None)
        return ActionResult({})

    def _tagged(self) -> TaskRecord | None:
        """The task that is named; ``None``: it is no task."""
        kind, _, path = str(self._get_param("resourceArn")).split(":", 5)[-1].partition("/")
        if kind != "task":
            return None
        task = self.engine.find_task(path.partition("/")[0], self._get_param("resourceArn"))
        if task is None or not task.wanted:
            raise refuse("InvalidParameterException", "The specified task is not active.")
        return task

    def run_task(self) -> ActionResult:
        """RunTask is nobody's need here."""
        raise NotRehearsed("tasks outside of a service")

    def start_task(self) -> ActionResult:
        """StartTask neither."""
        raise NotRehearsed("tasks outside of a service")

    def update_task_protection(self) -> ActionResult:
        """UpdateTaskProtection."""
        task_protection.check_names(self._get_param("tasks") or [])
        return ActionResult(
            task_protection.update(
                self.engine.world,
                self._get_param("tasks") or [],
                bool(self._get_bool_param("protectionEnabled")),
                self._get_int_param("expiresInMinutes"),
                self._find(),
                self.engine.budget,
            )
        )

    def get_task_protection(self) -> ActionResult:
        """GetTaskProtection; without ``tasks``, of all tasks of the cluster."""
        names: Sequence[str] = self._get_param("tasks") or [
            task.arn
            for service in self._services(self._cluster())
            for task in service.tasks()
            if task.wanted
        ]
        return ActionResult(task_protection.get(self.engine.world, names, self._find()))

    def _find(self) -> task_protection.Find:
        cluster = self._cluster()
        self.ecs_backend._get_cluster(cluster)

        def find(name: str) -> TaskRecord | None:
            return self.engine.find_task(cluster, name)

        return find

    def _cluster(self) -> str:
        return str(self._get_param("cluster", "default"))

    def _services(self, cluster: str) -> list[Service]:
        return [s for s in self.engine.services() if s.cluster == cluster.rpartition("/")[2]]
