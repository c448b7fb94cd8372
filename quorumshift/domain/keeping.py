"""What the keeper does about what it finds: for as long as there is something to guard.

Executions, the watchdog and ``Reconcile`` act at once and give up within the hour. The keeper looks
every five minutes and never gives up. It leaves alone what a live follower owns, and each deed may
be done twice, or beside a follower that has come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from quorumshift.domain.appspec import HAND_OVER_STAGE
from quorumshift.domain.between import in_place
from quorumshift.domain.locks import is_locked, our_locks
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Membership, Node, Standing
from quorumshift.domain.rollout_facts import Progress, Rollout, StageStatus
from quorumshift.domain.undo import ATTEMPTS, strangers

EVERY_SECONDS = 300
"""The schedule's pace."""
SHORT = 0.5
"""The share of a lock's time below which it is renewed: the other half outlasts an outage in which
nobody can renew."""
GRACE_SECONDS = 120.0
"""Since a follower's end, in which the watchdog is to act first: it knows more to tell."""


class Deed(StrEnum):
    """``HOLD``: lock a quorum of the votes. ``RENEW``: begin the voters' locks anew. ``STOP``: stop
    a rollout that nobody follows, with its roll-back. ``ANSWER``: say no for a hand-over that died.
    ``HAND_BACK``: call the votes home. ``RECONCILE``: have them follow the tasks. ``LET_GO``: give
    back locks that nothing needs. ``CLEAN_UP``: scaling goes on, and locks are given back."""

    HOLD = "hold"
    RENEW = "renew"
    STOP = "stop"
    ANSWER = "answer"
    HAND_BACK = "handBack"
    RECONCILE = "reconcile"
    LET_GO = "letGo"
    CLEAN_UP = "cleanUp"


@dataclass(frozen=True, slots=True)
class Facts:
    """``rollout``: the last one that an execution of ours started, if any; ``undoing``: its
    roll-back is under way. ``other``: a rollout under way that is neither; empty: none.
    ``followed``: its execution runs, or has ended a moment ago, or is not known. ``moving``: an
    execution that moves votes runs. ``called``: how often the rollout's votes were called home;
    ``question``: what its dead hand-over should have answered. ``suspended_for``: the rollout that
    scaling is suspended for. ``follow``: whether votes are to follow the tasks between rollouts."""

    cluster: ClusterObservation
    rollout: Rollout | None = None
    undoing: bool = False
    other: str = ""
    followed: bool = True
    moving: bool = False
    called: int = 0
    question: str = ""
    suspended_for: str | None = None
    follow: bool = True

    @property
    def running(self) -> bool:
        """Whether the rollout is under way."""
        return self.rollout is not None and self.rollout.progress is Progress.RUNNING

    @property
    def under_way(self) -> bool:
        """Whether any rollout is."""
        return self.running or self.undoing or bool(self.other)

    @property
    def alone(self) -> bool:
        """Whether nobody else acts."""
        return not (self.followed or self.moving or self.other)

    @property
    def known(self) -> bool:
        """Whether a quorum tells who votes."""
        return self.cluster.membership not in (Membership.LOCAL, Membership.UNKNOWN)


def decide(facts: Facts, policy: Policy) -> tuple[Deed, ...]:
    """What is to be done now, in this order. Never raises."""
    votes = strangers(facts.cluster)
    known, under_way, alone = facts.known, facts.under_way, facts.alone
    found = []
    if under_way or votes or not known:  # a task that ends now may cost a vote that is needed
        if alone and known:
            found.append(Deed.HOLD)
        if runs_short(facts.cluster, policy):
            found.append(Deed.RENEW)
    if needless(facts, policy):
        found.append(Deed.LET_GO)
    if facts.question and not facts.moving and _waits(facts):
        found.append(Deed.ANSWER)
    if facts.running and alone:
        found.append(Deed.STOP)
    if alone and known:
        found += _votes(facts, votes)
    if alone and known and not votes and not under_way and facts.suspended_for:
        found.append(Deed.CLEAN_UP)
    return tuple(found)


def runs_short(cluster: ClusterObservation, policy: Policy) -> bool:
    """Whether the lock of a voter is to be renewed now."""
    least = policy.lock_minutes * 60 * SHORT
    left = [
        node.locked_until - cluster.at
        for node in cluster.voters
        if node.locked_until is not None and is_locked(node, cluster.at)
    ]
    return bool(left) and min(left) <= least


def needless(facts: Facts, policy: Policy) -> tuple[Node, ...]:
    """Nodes with a lock of ours that nothing needs: while no votes are moved those that do not
    vote, which would only keep their tasks from ending; and all of them once the votes are where
    the tasks are, and nothing is under way. A lock that is younger than the keeper's pace is left:
    whoever made it may not be seen yet."""
    if facts.moving or not facts.known:
        return ()
    seen = facts.cluster
    young = seen.at + policy.lock_minutes * 60 - EVERY_SECONDS
    old = [node for node in our_locks(seen) if (node.locked_until or 0) <= young]
    if facts.alone and not facts.under_way and in_place(seen):
        return tuple(old)
    return tuple(node for node in old if node.standing is Standing.OUTSIDE)


def _waits(facts: Facts) -> bool:
    return (
        facts.running
        and facts.rollout is not None
        and facts.rollout.stage(HAND_OVER_STAGE) is StageStatus.RUNNING
    )


def _votes(facts: Facts, votes: tuple[str, ...]) -> list[Deed]:
    """Votes go home while their rollout is undone, and follow the tasks after that."""
    undone = facts.rollout is not None and facts.rollout.progress is not Progress.SUCCEEDED
    if votes and undone and facts.called < ATTEMPTS:
        return [Deed.HAND_BACK]
    if facts.running or facts.undoing:
        return []
    living = any(node.address in votes and node.task for node in facts.cluster.nodes)
    return [Deed.RECONCILE] if facts.follow or living else []
