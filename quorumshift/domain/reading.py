"""What the reports of one observation amount to: who leads, and which voters are healthy.

A leader counts only in the highest term seen and when a majority of the voters name it: a claim
from a lower term is a stale leader, not a second one. Two claims in one term prove nothing: what
etcd tells is the term of the last *applied* entry, so a new leader and the one before may show the
same for some milliseconds; they are waited for. A voter counts when it answered in time, is
in that term, and trails the leader by few entries (dissertation, sections 3.4 and 3.10).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from quorumshift.domain.abilities import joining_only, only_joins, tells_no_members
from quorumshift.domain.policy import NAMELESS, FirstContract, Policy
from quorumshift.domain.raft import ClusterObservation, Membership, Node, Standing, quorum


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reports of one observation amount to. ``doubt``: why there is no leader, else
    empty. ``complaints``: what is wrong with each unhealthy voter, by address."""

    term: int | None
    leader: Node | None
    doubt: str
    healthy: tuple[Node, ...]
    complaints: dict[str, str]

    def tolerance(self, voters: int) -> int:
        """How many of the healthy may fail in a cluster of ``voters``; negative: no quorum."""
        return len(self.healthy) - quorum(voters)


def read(observation: ClusterObservation, policy: Policy) -> Reading:
    """Find the leader that a majority names, and which voters are healthy under it."""
    members = [node for node in observation.nodes if node.standing is not Standing.OUTSIDE]
    terms = [node.report.term for node in members if node.report]
    if not terms:
        return Reading(None, None, "No member answers.", (), {})
    term = max(terms)
    claims = [node for node in members if _names(node, node, term)]
    if len(claims) > 1:
        who = listed(node.address for node in claims)
        doubt = (
            f"{len(claims)} nodes say that they lead in term {term} ({who}). Around an election "
            "that passes at once; if it stays, find out which of them is of another cluster."
        )
        return Reading(term, None, doubt, (), {})
    if not claims:
        return Reading(term, None, _no_leader(members, term), (), {})
    leader = claims[0]
    voters = observation.voters
    naming = [node for node in voters if _names(node, leader, term)]
    if leader.standing is not Standing.VOTER or len(naming) < quorum(len(voters)):
        silent = [node.address for node in voters if node.report is None]
        why = f"{listed(silent)} not answering" if silent else "an election may be in progress"
        doubt = (
            f"{leader.address} leads in term {term}, but only {len(naming)} of {len(voters)} "
            f"voters name it: {why}."
        )
        return Reading(term, None, doubt, (), {})
    complaints = {
        node.address: text for node in voters if (text := complaint(node, leader, voters, policy))
    }
    healthy = tuple(node for node in voters if node.address not in complaints)
    return Reading(term, leader, "", healthy, complaints)


def claimants(observation: ClusterObservation) -> tuple[Node, ...]:
    """The members that take themselves for the leader in the highest term seen."""
    members = [node for node in observation.nodes if node.standing is not Standing.OUTSIDE]
    term = max((node.report.term for node in members if node.report), default=0)
    return tuple(node for node in members if _names(node, node, term))


def complaint(node: Node, leader: Node, voters: Sequence[Node], policy: Policy) -> str:
    """What is wrong with a member under this leader; empty when nothing is."""
    report = node.report
    if report is None:
        return node.apart or "does not answer"
    if leader.report is None:
        raise ValueError(f"{leader.address} leads without a report")
    if report.term != leader.report.term:
        return f"is in term {report.term}, the leader in {leader.report.term}"
    if report.leader != leader.raft_id:
        return "does not name the leader"
    if report.learns and node.standing is Standing.VOTER:
        return "does not know yet that it votes"
    lag = lag_of(node, leader)
    if lag > policy.trailing_entries:
        return f"trails by {lag:,} entries, {policy.trailing_entries:,} are allowed"
    known = frozenset(voter.raft_id for voter in voters if voter.raft_id is not None)
    if report.voters is not None and report.voters != known:
        return "knows other voters than the member list"
    return ""


def lag_of(node: Node, leader: Node) -> int:
    """How many entries a member trails the leader's last index by. Both must have answered."""
    if node.report is None or leader.report is None:
        raise ValueError(f"{node.address} or {leader.address} did not answer")
    return max(0, leader.report.last_index - node.report.last_index)


def uncertainty(
    observation: ClusterObservation, policy: Policy, first: FirstContract = NAMELESS
) -> tuple[str, ...]:
    """Why the member list cannot be trusted, a sentence each; empty when it can.

    ``first``: what nodes speak that can only admit and promote.
    """
    reasons = tuple(observation.unknown)
    if observation.membership is Membership.CONFIRMED or _allowed(observation, policy):
        return reasons
    if observation.membership is Membership.INFERRED and joining_only(observation):
        return (*reasons, " ".join(tells_no_members(observation, first)))
    source = {
        Membership.LOCAL: "one member's own view of it, which may be old",
        Membership.INFERRED: "pieced together, because this service cannot tell it",
        Membership.UNKNOWN: "not known: nobody told",
    }[observation.membership]
    return (*reasons, f"The member list was not read through a quorum; it is {source}.")


def alarms(observation: ClusterObservation) -> tuple[str, ...]:
    """Why the cluster refuses writes though it answers, as its voters say; empty: it does not."""
    told: dict[str, list[str]] = {}
    for node in observation.voters:
        for alarm in node.report.alarms if node.report else ():
            told.setdefault(alarm, []).append(node.address)
    return tuple(
        f"The cluster does not take every write: {alarm} (told by {listed(who)})."
        for alarm, who in told.items()
    )


def barred(observation: ClusterObservation, reading: Reading, policy: Policy) -> bool:
    """Whether the member list cannot be trusted and waiting does not change that: a node leads
    that cannot tell it, and the policy does not allow to piece it together."""
    return (
        observation.membership is Membership.INFERRED
        and not policy.allow_inferred
        and reading.leader is not None
        and only_joins(reading.leader)
    )


def strangers(nodes: Iterable[Node]) -> str:
    """Which of these nodes are of another cluster, and what to do; empty: none."""
    return ", ".join(f"{node.address} {node.apart}" for node in nodes if node.apart)


def listed(addresses: Iterable[str]) -> str:
    """Addresses as a text."""
    return ", ".join(addresses) or "none"


def _no_leader(members: Sequence[Node], term: int) -> str:
    stale = [
        f"{node.address} (term {node.report.term})"
        for node in members
        if node.report and node.report.leader == node.raft_id
    ]
    text = f"Nobody leads in term {term}: an election is in progress."
    return f"{text} The claim of {listed(stale)} is stale." if stale else text


def _allowed(observation: ClusterObservation, policy: Policy) -> bool:
    return observation.membership is Membership.INFERRED and policy.allow_inferred


def _names(node: Node, leader: Node, term: int) -> bool:
    report = node.report
    return report is not None and report.term == term and report.leader == leader.raft_id
