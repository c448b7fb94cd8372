"""Looks at the whole cluster at one time, and again until it is healthy, in danger, or too late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quorumshift.domain.errors import ClusterUnsafe, ClusterUnsettled, Transient
from quorumshift.domain.health import Decision, Verdict, assess, steady
from quorumshift.domain.joining import combine
from quorumshift.domain.policy import FirstContract, Policy
from quorumshift.domain.raft import ClusterObservation
from quorumshift.ports import Clock, Discovery, RaftControl

PAUSE = 0.5
"""Seconds between two looks while waiting."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last look, and what was made of it and those before."""

    observation: ClusterObservation
    verdict: Verdict


class Settling:
    """Looks again until what is seen is healthy, in danger, or too late. Deadlines are the
    policy's, in the cluster's real seconds."""

    def __init__(
        self,
        look: Callable[[str | None], ClusterObservation],
        first: FirstContract,
        clock: Clock,
        policy: Policy,
    ) -> None:
        """``look``: one observation for a deployment; ``first``: see ``health.assess``."""
        self._look = look
        self._first = first
        self._clock = clock
        self._policy = policy

    def once(self, deployment: str | None) -> Seen:
        """One look, whatever it shows."""
        seen = self._look(deployment)
        return Seen(seen, self._assess(seen))

    def healthy(self, deployment: str | None) -> Seen:
        """Look until one look is healthy; at the deadline, what the last one said."""
        return self._until(deployment, lambda _, later: self._assess(later))

    def settled(self, deployment: str | None) -> Seen:
        """Look until two looks, a stabilisation time apart, show the same healthy cluster."""
        return self._until(
            deployment,
            lambda earlier, later: steady(earlier, later, self._policy, self._first),
            apart=self._policy.stabilisation_seconds,
        )

    def _until(
        self,
        deployment: str | None,
        judge: Callable[[ClusterObservation, ClusterObservation], Verdict],
        apart: float = 0.0,
    ) -> Seen:
        deadline = self._clock.now() + apart + self._policy.settle_deadline_seconds
        aborts = 0
        first = self._try(deployment, deadline)
        while True:
            early = self._assess(first)
            if early.decision is Decision.PROCEED:
                self._clock.sleep(apart)
                second = self._try(deployment, deadline) if apart else first
                verdict = judge(first, second)
            else:
                second, verdict = first, early
            if verdict.decision is Decision.PROCEED:
                return Seen(second, verdict)
            # A reply that came too late looks like a dead voter, so a no is asked for twice.
            aborts = aborts + 1 if verdict.decision is Decision.ABORT else 0
            if aborts > 1 or self._clock.now() >= deadline:
                return Seen(second, verdict)
            self._clock.sleep(PAUSE)
            first = self._try(deployment, deadline)

    def _assess(self, seen: ClusterObservation) -> Verdict:
        return assess(seen, self._policy, self._first)

    def _try(self, deployment: str | None, deadline: float) -> ClusterObservation:
        while True:
            try:
                return self._look(deployment)
            except Transient:
                if self._clock.now() >= deadline:
                    raise
                self._clock.sleep(PAUSE)


class Observer(Settling):
    """Joins what ECS and Raft tell."""

    def __init__(
        self, discovery: Discovery, raft: RaftControl, clock: Clock, policy: Policy
    ) -> None:
        super().__init__(self.look, raft.dialect.first_contract, clock, policy)
        self._discovery = discovery
        self._raft = raft

    def look(self, deployment: str | None) -> ClusterObservation:
        """One observation; ``deployment`` tells green from blue. Raises ``Transient``."""
        roster = self._discovery.roster(deployment)
        at = self._clock.now()
        view = self._raft.observe([task.address for task in roster.tasks])
        return combine(at=at, tasks=roster.tasks, desired=roster.desired, view=view)


def require(seen: Seen, what: str) -> Seen:
    """``seen`` when its verdict is *proceed*.

    Raises ``ClusterUnsafe`` or ``ClusterUnsettled`` that begin with ``what``.
    """
    if seen.verdict.decision is Decision.ABORT:
        raise ClusterUnsafe(f"{what}: {seen.verdict.sentence}")
    if seen.verdict.decision is Decision.WAIT:
        raise ClusterUnsettled(
            f"{what}: the cluster did not settle before the deadline. {seen.verdict.sentence} "
            "Find out why it does not, then start again."
        )
    return seen
