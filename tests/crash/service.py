"""ECS and the load balancer: one service's task sets and tasks, their protection, who is led where.

A task that is wanted no more ends at once unless it is protected; what should run and does not is
started anew, elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.crash.cluster import JumpingCluster
from tests.crash.hub import Hub, Signal

STARTS_SECONDS = 8.0
"""Until a task runs."""
HEALTHY_SECONDS = 6.0
"""From then until its health check passes."""
BOOTS_SECONDS = 1.0
"""Until a node that was admitted has found itself in the list."""
AGAIN_SECONDS = 5.0
"""Until ECS starts a task in the place of one that ended."""
BLUE, GREEN = "blue", "green"


@dataclass
class Task:
    """``locked_until``: epoch seconds; ``healthy``: its check passes. ``protected_until``: what a
    person asked for, who is not to be overruled."""

    arn: str
    address: str
    set: TaskSet
    running: bool = False
    healthy: bool = False
    locked_until: float | None = None
    protected_until: float | None = None
    tags: dict[str, str] = field(default_factory=dict)

    def locked(self, now: float) -> bool:
        """Whether it is protected."""
        return self.locked_until is not None and self.locked_until > now


@dataclass
class TaskSet:
    """``external``: id of the deployment that made it. ``group``: its target group."""

    id: str
    external: str
    revision: str
    made: float
    group: str
    wanted: int
    draining: bool = False
    tasks: list[Task] = field(default_factory=list)


class Service:
    """``primary``: the task set that serves. ``production`` and ``test``: target group → weight.
    ``changed`` is told of each task that runs or has stopped. ``ended``: what ended, and why.
    ``version`` grows with every change, and ``moved`` rings."""

    def __init__(self, hub: Hub, cluster: JumpingCluster, size: int, revision: str) -> None:
        self.hub = hub
        self.cluster = cluster
        self.desired = size
        self.changed: Callable[[Task, str], None] = lambda task, status: None
        self.ended: list[tuple[float, str, str]] = []
        self.version = 0
        self.moved = Signal(hub)
        self._made = 0
        first = TaskSet("ecs-svc/1", "", revision, hub.now, BLUE, size)
        for node in cluster.nodes.values():
            first.tasks.append(Task(f"arn:{node.address}", node.address, first, True, True))
        self.sets = [first]
        self.primary = first
        self.production = {BLUE: 100, GREEN: 0}
        self.test = {BLUE: 100, GREEN: 0}

    @property
    def tasks(self) -> list[Task]:
        """All that have not ended."""
        return [task for one in self.sets for task in one.tasks]

    def touch(self) -> None:
        """Something has changed."""
        self.version += 1
        self.moved.ring()

    def make_set(self, deployment: str, revision: str) -> TaskSet:
        """A new task set beside the primary one; its tasks start."""
        group = GREEN if self.primary.group == BLUE else BLUE
        number = len(self.sets) + 1
        made = TaskSet(
            f"ecs-svc/{deployment}-{number}",
            deployment,
            revision,
            self.hub.now,
            group,
            self.desired,
        )
        self.sets.append(made)
        self.sweep()
        return made

    def lead(self, production: dict[str, int], test: dict[str, int] | None = None) -> None:
        """Have the listeners lead there."""
        self.production = production
        self.test = test or self.test
        self.touch()

    def steady(self, one: TaskSet) -> bool:
        """Whether it has all the tasks that it shall have, and all are healthy."""
        return len(one.tasks) == one.wanted and all(task.healthy for task in one.tasks)

    def serving(self) -> list[Task]:
        """Healthy tasks that the production listener leads users to."""
        return [
            task
            for task in self.tasks
            if task.healthy and self.production.get(task.set.group, 0) > 0
        ]

    def drain(self, one: TaskSet) -> None:
        """It is wanted no more."""
        one.draining = True
        self.sweep()

    def scale(self, desired: int) -> None:
        """So many tasks are wanted, of whichever task set is not on its way out."""
        self.desired = desired
        for one in self.sets:
            if not one.draining:
                one.wanted = desired
        self.sweep()

    def lock(self, task: Task, until: float | None) -> None:
        """Protect it, or no more."""
        task.locked_until = until
        if until is not None:
            self.hub.after(until - self.hub.now + 0.01, self.sweep)
        self.sweep()

    def sweep(self) -> None:
        """End what is wanted no more and not protected; start what is missing."""
        self.touch()
        for one in list(self.sets):
            wanted = 0 if one.draining else one.wanted
            free = [task for task in one.tasks if not task.locked(self.hub.now)]
            for task in free[: max(0, len(one.tasks) - wanted)]:
                self.end(task, "Scaling activity initiated by deployment")
            if one.draining and not one.tasks:
                self.sets.remove(one)
            for _ in range(wanted - len(one.tasks)):
                self._start(one)

    def end(self, task: Task, reason: str) -> None:
        """It is gone, and its node with it."""
        if task not in task.set.tasks:
            return
        self.touch()
        task.set.tasks.remove(task)
        task.running = task.healthy = False
        self.ended.append((self.hub.now, task.address, reason))
        node = self.cluster.at(task.address)
        if node is not None:
            node.up = False
        self.changed(task, "STOPPED")
        self.hub.after(AGAIN_SECONDS, self.sweep)

    def _start(self, one: TaskSet) -> None:
        self._made += 1
        task = Task(f"arn:10.1.0.{self._made}", f"10.1.0.{self._made}", one)
        one.tasks.append(task)
        self.hub.after(STARTS_SECONDS, lambda: self._runs(task))

    def _runs(self, task: Task) -> None:
        if task not in task.set.tasks:
            return
        task.running = True
        self.boot(task.address)
        self.changed(task, "RUNNING")
        self.hub.after(HEALTHY_SECONDS, lambda: self._is_healthy(task))

    def _is_healthy(self, task: Task) -> None:
        task.healthy = task in task.set.tasks
        self.touch()

    def admitted(self, address: str) -> None:
        """The node at this address will find itself in the list."""
        self.hub.after(BOOTS_SECONDS, lambda: self.boot(address))

    def boot(self, address: str) -> None:
        """If its task runs, and it is a member that was never up."""
        node = self.cluster.at(address)
        runs = any(task.address == address and task.running for task in self.tasks)
        if node is not None and runs and not node.up and node.applied == 0:
            node.up, node.since = True, self.cluster.now
            self.touch()
