"""Keeps a quorum of the votes protected by ECS, and gives the locks back."""

from __future__ import annotations

import contextlib

from quorumshift.domain.errors import ChangeRefused, Transient
from quorumshift.domain.handover_steps import Kind, Step
from quorumshift.domain.locks import hold, is_locked, let_go, the_rest
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, quorum
from quorumshift.ports import TaskProtection
from quorumshift.usecases.observer import Observer

_MOST_STEPS = 6
"""A release, a lock and a renewal make three; twice that, as tasks may change meanwhile."""


class VoteLocks:
    """One instance for a service."""

    def __init__(self, observer: Observer, protection: TaskProtection, policy: Policy) -> None:
        self._observer = observer
        self._protection = protection
        self._policy = policy

    def take(self, deployment: str) -> ClusterObservation:
        """Lock a quorum of the voters and return what was seen afterwards.

        Raises ``ChangeRefused`` when ECS cannot protect that many, unless the policy allows it.
        """
        seen = self._observer.look(deployment)
        for _ in range(_MOST_STEPS):
            step = hold(seen, self._policy)
            if step is None:
                break
            self.apply(step)
            seen = self._observer.look(deployment)
        locked = [node for node in seen.voters if is_locked(node, seen.at)]
        need = quorum(len(seen.voters))
        if len(locked) < need and not self._policy.allow_unlocked:
            raise ChangeRefused(
                f"only {len(locked)} of the {need} votes that make the quorum are locked: ECS "
                f"protects at most {seen.desired} tasks of this service. Run more tasks, or set "
                "allow_unlocked in the policy"
            )
        return seen

    def keep(self, seen: ClusterObservation) -> None:
        """One step towards what :meth:`take` reaches, from an observation that is at hand."""
        step = hold(seen, self._policy)
        if step is not None:
            self.apply(step)

    def cover(self, seen: ClusterObservation) -> None:
        """Lock every voter that ECS lets us lock. A quorum of them is already, so what is refused
        or gets no answer is left at that."""
        if (step := the_rest(seen, self._policy)) is not None:
            with contextlib.suppress(ChangeRefused, Transient):
                self.apply(step)

    def renew(self, seen: ClusterObservation) -> None:
        """Start the clock of every voter's lock anew."""
        tasks = [node.task for node in seen.voters if node.task and is_locked(node, seen.at)]
        if tasks:
            self._protection.lock(tasks, self._policy.lock_minutes)

    def give_back(self, seen: ClusterObservation) -> None:
        """Give back every lock that was seen, also one that an earlier execution left behind."""
        if (step := let_go(seen)) is not None:
            self.apply(step)

    def apply(self, step: Step) -> None:
        """Do a lock or a release. Raises ``ChangeRefused``."""
        if step.kind is Kind.LOCK:
            self._protection.lock(step.tasks, self._policy.lock_minutes)
        else:
            self._protection.release(step.tasks)
