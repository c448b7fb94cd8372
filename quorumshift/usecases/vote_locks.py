"""Keeps a quorum of the votes protected by ECS, and gives the locks back."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from quorumshift.domain.errors import ChangeRefused, Transient
from quorumshift.domain.handover_steps import Kind, Step
from quorumshift.domain.locks import (
    hold,
    is_locked,
    let_go,
    lock_step,
    our_locks,
    protected_by_others,
    the_rest,
)
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Membership, Node, quorum
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

        Raises ``ChangeRefused`` when ECS cannot protect that many, unless the policy allows it, and
        ``Transient`` when nobody tells who votes.
        """
        seen = self._observer.look(deployment)
        for _ in range(_MOST_STEPS):
            step = hold(seen, self._policy)
            if step is None:
                break
            self.apply(step)
            seen = self._observer.look(deployment)
        if not seen.voters:
            raise Transient(f"nobody told who votes: {'; '.join(seen.unknown) or 'no reply'}")
        held = [node for node in seen.voters if is_locked(node, seen.at)]
        need = quorum(len(seen.voters))
        if len(held) < need and not self._policy.allow_unlocked:
            raise ChangeRefused(
                f"only {len(held)} of the {need} votes that make the quorum are locked: ECS "
                f"protects at most {seen.desired} tasks of this service"
                f"{protected_by_others(seen)}. Run more tasks, or set allow_unlocked in the policy"
            )
        return seen

    def keep(self, seen: ClusterObservation) -> None:
        """One step towards what :meth:`take` reaches, from an observation that is at hand."""
        step = hold(seen, self._policy)
        if step is None:
            return
        self.apply(step)
        if step.kind is Kind.LOCK:
            self._take_back(step.tasks)

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
            self._take_back(tasks)

    def _take_back(self, tasks: Sequence[str]) -> None:
        """Of the locks that were just made, those on tasks that vote no more. A hand-over may have
        taken the vote and then the lock since the look; one that takes a vote after this look sees
        the lock, and gives it back itself."""
        seen = self._observer.look(None)
        if seen.membership in (Membership.LOCAL, Membership.UNKNOWN):
            return
        silent = set(tasks) - {node.task for node in seen.voters}
        astray = [node for node in our_locks(seen) if node.task in silent]
        if astray:
            self.apply(lock_step(Kind.RELEASE, astray, "Its vote went while it was locked."))

    def give_back(self, seen: ClusterObservation) -> None:
        """Give back every lock of ours, also one that an earlier execution left behind."""
        if (step := let_go(seen)) is not None:
            self.apply(step)

    def let_go(self, nodes: Sequence[Node]) -> None:
        """Give back our locks on these, which nothing needs."""
        self.apply(lock_step(Kind.RELEASE, nodes, "Nothing needs them any more."))

    def apply(self, step: Step) -> None:
        """Do a lock or a release. Raises ``ChangeRefused``."""
        if step.kind is Kind.LOCK:
            self._protection.lock(step.tasks, self._policy.lock_minutes)
        else:
            self._protection.release(step.tasks)
