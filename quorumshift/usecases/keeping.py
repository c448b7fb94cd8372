"""The keeper: gathers what is to be guarded, and does what ``domain/keeping.py`` decides."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from quorumshift.domain.appspec import HAND_OVER_STAGE
from quorumshift.domain.errors import ChangeRefused, Transient
from quorumshift.domain.keeping import GRACE_SECONDS, Deed, Facts, decide, needless, runs_short
from quorumshift.domain.policy import Policy
from quorumshift.domain.rollout import Check, Progress
from quorumshift.ports import (
    Clock,
    Evidence,
    Followers,
    HandOvers,
    HookAnswers,
    OurDeployments,
    Scaling,
    Told,
)
from quorumshift.usecases.ending import Ending
from quorumshift.usecases.observer import Observer
from quorumshift.usecases.overtaking import another
from quorumshift.usecases.patience import Patience
from quorumshift.usecases.questions import Question, answer
from quorumshift.usecases.reconciling import Reconciling
from quorumshift.usecases.vote_locks import VoteLocks

LONGEST_SECONDS = 9 * 86_400.0
"""A rollout and its roll-back are over by then."""


@dataclass(frozen=True, slots=True)
class Kept:
    """``deeds``: what was done; ``failed``: what was not, a sentence each. ``news``: what people
    are to know, and have not been told before."""

    deeds: tuple[str, ...]
    failed: tuple[str, ...] = ()
    news: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Keeping:
    """See ``ports``. ``follow``: whether votes are to follow the tasks between rollouts."""

    observer: Observer
    locks: VoteLocks
    deployments: OurDeployments
    hand_overs: HandOvers
    followers: Followers
    answers: HookAnswers
    evidence: Callable[[], Evidence]
    ending: Ending
    scaling: Scaling
    reconciling: Reconciling
    told: Told
    clock: Clock
    policy: Policy
    follow: bool

    def keep(self) -> Kept:
        """One look, and what it asks for. Raises ``Transient`` when nobody could look; what else
        AWS does not answer is a deed that is left to the next look. Where it is the rollouts or the
        executions that cannot be asked about, locks that run short are renewed all the same."""
        try:
            facts = self.look()
        except Transient:
            self._renew()
            raise
        done, failed, news = [], [], []
        for deed in decide(facts, self.policy):
            try:
                said = self._do(deed, facts)
            except (Transient, ChangeRefused) as error:
                failed.append(f"{deed.value}: {error}")
                continue
            done.append(deed.value)
            if said and self.told.first(f"{self._about(facts)}-{deed.value}"):
                news.append(said)
        return Kept(tuple(done), tuple(failed), tuple(news))

    def look(self) -> Facts:
        """All facts. Raises ``Transient``."""
        since = datetime.fromtimestamp(self.clock.now() - LONGEST_SECONDS, UTC).isoformat()
        ours = self.deployments.newest_of_ours(since)
        moving = bool(self.hand_overs.running())
        suspended = self.scaling.suspended_for()
        if ours is None:
            other = self.deployments.active() or ""
            look = self.observer.look(None)
            return Facts(look, None, False, other, False, moving, suspended_for=suspended)
        rollout = self.deployments.look(ours.id)
        running = rollout.progress is Progress.RUNNING
        active = None if running else self.deployments.active()
        other = "" if active is None else another(self.deployments, ours.id, rollout.undone_by)
        undoing = active is not None and not other
        over = self.followers.over_for(ours.execution)
        return Facts(
            cluster=self.observer.look(ours.id if running or undoing else None),
            rollout=rollout,
            undoing=undoing,
            other=other,
            followed=over is None or over < GRACE_SECONDS,
            moving=moving,
            called=self.hand_overs.state(ours.id).ended,
            question=self.hand_overs.unanswered(ours.id) if running else "",
            suspended_for=suspended,
            follow=self.follow,
        )

    def _renew(self) -> None:
        seen = self.observer.look(None)
        if runs_short(seen, self.policy):
            with contextlib.suppress(ChangeRefused):
                self.locks.renew(seen)

    def _do(self, deed: Deed, facts: Facts) -> str:
        """Do it; what people should know of it, or empty."""
        rollout = facts.rollout.id if facts.rollout else ""
        if deed is Deed.HOLD:
            self.locks.keep(facts.cluster)
        elif deed is Deed.RENEW:
            self.locks.renew(facts.cluster)
        elif deed is Deed.ANSWER:
            reason = "the hand-over ended without an answer, and nobody gave it in its place"
            check = Check(HAND_OVER_STAGE, False, reason)
            once = Patience(self.clock, self.clock.now())
            answer(Question(rollout, facts.question), check, self.answers, self.evidence, once)
            return f"{HAND_OVER_STAGE} of deployment {rollout} is answered with Failed: {reason}."
        elif deed is Deed.STOP:
            self.deployments.stop(rollout)
            return (
                f"Deployment {rollout} ran without its execution, which has ended. It is being "
                "stopped and rolled back, and votes that moved are called home."
            )
        elif deed is Deed.HAND_BACK:
            self.hand_overs.hand_back(rollout)
            return f"Votes that deployment {rollout} had moved are called home."
        elif deed is Deed.RECONCILE:
            found = self.reconciling.look()
            return found.reason if found.alarming else ""
        elif deed is Deed.LET_GO:
            self._let_go(facts)
        elif deed is Deed.CLEAN_UP:
            return self._clean_up(facts.suspended_for or rollout)
        return ""

    def _let_go(self, facts: Facts) -> None:
        """Unless votes are moved, or a rollout has begun, since the look."""
        if self.hand_overs.running() or (not facts.under_way and self.deployments.active()):
            return
        self.locks.let_go(needless(facts, self.policy))

    def _clean_up(self, deployment: str) -> str:
        kept = self.ending.clean_up(deployment)
        said = f"Deployment {deployment} has ended, and automatic scaling was still suspended for "
        return f"{said}it. It goes on as before." + (f" {kept}." if kept else "")

    def _about(self, facts: Facts) -> str:
        """What a message is about, and the day: what lasts is told again, once a day."""
        about = facts.rollout.id if facts.rollout else "votes"
        return f"{about}-{datetime.fromtimestamp(self.clock.now(), UTC):%Y-%m-%d}"
