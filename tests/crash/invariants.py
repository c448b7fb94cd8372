"""What must hold all the time, whatever goes wrong: looked at after everything that happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorumshift.domain.lock_record import SLACK_SECONDS
from quorumshift.domain.raft import Standing, quorum

if TYPE_CHECKING:
    from tests.crash.world import World


class Watcher:
    """``wrong``: what should never be, each said once. ``rested``: when the last execution and the
    last deployment had ended."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.wrong: dict[str, str] = {}
        self.rested = world.hub.now
        self._before = set(world.aws.suspended)
        self._quiet_since: float | None = None
        self._seen = (-1, -1)

    def look(self) -> None:
        """After each thing that happened."""
        world = self.world
        seen = (world.service.version, len(world.cluster.log))
        if seen == self._seen:
            return
        self._seen = seen
        if not world.cluster.has_quorum() and not self._two_at_once():
            self.say("quorum", "the cluster has lost its quorum")
        if not world.service.serving() and not world.is_misled(world.hub.now):
            self.say("traffic", "the production listener leads to nobody")
        self._exposed()

    def _two_at_once(self) -> bool:
        """Whether the quorum would stand if nobody were frozen: locks hold against ends, and the
        tolerance against one crash; neither holds against both at once. A step of ours that does
        this is found by :meth:`stepped`."""
        world = self.world
        voters = world.cluster.voters()
        runs = {task.address for task in world.service.tasks}
        return sum(one.up or one.address in runs for one in voters) >= quorum(len(voters))

    def healthy_voters(self) -> int:
        """How many voters are up."""
        return sum(one.up for one in self.world.cluster.voters())

    def stepped(self, step: str, before: int, stood: bool) -> None:
        """After a step of ours: how many voters were up ``before`` it, and whether they were a
        quorum."""
        after, least = self.healthy_voters(), min(3, self.world.size)
        if stood and not self.world.cluster.has_quorum():
            self.say("quorum", f"{step} lost the quorum")
        if overruled := self._overruled():
            self.say("overruled", f"{step}: {overruled}")
        if after < min(before, least):
            self.say("minimum", f"{step} left {after} of {before} healthy voters")

    def _exposed(self) -> None:
        """Whether the engine, which may end one colour now, would end a quorum with it."""
        world = self.world
        running = world.engine.running()
        if running is None or running.undoes or running.green is None:
            return
        green, now = running.green, world.hub.now
        said_yes = running.answers.get(f"{running.id}/AfterAllowTraffic") == "Succeeded"
        doomed = {
            task.address
            for task in world.service.tasks
            if (task.set is not green if said_yes else task.set is green) and not task.locked(now)
        }
        voters = world.cluster.voters()
        runs = {task.address for task in world.service.tasks}
        if any(one.address in runs and not one.up for one in voters):
            return  # frozen: see _two_at_once
        left = sum(one.address in runs - doomed for one in voters)
        up = sum(one.address in runs for one in voters)
        if left < quorum(len(voters)) <= up:
            colour = "blue" if said_yes else "green"
            self.say("exposed", f"the end of what is unlocked of {colour} ends the quorum")

    def bears_a_loss(self) -> bool:
        """Whether the cluster stands if one voter more is lost, whichever, and elects a leader."""
        world = self.world
        voters = world.cluster.voters()
        up = sum(one.up for one in voters)
        return up - 1 >= quorum(len(voters)) and up == len(voters) and len(voters) >= 3

    def at_rest(self) -> bool:
        """Whether nobody has anything to do any more: looked at again after a while, because what
        was sent may still arrive."""
        world = self.world
        busy = (
            world.functions.busy()
            or any(one.status == "RUNNING" for one in world.machines.all.values())
            or world.engine.running() is not None
            or world.faults_left()
        )
        now = world.hub.now
        if busy:
            self.rested, self._quiet_since = now, None
            return False
        if self.astray():
            self._quiet_since = None
            return False
        if self._quiet_since is None:
            self._quiet_since = now
        return now - self._quiet_since >= 5

    def astray(self) -> str:
        """What a deployment has left, in words."""
        world = self.world
        serve = {task.address for task in world.service.primary.tasks}
        config = world.cluster.config()
        votes = {world.cluster.nodes[one].address for one in config}
        learners = [one for one in config if config[one] is Standing.LEARNER]
        if votes != serve or learners:
            return f"the members are {sorted(votes)}, the serving tasks {sorted(serve)}"
        if len(world.service.sets) > 1:
            return "a task set is left"
        if world.aws.suspended != self._before or world.aws.tags:
            return f"scaling is suspended: {sorted(world.aws.suspended)}"
        return self._locks()

    def _locks(self) -> str:
        """Locks that are left, or that a person had asked for and that are gone."""
        now = self.world.hub.now
        for task in self.world.service.tasks:
            last = max(now, task.protected_until or 0) + SLACK_SECONDS
            if task.locked_until is not None and task.locked_until > last:
                return f"{task.address} is still locked"
        return self._overruled()

    def _overruled(self) -> str:
        now = self.world.hub.now
        for task in self.world.service.tasks:
            until = task.protected_until
            if until and until > now and (task.locked_until or 0) < until - SLACK_SECONDS:
                return f"{task.address}, which a person had protected, is not any more"
        return ""

    def say(self, kind: str, said: str) -> None:
        """Something is wrong; only the first of a kind is kept."""
        if kind not in self.wrong:
            after = self.world.hub.now - self.world.began
            self.wrong[kind] = f"{said} ({after:.1f} s after the start)"
