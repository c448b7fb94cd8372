"""What one look at a roll-back means: wait, call the votes home, done, or failed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from quorumshift.domain.abilities import only_joins
from quorumshift.domain.locks import our_locks
from quorumshift.domain.raft import ClusterObservation, Colour, Membership, Standing
from quorumshift.domain.reading import claimants
from quorumshift.domain.rollout import Progress, Rollout

GRACE = 300
"""Seconds of waiting in which the engine must start the roll-back, or remove green without one."""


class Decision(StrEnum):
    """``HAND_BACK``: members that are not blue's hold the votes; call them home first.
    ``SUCCEEDED``: there is nothing to undo, and nothing to go back to."""

    WAIT = "wait"
    HAND_BACK = "handBack"
    SUCCEEDED = "succeeded"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HandBack:
    """The state machine that calls the votes home. ``ended``: attempts that have ended, and
    ``why`` the last of them gave."""

    running: bool
    ended: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class UndoObservation:
    """Everything known of a roll-back at one time; ``waited``, ``deadline``: seconds of waiting.

    ``undo``: the rollout that rolls ``rollout`` back, as far as there is one. ``overtaken``: why
    votes and locks are no longer this rollout's (``domain/overtaken.py``).
    """

    waited: int
    deadline: int
    rollout: Rollout
    undo: Rollout | None
    cluster: ClusterObservation
    hand_back: HandBack
    overtaken: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A decision and why."""

    decision: Decision
    reason: str


ATTEMPTS = 3
"""How often the votes are called home before a person is asked."""


def judge(seen: UndoObservation) -> Meaning:
    """What the observation means. Never raises.

    What has succeeded is not undone: blue is gone, and the votes would be handed to nobody.
    Otherwise the votes come first: green may not end while its votes are needed, and the locks
    keep it alive until they are home. Once another rollout is under way they are its own, and what
    is left to find out is how this one's roll-back ended.
    """
    if seen.rollout.progress is Progress.SUCCEEDED:
        return Meaning(
            Decision.SUCCEEDED, f"{seen.rollout.id} had succeeded before it could be stopped"
        )
    votes = strangers(seen.cluster)
    if seen.hand_back.running:
        return _wait(seen, "the votes are being handed back to blue")
    if seen.overtaken:
        return _after_the_stop(seen)
    if seen.cluster.membership in (Membership.LOCAL, Membership.UNKNOWN):
        return _wait(seen, "no quorum tells who votes")
    if votes and seen.hand_back.ended < ATTEMPTS:
        return Meaning(
            Decision.HAND_BACK,
            f"{', '.join(votes)} is in the Raft configuration and not blue's",
        )
    if votes:
        return Meaning(
            Decision.FAILED,
            f"{', '.join(votes)} still is in the Raft configuration after {ATTEMPTS} attempts "
            f"to hand its vote back: {seen.hand_back.why}",
        )
    if seen.rollout.progress is Progress.RUNNING:
        return _wait(seen, "the rollout is being stopped")
    return _after_the_stop(seen)


def strangers(cluster: ClusterObservation) -> tuple[str, ...]:
    """Addresses of the members that are not blue's; learners only where the leader can remove them,
    as there is nothing else to be done about one, and its end costs no quorum."""
    leaders = claimants(cluster)
    stay = bool(leaders) and all(only_joins(node) for node in leaders)
    return tuple(
        node.address
        for node in cluster.nodes
        if node.colour is not Colour.BLUE
        and (node.standing is Standing.VOTER or (node.standing is Standing.LEARNER and not stay))
    )


def left_behind(cluster: ClusterObservation) -> bool:
    """Whether a rollout that did not end well, and that nobody follows any more, left something:
    votes that are not blue's, or locks of ours."""
    return bool(strangers(cluster) or our_locks(cluster))


def _after_the_stop(seen: UndoObservation) -> Meaning:
    green = [node.address for node in seen.cluster.nodes if node.colour is Colour.GREEN]
    if seen.undo is None:
        if not green:
            return Meaning(Decision.DONE, "no green task is left, and nothing had to be undone")
        if seen.waited < GRACE:
            return _wait(seen, "the engine has not started the roll-back yet")
        return Meaning(
            Decision.FAILED,
            f"the engine started no roll-back, and {len(green)} green tasks still run",
        )
    if seen.undo.progress is Progress.RUNNING:
        return _wait(seen, f"roll-back {seen.undo.id} is under way")
    if seen.undo.progress is Progress.SUCCEEDED:
        return Meaning(Decision.DONE, f"roll-back {seen.undo.id} has ended well")
    return Meaning(
        Decision.FAILED,
        f"roll-back {seen.undo.id} ended {seen.undo.progress.value}: "
        f"{seen.undo.message or 'the engine gave no reason'}",
    )


def _wait(seen: UndoObservation, reason: str) -> Meaning:
    if seen.waited >= seen.deadline:
        minutes = seen.deadline // 60
        return Meaning(Decision.FAILED, f"after {minutes} minutes {reason}")
    return Meaning(Decision.WAIT, reason)
