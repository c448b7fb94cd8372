"""Does what the turns of a hand-over decide: looks, acts, and asks whether blue may end."""

from __future__ import annotations

from quorumshift.domain.errors import ChangeRefused, Transient
from quorumshift.domain.handover import termination_guard
from quorumshift.domain.handover_steps import Kind, Step
from quorumshift.domain.health import Verdict
from quorumshift.domain.look import Look
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Standing
from quorumshift.domain.rollout import Progress
from quorumshift.ports import Clock, Deployments, RaftControl
from quorumshift.usecases.observer import Observer
from quorumshift.usecases.overtaking import look_whose
from quorumshift.usecases.turns import Act, Planned
from quorumshift.usecases.vote_locks import VoteLocks

PATIENCE_SECONDS = 10.0
"""How long a step waits inside for what comes by itself: connections that are too young, a learner
that is about to catch up. Real seconds, the cluster's own."""
TRY_EVERY_SECONDS = 0.25
_MAY_BE_EARLY = (Kind.ADMIT, Kind.PROMOTE, Kind.REMOVE)


class HandOver:
    """What the state machine's tasks do."""

    def __init__(
        self,
        observer: Observer,
        raft: RaftControl,
        locks: VoteLocks,
        deployments: Deployments,
        clock: Clock,
        policy: Policy,
    ) -> None:
        self._observer = observer
        self._raft = raft
        self._locks = locks
        self._deployments = deployments
        self._clock = clock
        self._policy = policy

    def look(self, deployment: str | None) -> Look:
        """Nodes, votes and locks, and whether the rollout still runs; ``None``: without one, and
        whether there is one."""
        if deployment is None:
            return Look(self._observer.look(None), False, self._deployments.active() or "")
        rollout, over = look_whose(self._deployments, deployment)
        stopped = rollout.progress is not Progress.RUNNING
        return Look(self._observer.look(deployment), stopped, overtaken=over)

    def act(self, planned: Planned, look: Look, deployment: str | None) -> Act:
        """Do the planned step, if what it was planned for still holds: since the look, minutes may
        have gone by in which no function could run. What was refused, or got no reply from Raft,
        is seen by the next look. Raises ``Transient`` where AWS does not answer, which says nothing
        of the cluster."""
        step, seen = planned.plan.step, look.cluster
        if step is None:
            return Act("")
        if (changed := self._changed(look, deployment)) is not None:
            return Act(changed)
        deadline = self._clock.now() + (PATIENCE_SECONDS if step.kind in _MAY_BE_EARLY else 0)
        while True:
            try:
                self._do(step, _via(seen, planned.asked_before))
            except ChangeRefused as error:
                return Act(str(error))
            except Transient as error:
                if step.kind in (Kind.LOCK, Kind.RELEASE):
                    raise
                if self._clock.now() >= deadline:
                    return Act(str(error))
                self._clock.sleep(TRY_EVERY_SECONDS)
            else:
                return Act("")

    def _changed(self, look: Look, deployment: str | None) -> str | None:
        """What is no longer as it was seen, of that on which a step rests besides the cluster;
        ``None``: nothing. A step is safe for the cluster by itself; whose it is to do is not."""
        if deployment is None:
            busy = self._deployments.active() or ""
            return f"{busy or look.busy} came or went since the look" if busy != look.busy else None
        rollout, over = look_whose(self._deployments, deployment)
        if over != look.overtaken:
            return over or f"{deployment} has the votes again"
        if (rollout.progress is not Progress.RUNNING) != look.stopped:
            return f"since the look {deployment} has ended: {rollout.progress.value}"
        return None

    def may_end(self, deployment: str) -> tuple[Look, Verdict]:
        """A fresh look, and whether every blue task may end at this instant."""
        look = self.look(deployment)
        return look, termination_guard(look.cluster, Colour.BLUE, self._policy)

    def _do(self, step: Step, via: list[str]) -> None:
        if step.kind in (Kind.LOCK, Kind.RELEASE):
            self._locks.apply(step)
        elif step.kind is Kind.ADMIT:
            self._raft.admit(step.address, via)
        elif step.raft_id is None:
            raise ChangeRefused(f"{step.address} has no Raft id; {step.kind} needs one")
        elif step.kind is Kind.PROMOTE:
            self._raft.promote(step.raft_id, via)
        elif step.kind is Kind.TRANSFER:
            self._raft.transfer(step.raft_id, via)
        elif step.kind is Kind.REMOVE:
            self._raft.remove(step.raft_id, via)
        else:
            raise ChangeRefused(f"the Raft adapter cannot do {step.kind}")


def _via(seen: ClusterObservation, asked_before: int) -> list[str]:
    """Members that answered, the one that takes itself for the leader in the last term first.

    A step that was refused for long and has no alternative is asked of one after another: a node
    that the others cannot dial sees all of them, and admits where they do not.
    """
    members = [node for node in seen.nodes if node.report and node.standing is not Standing.OUTSIDE]
    via = [
        node.address
        for node in sorted(
            members,
            key=lambda node: (
                not (node.report and node.report.leader == node.raft_id),
                -(node.report.term if node.report else 0),
                node.address,
            ),
        )
    ]
    first = asked_before % len(via) if via else 0
    return via[first:] + via[:first]
