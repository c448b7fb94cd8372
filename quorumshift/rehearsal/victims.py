"""Finds the node that a fault strikes, and kills its task as a crash would."""

from __future__ import annotations

import signal

from quorumshift.domain.handover_steps import Step
from quorumshift.domain.raft import Standing
from quorumshift.rehearsal.aws.ecs import EcsEngine
from quorumshift.rehearsal.aws.task_record import TaskRecord
from quorumshift.rehearsal.observer import Observer, ObserverSnapshot
from quorumshift.rehearsal.waiting import NotSeen, wait_for
from quorumshift.rehearsal.world import World

DEAD_SECONDS = 20.0
ELECTION_SECONDS = 10.0
SUCCESSION_SECONDS = 60.0


class Victims:
    """Made while blue is all there is: whatever runs in another task set later is green."""

    def __init__(self, world: World, ecs: EcsEngine, observer: Observer) -> None:
        self._world = world
        self._ecs = ecs
        self._observer = observer
        self._blue = {task.task_set for task in ecs.tasks()}

    def leader(self) -> str:
        """Address of the leader, as soon as there is one. Raises :class:`NotSeen`."""
        wait_for(self._world, lambda: self._look().leader is not None, "a leader", ELECTION_SECONDS)
        return self._look().leader or self.leader()

    def blue_leader(self) -> str:
        """Raises :class:`NotSeen` when the leader is green by now."""
        leader = self.leader()
        if leader not in self._running(blue=True):
            raise NotSeen(f"no blue node leads: {leader} does, and it is green; strike earlier")
        return leader

    def blue_follower(self) -> str:
        """Raises :class:`NotSeen` when no blue follower votes any more."""
        leader, blue = self.leader(), self._running(blue=True)
        found = [address for address in self._voters() if address in blue and address != leader]
        if not found:
            raise NotSeen("no blue follower votes; strike earlier")
        return found[0]

    def green(self, step: Step | None) -> str:
        """The node that the step concerns if it is green; else one that votes, else one that
        learns, else any that runs. Raises :class:`NotSeen` when no green task runs."""
        green = self._running(blue=False)
        if step is not None and step.address in green:
            return step.address
        members = {member.address: member.standing for member in self._look().members}
        order = (Standing.VOTER, Standing.LEARNER, Standing.OUTSIDE)
        found = sorted(
            green, key=lambda each: (order.index(members.get(each, Standing.OUTSIDE)), each)
        )
        if not found:
            raise NotSeen("no green task runs; strike later")
        return found[0]

    def follower(self) -> str:
        """A voter that answers and does not lead."""
        leader = self.leader()
        return next(address for address in self._voters() if address != leader)

    def kill(self, address: str, what: str) -> None:
        """SIGKILL, and wait until ECS and the cluster's observer both see it."""
        self._world.events.say("fault", f"killing the task at {address}, {what}", node=address)
        task = self._task_at(address)
        self._ecs.kill(task.arn, signal.SIGKILL)
        wait_for(
            self._world,
            lambda: task.pid is None and not self._answers(address),
            f"the end of the task at {address}",
            DEAD_SECONDS,
        )

    def wait_for_its_successor(self) -> None:
        """Until the tasks that run are the voters, as many as before. Raises :class:`NotSeen`."""
        count = len(self._running(blue=True)) + 1

        def followed() -> bool:
            voters, tasks = set(self._voters()), self._running(blue=True)
            return voters == tasks and len(voters) == count

        wait_for(self._world, followed, "a vote for the new task", SUCCESSION_SECONDS)

    def _task_at(self, address: str) -> TaskRecord:
        arn = self._ecs.task_at(address)
        return next(task for task in self._ecs.tasks() if task.arn == arn)

    def _running(self, *, blue: bool) -> set[str]:
        return {
            task.address
            for task in self._ecs.tasks()
            if task.pid is not None and task.wanted and (task.task_set in self._blue) is blue
        }

    def _voters(self) -> list[str]:
        return [
            member.address
            for member in self._look().members
            if member.standing is Standing.VOTER and member.answering
        ]

    def _answers(self, address: str) -> bool:
        return any(m.answering for m in self._look().members if m.address == address)

    def _look(self) -> ObserverSnapshot:
        return self._observer.snapshot()
