"""Is the cluster healthy? One observation in, one three-valued verdict out.

Healthy means: a leader that a majority names, writes that are taken, and enough healthy voters (see
``reading``) that as many of them as the policy asks may fail without loss of the quorum. What is
not known is never *proceed*, and an empty observation is *abort*, not vacuously fine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from quorumshift.domain.policy import NAMELESS, FirstContract, Policy
from quorumshift.domain.raft import (
    ClusterObservation,
    Membership,
    Node,
    Standing,
    quorum,
)
from quorumshift.domain.reading import Reading, alarms, barred, lag_of, listed, read, uncertainty


class Decision(StrEnum):
    """``WAIT``: not known yet, look again until the deadline. ``ABORT``: known to be unsafe."""

    PROCEED = "proceed"
    WAIT = "wait"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict was built on; nodes are addresses, sorted.

    ``term``: the highest term seen. ``leader``: the one that a majority names, else ``None``.
    ``healthy``: the voters that count; ``unhealthy``: the rest. ``tolerance``: how many healthy
    voters may still fail, ``None`` while there is no leader to measure against. ``lag``: entries
    that the slowest healthy voter trails the leader by. ``at``: epoch seconds of the observation.
    """

    term: int | None
    leader: str | None
    voters: tuple[str, ...]
    learners: tuple[str, ...]
    quorum: int
    healthy: tuple[str, ...]
    unhealthy: tuple[str, ...]
    tolerance: int | None
    lag: int | None
    membership: Membership
    at: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision, why (at least one sentence, also for *proceed*), and what it was built on."""

    decision: Decision
    reasons: tuple[str, ...]
    evidence: Evidence

    @property
    def sentence(self) -> str:
        """All reasons as one text."""
        return " ".join(self.reasons)


def assess(
    observation: ClusterObservation, policy: Policy, first: FirstContract = NAMELESS
) -> Verdict:
    """Judge one observation. Never raises; *wait* where another look may tell.

    ``first``: what nodes speak that can only admit and promote, to name it.
    """
    reading = read(observation, policy)
    evidence = evidence_of(observation, reading)
    decision, reasons = _judge(observation, reading, policy, first)
    return Verdict(decision, reasons, evidence)


def steady(
    first: ClusterObservation,
    second: ClusterObservation,
    policy: Policy,
    contract: FirstContract = NAMELESS,
) -> Verdict:
    """Judge the second of two looks, and *wait* if leader, term or voters changed in between.

    The looks are to be a stabilisation time apart; a tenth less is forgiven, as clocks are slewed.
    """
    earlier, later = assess(first, policy, contract), assess(second, policy, contract)
    if later.decision is not Decision.PROCEED:
        return later
    if earlier.decision is not Decision.PROCEED:
        reason = f"The cluster is healthy, but {_seconds(first, second)} ago it was not:"
        return Verdict(Decision.WAIT, (reason, *earlier.reasons), later.evidence)
    before, after = earlier.evidence, later.evidence
    reasons = []
    if (before.leader, before.term) != (after.leader, after.term):
        reasons.append(
            f"Leadership moved from {before.leader} (term {before.term}) to {after.leader} "
            f"(term {after.term}) between two looks; wait until it stays."
        )
    if before.voters != after.voters:
        reasons.append(
            f"The voters changed from {listed(before.voters)} to {listed(after.voters)} between "
            "two looks; wait until they stay."
        )
    if second.at - first.at < 0.9 * policy.stabilisation_seconds:
        reasons.append(
            f"The two looks are {_seconds(first, second)} apart, the policy asks "
            f"{policy.stabilisation_seconds:g} s; look again."
        )
    if reasons:
        return Verdict(Decision.WAIT, tuple(reasons), after)
    return later


def evidence_of(observation: ClusterObservation, reading: Reading) -> Evidence:
    """The evidence of one observation as it was read."""
    voters = observation.voters
    leader = reading.leader
    return Evidence(
        term=reading.term,
        leader=leader.address if leader else None,
        voters=tuple(sorted(node.address for node in voters)),
        learners=tuple(
            sorted(n.address for n in observation.nodes if n.standing is Standing.LEARNER)
        ),
        quorum=quorum(len(voters)),
        healthy=tuple(sorted(node.address for node in reading.healthy)),
        unhealthy=tuple(sorted(reading.complaints)),
        tolerance=reading.tolerance(len(voters)) if leader else None,
        lag=max((lag_of(node, leader) for node in reading.healthy), default=None)
        if leader
        else None,
        membership=observation.membership,
        at=observation.at,
    )


def _judge(
    observation: ClusterObservation, reading: Reading, policy: Policy, first: FirstContract
) -> tuple[Decision, tuple[str, ...]]:
    if not observation.nodes:
        text = "No node of the service was found. Check that its tasks run, then start again."
        return Decision.ABORT, (text,)
    if stops := (*observation.unworkable, *alarms(observation)):
        return Decision.ABORT, stops
    decision, reasons = _weigh(observation, reading, policy)
    doubts = uncertainty(observation, policy, first)
    if not doubts:
        return decision, reasons
    if decision is Decision.ABORT and observation.membership is Membership.CONFIRMED:
        return decision, (*reasons, *doubts)  # whatever else is in doubt, that much is known
    waiting_helps = not barred(observation, reading, policy)
    return Decision.WAIT if waiting_helps else Decision.ABORT, doubts


def _weigh(
    observation: ClusterObservation, reading: Reading, policy: Policy
) -> tuple[Decision, tuple[str, ...]]:
    """What the figures say, as far as the member list is to be trusted."""
    voters = observation.voters
    if not voters:
        return Decision.ABORT, ("The member list holds no voter. Restore the cluster first.",)
    if reading.leader is None:
        return _without_leader(voters, reading)
    reasons = []
    if len(voters) < policy.minimum_voters:
        reasons.append(
            f"The cluster has {len(voters)} voters ({listed(n.address for n in voters)}), the "
            f"policy asks at least {policy.minimum_voters}. Add voters, then start again."
        )
    tolerance = reading.tolerance(len(voters))
    if tolerance >= policy.tolerance and not reasons:
        well = _all_well(voters, reading, tolerance, policy)
        inferred = observation.membership is Membership.INFERRED
        return Decision.PROCEED, (well, _PIECED_TOGETHER) if inferred else (well,)
    if tolerance < policy.tolerance:
        shortage = _shortage(voters, reading, tolerance, policy)
        if not reasons and _may_recover(voters, reading, policy):
            return Decision.WAIT, (shortage,)
        reasons.append(shortage)
    return Decision.ABORT, tuple(reasons)


_PIECED_TOGETHER = (
    "The member list is pieced together, as allow_inferred permits: a member that does not answer "
    "may be missing from it."
)


def _without_leader(voters: Sequence[Node], reading: Reading) -> tuple[Decision, tuple[str, ...]]:
    silent = [node.address for node in voters if node.report is None]
    if len(voters) - len(silent) >= quorum(len(voters)):
        return Decision.WAIT, (reading.doubt,)
    text = (
        f"{_count(len(silent), len(voters))} not answer ({listed(silent)}): there is no quorum of "
        f"{quorum(len(voters))}. Bring them back, then start again."
    )
    return Decision.ABORT, (text,)


def _may_recover(voters: Sequence[Node], reading: Reading, policy: Policy) -> bool:
    """Whether the voters that answer, but are behind, would be enough once they caught up."""
    answering = sum(node.report is not None for node in voters)
    return answering - quorum(len(voters)) >= policy.tolerance


def _shortage(voters: Sequence[Node], reading: Reading, tolerance: int, policy: Policy) -> str:
    total = len(voters)
    ask = f"the policy asks {policy.tolerance}"
    seen = f"tolerance is {tolerance}" if tolerance >= 0 else "the quorum is lost"
    if not reading.complaints:
        return f"All {total} voters are healthy: {seen}, {ask}. Add voters, then start again."
    silent = [node.address for node in voters if node.report is None]
    if len(silent) == len(reading.complaints):
        them = "it" if len(silent) == 1 else "them"
        return (
            f"{_count(len(silent), total)} not answer ({listed(silent)}): {seen}, {ask}. "
            f"Bring {them} back, then start again."
        )
    faults = "; ".join(f"{address} {text}" for address, text in reading.complaints.items())
    unhealthy = len(reading.complaints)
    be = "is" if unhealthy == 1 else "are"
    return f"{unhealthy} of {total} voters {be} not healthy ({faults}): {seen}, {ask}."


def _all_well(voters: Sequence[Node], reading: Reading, tolerance: int, policy: Policy) -> str:
    leader = reading.leader.address if reading.leader else "nobody"
    return (
        f"{len(reading.healthy)} of {len(voters)} voters are healthy under {leader} in term "
        f"{reading.term}: tolerance is {tolerance}, the policy asks {policy.tolerance}."
    )


def _count(some: int, total: int) -> str:
    return f"{some} of {total} voters {'does' if some == 1 else 'do'}"


def _seconds(first: ClusterObservation, second: ClusterObservation) -> str:
    return f"{second.at - first.at:.1f} s"
