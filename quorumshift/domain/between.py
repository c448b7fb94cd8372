"""Between rollouts: is there a vote to be moved, and is there something to tell people of?

Every serving task votes, and nobody else: then no vote is to be moved. That alone does not make it
well: a voter may be silent though a task runs at its address, and the next loss is the end. What
does not pass by itself within the settle deadline is for people to know.
"""

from __future__ import annotations

from quorumshift.domain.handover import goal_for
from quorumshift.domain.handover_steps import Next, Plan
from quorumshift.domain.health import Decision, assess
from quorumshift.domain.look import Look
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Standing
from quorumshift.domain.reading import read

Rest = tuple[Next, str]
"""``DONE``: nothing is to be done or told. ``WAIT``, ``BLOCKED``: see ``trouble``; and why."""


def at_rest(look: Look, found: Plan, policy: Policy, since: float | None) -> Rest | None:
    """What an execution without a rollout comes to; ``None``: it goes on as ``found`` says.

    ``since``: when ``trouble`` was seen first (epoch seconds). Locks are a rollout's.
    """
    if look.busy:
        return Next.DONE, f"{look.busy} is under way; the votes are its to move."
    seen = look.cluster
    what = trouble(look, found, policy)
    if not what:
        return (Next.DONE, "The serving tasks vote, and nobody else.") if in_place(seen) else None
    late = since is not None and seen.at - since >= policy.settle_deadline_seconds
    return (Next.BLOCKED, what) if late else (Next.WAIT, what)


def trouble(look: Look, found: Plan, policy: Policy) -> str:
    """What keeps the votes from following, or the cluster from being well though they have;
    empty: nothing, or a rollout is under way, whose votes these are."""
    seen = look.cluster
    if look.busy:
        return ""
    verdict = assess(seen, policy)
    if in_place(seen):
        if verdict.decision is not Decision.PROCEED:
            return verdict.sentence
        faults = read(seen, policy).complaints
        return "; ".join(f"{address} {text}" for address, text in faults.items())
    doubted = bool(seen.unknown or seen.unworkable) or read(seen, policy).leader is None
    if found.decision is Next.WAIT and doubted:
        return verdict.sentence if verdict.decision is Decision.ABORT else found.sentence
    return found.sentence if found.decision is Next.BLOCKED else ""


def in_place(seen: ClusterObservation) -> bool:
    """Whether every serving task votes, and nobody else does."""
    members = {node.address: node.standing for node in seen.nodes if node.raft_id}
    return members == dict.fromkeys(goal_for(seen, Colour.BLUE).voters, Standing.VOTER)
