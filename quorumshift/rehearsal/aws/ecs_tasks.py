"""The life of one task, in a thread of its own: from PROVISIONING to STOPPED."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from quorumshift.rehearsal import images
from quorumshift.rehearsal.aws import container_health, targets, task_environment, task_processes
from quorumshift.rehearsal.aws.task_record import (
    CONTAINER_EXITED,
    FAILED_TO_START,
    HEALTHY,
    RUNNING,
    STOPPED,
    UNHEALTHY,
    TaskRecord,
    now,
)
from quorumshift.rehearsal.world import World

PROVISIONING_SECONDS = 5.0
PULLING_SECONDS = 5.0
"""AWS's seconds; on Fargate it is often more."""
PROVED_SECONDS = 60.0
"""A task without a health check has started well when it has run for so long."""
NOTICE = 0.03
"""Real seconds within which the end of a process is noticed."""
STOP_TIMEOUT = 30
"""Fargate's default."""


class _CannotStart(Exception):
    """The task ends before its container ran; the message is the stopped reason."""


class TaskLife:
    """Runs ``task`` until it is STOPPED.

    ``balancers``: the task set's ``loadBalancers``. ``instances``: the file that tells a task of
    the others. ``changed(task)`` is called after each change, from the task's threads.
    """

    def __init__(
        self,
        world: World,
        task: TaskRecord,
        balancers: list[Mapping[str, Any]],
        instances: Path,
        changed: Callable[[TaskRecord], None],
    ) -> None:
        self.task = task
        self._world = world
        self._balancers = balancers
        self._instances = instances
        self._changed = changed
        self._folder = world.directory / "tasks"
        self._disk = self._folder / task.id
        self._process: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"task-{task.number}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the end."""
        self._thread.join(seconds)

    @property
    def log(self) -> Path:
        """Where the container's output goes."""
        return self._folder / f"{self.task.number:03d}-{self.task.service}.log"

    def _run(self) -> None:
        try:
            self._begin()
            self._await_end()
            if self._process is not None and self._process.poll() is None:
                self._stop()
        except _CannotStart as error:
            self.task.end(str(error), FAILED_TO_START)
        except Exception as error:  # noqa: BLE001 # a broken engine must not leave a silent task
            said = f"task {self.task.id}: the rehearsal broke: {type(error).__name__}: {error}"
            self._world.events.say("error", said, task=self.task.arn)
            self.task.end(said, FAILED_TO_START)
        finally:
            self._end()

    def _begin(self) -> None:
        task, world = self.task, self._world
        self._changed(task)
        if task.stopping.wait(world.real(PROVISIONING_SECONDS)):
            return
        self._to("PENDING")
        task.times["pullStartedAt"] = now()
        image, environment, check = self._prepare()
        task.times["pullStoppedAt"] = now()
        task.image_digest = image.digest
        if task.stopping.wait(world.real(PULLING_SECONDS)):
            return
        self._process = world.processes.python(
            image.module,
            *task.container.get("command", []),
            env=environment,
            log=self.log,
            cwd=self._disk,
        )
        task.pid = self._process.pid
        task.times["startedAt"] = now()
        self._to(RUNNING)
        targets.register(world, self._balancers, task.address)
        if check is not None:
            threading.Thread(
                target=container_health.watch,
                args=(check, self._over.wait, self._report),
                name=f"health-{task.number}",
                daemon=True,
            ).start()

    def _prepare(
        self,
    ) -> tuple[images.Image, dict[str, str], container_health.HealthCheck | None]:
        world, task = self._world, self.task
        count = len(task.task_definition["containerDefinitions"])
        if count != 1:
            raise _CannotStart(f"the rehearsal runs tasks of one container, this has {count}")
        self._disk.mkdir(parents=True)
        try:
            image = images.pull(world, task.container["image"])
            environment = task_environment.environment(
                world, task, image, self._disk, self._instances
            )
            check = task.container.get("healthCheck")
            return (
                image,
                environment,
                container_health.health_check(world, check, task.address) if check else None,
            )
        except images.CannotPull as error:
            raise _CannotStart(f"CannotPullContainerError: {error}") from error
        except task_environment.CannotResolve as error:
            raise _CannotStart(f"ResourceInitializationError: {error}") from error
        except container_health.CannotCheck as error:
            raise _CannotStart(str(error)) from error

    def _await_end(self) -> None:
        process, task = self._process, self.task
        if process is None:
            return
        proving = None if task.container.get("healthCheck") else PROVED_SECONDS
        while process.poll() is None and not task.stopping.wait(NOTICE):
            if proving is not None and not task.proved:
                task.proved = (now() - task.times["startedAt"]).total_seconds() >= max(
                    1.0, self._world.real(proving)
                )
        if process.poll() is not None:
            task.pid = None
            task.exit_code = task_processes.exit_code(process.returncode)
            task.end("Essential container in task exited", CONTAINER_EXITED)

    def _stop(self) -> None:
        """ECS's order: out of the target group, drained, SIGTERM, SIGKILL."""
        assert self._process is not None
        world, task = self._world, self.task
        if not world.stopping.is_set():
            self._to("DEACTIVATING")
            targets.deregister(world, self._balancers, task.address)
            world.stopping.wait(targets.draining_seconds(world, self._balancers))
            self._to("STOPPING")
        timeout = world.real(task.container.get("stopTimeout", STOP_TIMEOUT))
        task_processes.terminate(self._process, max(task_processes.LEAST_STOP_TIMEOUT, timeout))
        task.exit_code = task_processes.exit_code(self._process.returncode)

    def _end(self) -> None:
        task, world = self.task, self._world
        self._over.set()
        task.pid = None
        task.times["executionStoppedAt"] = now()
        if self._process is not None:
            task_processes.kill_rest(task.arn)
            self._changed(task)
            if not world.stopping.is_set():
                targets.deregister(world, self._balancers, task.address)
        shutil.rmtree(self._disk, ignore_errors=True)
        task.times["stoppedAt"] = now()
        self._to(STOPPED)

    def _report(self, healthy: bool) -> None:
        self.task.health = HEALTHY if healthy else UNHEALTHY
        self.task.proved = self.task.proved or healthy
        self._changed(self.task)

    def _to(self, status: str) -> None:
        self.task.last_status = status
        self._changed(self.task)
