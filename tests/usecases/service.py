"""A service in memory: tasks with addresses and locks, a Raft cluster with real rules, a rollout.

The clock moves the cluster along, so that whatever waits sees elections and replication happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from quorumshift.domain.errors import ChangeRefused
from quorumshift.domain.raft import Colour, Task
from quorumshift.domain.rollout import Progress, Rollout
from quorumshift.ports import Roster, Started
from tests.adapters.memory_cluster import TICK, MemoryCluster
from tests.adapters.memory_raft import MemoryRaft

DEPLOYMENT = "d-1"


class MemoryClock:
    """A clock that takes the cluster with it."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self.cluster = cluster

    def now(self) -> float:
        """Seconds since the cluster began."""
        return self.cluster.now

    def sleep(self, seconds: float) -> None:
        """Tick by tick."""
        for _ in range(max(1, round(seconds / TICK))):
            self.cluster.tick()


@dataclass
class MemoryService:
    """Discovery, protection and the deployment engine of one service. ``deeds``: what was asked
    of AWS, in order. ``still``: addresses whose node starts nothing when it is admitted."""

    size: int = 3
    green: bool = True
    tasks: dict[str, Task] = field(default_factory=dict)
    rollout: Rollout = field(default_factory=lambda: Rollout(DEPLOYMENT, Progress.RUNNING))
    deeds: list[str] = field(default_factory=list)
    steady: bool = True
    still: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        blue = [f"b{number}" for number in range(1, self.size + 1)]
        green = [f"g{number}" for number in range(1, self.size + 1)] if self.green else []
        for address in blue + green:
            colour = Colour.BLUE if address in blue else Colour.GREEN
            self.tasks[address] = Task(f"arn:{address}", address, colour, ready=True)
        self.cluster = MemoryCluster(blue)
        self.cluster.leader = "1"
        self.raft = MemoryRaft(self.cluster)
        self.clock = MemoryClock(self.cluster)
        self.clock.sleep(6)  # etcd's five seconds

    def roster(self, deployment: str | None) -> Roster:
        """All tasks; the members among them are started when they were admitted."""
        for address in self.tasks:
            node = self.cluster.at(address)
            new = node is not None and not node.up and node.applied == 0
            if node is not None and new and address not in self.still:
                node.up, node.since = True, self.cluster.now  # its entry point found itself
        return Roster(tuple(self.tasks.values()), self.size, self.steady)

    def lock(self, tasks: Sequence[str], minutes: int) -> None:
        """As ECS does it: no more than the service wants. What was before is kept."""
        held = {task.arn for task in self.tasks.values() if task.locked_until}
        if len(held | set(tasks)) > self.size:
            raise ChangeRefused("DEPLOYMENT_BLOCKED")
        until = self.clock.now() + minutes * 60
        for task in self._of(tasks):
            if (task.locked_until or 0) <= until:
                self.tasks[task.address] = replace(task, locked_until=until)

    def release(self, tasks: Sequence[str]) -> None:
        """Put back what was."""
        for task in self._of(tasks):
            self.protect(task.address, task.foreign_until)

    def protect(self, address: str, until: float | None) -> None:
        """As the task itself may do it, or a person."""
        task = replace(self.tasks[address], locked_until=until, foreign_until=until)
        self.tasks[address] = task

    def _of(self, tasks: Sequence[str]) -> list[Task]:
        return [task for task in self.tasks.values() if task.arn in tasks]

    @property
    def locked(self) -> set[str]:
        """Addresses of the protected tasks."""
        return {address for address, task in self.tasks.items() if task.locked_until}

    def voters(self) -> set[str]:
        """Addresses of the voters."""
        return {node.address for node in self.cluster.voters()}

    def kill(self, address: str) -> None:
        """End a task and its node."""
        del self.tasks[address]
        node = self.cluster.at(address)
        if node is not None:
            node.up = False

    def look(self, deployment: str) -> Rollout:
        """The one rollout there is."""
        return self.rollout

    def stop(self, deployment: str) -> None:
        """Stop it."""
        self.deeds.append("stop")
        self.rollout = replace(self.rollout, progress=Progress.STOPPED)

    def active(self) -> str | None:
        """The rollout while it runs."""
        return self.rollout.id if self.rollout.progress is Progress.RUNNING else None

    def of_execution(self, execution: str, since: str) -> str | None:
        """It is everybody's."""
        return self.rollout.id

    def start(
        self,
        task_definition: str,
        config: str,
        description: str,
        execution: str,
        since: str,
        *,
        replaces: str = "",
        ignore_alarms: bool = False,
    ) -> Started:
        """Nothing starts a rollout here."""
        raise NotImplementedError

    def suspend(self, deployment: str) -> bool:
        """Scaling."""
        self.deeds.append("suspend")
        return True

    def resume(self, deployment: str | None) -> bool:
        """Scaling."""
        self.deeds.append("resume")
        return True

    def suspended_for(self) -> str | None:
        """Nobody's."""
        return None
