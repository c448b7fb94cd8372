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
        stopped = self._deployments.look(deployment).progress is not Progress.RUNNING
        return Look(self._observer.look(deployment), stopped)

    def act(self, planned: Planned, seen: ClusterObservation) -> Act:
        """Do the planned step. What was refused, or got no reply from Raft, is seen by the next
        look. Raises ``Transient`` where AWS does not answer, which says nothing of the cluster."""
        step = planned.plan.step
        if step is None:
            return Act("")
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
