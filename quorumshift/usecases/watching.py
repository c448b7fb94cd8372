"""Follows a rollout, and its roll-back, one look at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace

from quorumshift.domain.appspec import HAND_OVER_STAGE
from quorumshift.domain.errors import ChangeRefused, RollbackFailed, Transient
from quorumshift.domain.health import assess
from quorumshift.domain.locks import RENEWED_TIMES
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
from quorumshift.domain.shown import one_line
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
from quorumshift.usecases.overtaking import look_whose
from quorumshift.usecases.vote_locks import VoteLocks


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that one wait lasts, and that all of them may last together."""

    poll_seconds: int
    deadline_seconds: int


@dataclass(frozen=True, slots=True)
class Undone:
    """One look at a roll-back. ``undo``: id of the rollout that rolls back, if there is one.
    ``rollout``, ``cluster``: as they were seen last. ``missed``: as in ``RolloutObservation``."""

    decision: Undoing
    reason: str
    waited: int
    undo: str | None
    rollout: Rollout | None
    cluster: ClusterObservation | None
    missed: int = 0


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
        self, deployment: str, previous: RolloutObservation | None, pace: Pace, missed: int = 0
    ) -> RolloutObservation:
        """One observation with its meaning; keeps the votes locked on the way. Where AWS does not
        answer, that is the observation. ``missed``: looks that were not made so far.
        """
        before = previous or RolloutObservation(
            self.clock.now(), 0, pace.deadline_seconds, Rollout(deployment, Progress.RUNNING)
        )
        counted = replace(
            before,
            waited=before.waited + pace.poll_seconds * (1 + missed - before.missed),
            missed=missed,
            unseen="",
        )
        try:
            fresh = self._gather(deployment, counted)
        except Transient as error:
            fresh = replace(counted, at=self.clock.now(), unseen=str(error))
        seen = interpret(fresh, previous, self.policy)
        waits = seen.meaning is not None and seen.meaning.decision is Decision.WAIT
        return self._keep_locks(seen) if waits and not seen.unseen else seen

    def _gather(self, deployment: str, counted: RolloutObservation) -> RolloutObservation:
        """The order matters. The rollout is asked before the evidence, so that an end that a hook
        caused is not seen before the hook's reason; and after the dead tasks, so that those that
        an end has killed are not seen before the end.
        """
        failures = self.green.failures(deployment)
        rollout = self.deployments.look(deployment)
        cluster = self.observer.look(deployment)
        return replace(
            counted,
            at=self.clock.now(),
            rollout=rollout,
            alarms=self.alarms.look(),
            failures=failures,
            checks=self.evidence.read(deployment),
            cluster=cluster,
            verdict=assess(cluster, self.policy),
        )

    def look_at_rollback(
        self, deployment: str, last: Undone | None, pace: Pace, missed: int = 0
    ) -> Undone:
        """One look at the roll-back; calls the votes home where they are not blue's. Where AWS does
        not answer, it is waited for.

        Raises ``RollbackFailed`` when a person has to look.
        """
        before = last or Undone(Undoing.WAIT, "", 0, None, None, None)
        waits = 1 + missed - before.missed
        counted = replace(before, waited=before.waited + pace.poll_seconds * waits, missed=missed)
        try:
            return self._undone(deployment, counted, pace)
        except Transient as error:
            reason = f"the roll-back could not be looked at: {error}"
            if counted.waited >= pace.deadline_seconds:
                raise _unfinished(deployment, reason) from error
            return replace(counted, decision=Undoing.WAIT, reason=reason)

    def _undone(self, deployment: str, counted: Undone, pace: Pace) -> Undone:
        rollout, over = look_whose(self.deployments, deployment)
        undo = self.deployments.look(rollout.undone_by) if rollout.undone_by else None
        seen = UndoObservation(
            waited=counted.waited,
            deadline=pace.deadline_seconds,
            rollout=rollout,
            undo=undo,
            cluster=self.observer.look(deployment),
            hand_back=self.hand_overs.state(deployment),
            overtaken=over,
        )
        meaning: Meaning = judge(seen)
        if meaning.decision is Undoing.HAND_BACK:
            self.hand_overs.hand_back(deployment)
        if meaning.decision is Undoing.FAILED:
            raise _unfinished(deployment, meaning.reason)
        return Undone(
            meaning.decision,
            meaning.reason,
            seen.waited,
            rollout.undone_by,
            rollout,
            seen.cluster,
            counted.missed,
        )

    def _keep_locks(self, seen: RolloutObservation) -> RolloutObservation:
        """Before the hand-over, which has locks of its own in mind, and after it; not during.

        Renewed by the waits that were counted, three times in a lock's life.
        """
        began = seen.rollout.stage("BeforeInstall") is StageStatus.DONE
        handing_over = seen.rollout.stage(HAND_OVER_STAGE) is StageStatus.RUNNING
        if not began or handing_over or seen.cluster is None:
            return seen
        third = max(1, self.policy.lock_minutes * 60 // RENEWED_TIMES)
        try:
            self.locks.keep(seen.cluster)
            if seen.waited - seen.renewed >= third:
                self.locks.renew(seen.cluster)
                return replace(seen, renewed=seen.waited)
        except (ChangeRefused, Transient) as error:
            # The locks are the second line. The next look tries again, and the hand-over refuses
            # to go on without them.
            print(one_line(f"locks not kept: {error}"))
        return seen

    def stop(self, deployment: str) -> tuple[bool, Progress]:
        """Stop a rollout with its roll-back; whether it still ran, and how it stands now: it may
        have succeeded a moment before."""
        progress = self.deployments.look(deployment).progress
        if progress is not Progress.RUNNING:
            return False, progress
        self.deployments.stop(deployment)
        return True, self.deployments.look(deployment).progress


def _unfinished(deployment: str, reason: str) -> RollbackFailed:
    return RollbackFailed(
        f"the roll-back of {deployment} did not reach its end: {reason}. Look at the deployment "
        "and at the Raft members; end no task that votes"
    )
