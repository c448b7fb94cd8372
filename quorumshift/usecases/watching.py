"""Follows a rollout, and its roll-back, one look at a time."""

from __future__ import annotations

from dataclasses import dataclass

from quorumshift.domain.appspec import HAND_OVER_STAGE
from quorumshift.domain.errors import ChangeRefused, RollbackFailed
from quorumshift.domain.health import assess
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation
from quorumshift.domain.rollout import (
    Decision,
    Progress,
    Rollout,
    RolloutObservation,
    StageStatus,
    interpret,
)
from quorumshift.domain.undo import Decision as Undoing
from quorumshift.domain.undo import Meaning, UndoObservation, judge
from quorumshift.ports import (
    Alarms,
    Clock,
    Deployments,
    Evidence,
    GreenTasks,
    HandOvers,
)
from quorumshift.usecases.observer import Observer
from quorumshift.usecases.vote_locks import VoteLocks


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that one wait lasts, and that all of them may last together."""

    poll_seconds: int
    deadline_seconds: int


@dataclass(frozen=True, slots=True)
class Undone:
    """One look at a roll-back. ``undo``: id of the rollout that rolls back, if there is one."""

    decision: Undoing
    reason: str
    waited: int
    undo: str | None
    rollout: Rollout
    cluster: ClusterObservation


@dataclass(frozen=True, slots=True)
class Watch:
    """Everything a look may ask; see ``ports``."""

    observer: Observer
    locks: VoteLocks
    deployments: Deployments
    green: GreenTasks
    alarms: Alarms
    evidence: Evidence
    hand_overs: HandOvers
    clock: Clock
    policy: Policy

    def look(
        self, deployment: str, previous: RolloutObservation | None, pace: Pace
    ) -> RolloutObservation:
        """One observation with its meaning; keeps the votes locked on the way.

        The order matters. The rollout is asked before the evidence, so that an end that a hook
        caused is not seen before the hook's reason; and after the dead tasks, so that those that
        an end has killed are not seen before the end.
        """
        failures = self.green.failures(deployment)
        rollout = self.deployments.look(deployment)
        cluster = self.observer.look(deployment)
        fresh = RolloutObservation(
            at=self.clock.now(),
            waited=(previous.waited if previous else 0) + pace.poll_seconds,
            deadline=pace.deadline_seconds,
            rollout=rollout,
            alarms=self.alarms.look(),
            failures=failures,
            checks=self.evidence.read(deployment),
            cluster=cluster,
            verdict=assess(cluster, self.policy),
        )
        seen = interpret(fresh, previous, self.policy)
        if seen.meaning is not None and seen.meaning.decision is Decision.WAIT:
            self._keep_locks(seen, cluster, pace)
        return seen

    def look_at_rollback(self, deployment: str, waited: int, pace: Pace) -> Undone:
        """One look at the roll-back; calls the votes home where they are not blue's.

        Raises ``RollbackFailed`` when a person has to look.
        """
        rollout = self.deployments.look(deployment)
        undo = self.deployments.look(rollout.undone_by) if rollout.undone_by else None
        seen = UndoObservation(
            waited=waited + pace.poll_seconds,
            deadline=pace.deadline_seconds,
            rollout=rollout,
            undo=undo,
            cluster=self.observer.look(deployment),
            hand_back=self.hand_overs.state(deployment),
        )
        meaning: Meaning = judge(seen)
        if meaning.decision is Undoing.HAND_BACK:
            self.hand_overs.hand_back(deployment)
        if meaning.decision is Undoing.FAILED:
            raise RollbackFailed(
                f"the roll-back of {deployment} did not reach its end: {meaning.reason}. Look at "
                "the deployment and at the Raft members; end no task that votes"
            )
        return Undone(
            meaning.decision,
            meaning.reason,
            seen.waited,
            rollout.undone_by,
            rollout,
            seen.cluster,
        )

    def _keep_locks(
        self, seen: RolloutObservation, cluster: ClusterObservation, pace: Pace
    ) -> None:
        """Before the hand-over, which has locks of its own in mind, and after it; not during.

        Renewed by the waits that were counted, three times in a lock's life.
        """
        began = seen.rollout.stage("BeforeInstall") is StageStatus.DONE
        if not began or seen.rollout.stage(HAND_OVER_STAGE) is StageStatus.RUNNING:
            return
        third = max(1, self.policy.lock_minutes * 20)
        try:
            self.locks.keep(cluster)
            if seen.waited // third != (seen.waited - pace.poll_seconds) // third:
                self.locks.renew(cluster)
        except ChangeRefused as error:
            # The locks are the second line. The next look tries again, and the hand-over refuses
            # to go on without them.
            print(f"locks not kept: {error}")

    def stop(self, deployment: str) -> bool:
        """Stop a rollout with its roll-back; whether it still ran."""
        running = self.deployments.look(deployment).progress is Progress.RUNNING
        if running:
            self.deployments.stop(deployment)
        return running
