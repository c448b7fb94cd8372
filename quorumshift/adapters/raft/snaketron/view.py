"""What the answers of all nodes amount to: the member list, how far it can be trusted, reports.

A leader of the extension that had its list confirmed by a quorum is believed. A leader of the first
contract cannot tell: then the list is another node's own, or pieced together from who answers.
Leaders are found by id; followers leave the leader's address empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from quorumshift.adapters.raft.snaketron.statuses import Said
from quorumshift.adapters.raft.snaketron.table import Table
from quorumshift.domain.raft import Membership, RaftMember, RaftView, Report, Standing

LEARNS = 10
"""From so many entries behind, a starting node waits before it asks for its promotion."""


@dataclass(frozen=True, slots=True)
class Answers:
    """All that was learnt at one time. ``silent``: why each other node gave no usable status, by
    address."""

    said: Sequence[Said]
    silent: dict[str, str]
    table: Table

    def raft_id(self, one: Said) -> str:
        """A node's id: as it told it, else as the table has it; empty when neither does."""
        return one.raft_id or self.table.raft_id(one.address)

    @property
    def leaders(self) -> list[Said]:
        """Who leads in the highest term that was told. More than one: not one Raft cluster."""
        term = max((one.term for one in self.said), default=0)
        return [one for one in self.said if one.leads and one.term == term]

    @property
    def because(self) -> str:
        """Why a list is not confirmed."""
        why = [f"{one.address} leads and could not confirm it" for one in self.leaders]
        return "; ".join([*why, *self.silent.values()]) or "no node leads"


def view_of(answers: Answers) -> RaftView:
    """The view. Its ``unknown`` is empty where only the first contract stands in the way of a
    confirmed list, and nothing else is in doubt."""
    members, membership, doubts = _listed(answers)
    strangers = _strangers(answers, members)
    doubts = (
        *answers.table.doubts,
        *doubts,
        *answers.table.contradicted(answers.said),
        *_namesakes(answers),
        *(_stranger(one) for one in strangers),
    )
    return RaftView(members, membership, _reports(answers, members), doubts)


def leader_of(view: RaftView) -> str | None:
    """The leader's Raft id, as the members in the highest term name it."""
    ids = {member.raft_id for member in view.members}
    told = [report for report in view.reports.values() if report.raft_id in ids]
    term = max((report.term for report in told), default=0)
    named = {report.leader for report in told if report.term == term} - {None}
    return named.pop() if len(named) == 1 else None


def leading(view: RaftView) -> tuple[Report | None, str]:
    """The leader's report (``None``: it is silent) and its address (empty: it is not known)."""
    return where(leader_of(view), view)


def where(raft_id: str | None, view: RaftView) -> tuple[Report | None, str]:
    """This member's report (``None``: it is silent), and where it answers, or else is listed
    (empty: it is no member)."""
    for address, report in view.reports.items():
        if report.raft_id == raft_id:
            return report, address
    return None, next((m.address for m in view.members if m.raft_id == raft_id), "")


def _listed(
    answers: Answers,
) -> tuple[tuple[RaftMember, ...], Membership, tuple[str, ...]]:
    """The member list, how it was learnt, and what is in doubt about that."""
    confirmed = [one for one in answers.said if one.confirmed and one.members]
    if confirmed:
        return max(confirmed, key=lambda one: one.fresh).members, Membership.CONFIRMED, ()
    own = max((one for one in answers.said if one.members), key=lambda o: o.fresh, default=None)
    if any(not one.extended for one in answers.leaders):
        if own is not None:
            return own.members, Membership.INFERRED, ()
        return _pieced(answers)
    if own is not None:
        text = (
            f"The member list is {own.address}'s own view, and may be old: no leader could "
            f"confirm it through a quorum ({answers.because})."
        )
        return own.members, Membership.LOCAL, (text,)
    text = f"No node told the member list ({answers.because})."
    return (), Membership.UNKNOWN, (text,)


def _pieced(
    answers: Answers,
) -> tuple[tuple[RaftMember, ...], Membership, tuple[str, ...]]:
    """A cluster of the first contract, from who answers: whoever is alive joined by itself, and
    votes unless it is still catching up. A node of the extension did not: it waits outside, in no
    term, or would have told the list."""
    members, doubts = [], []
    for one in answers.said:
        if one.extended:
            if one.term:
                doubts.append(
                    f"{one.address} (node {one.raft_id}) does not tell whether it votes. Wait "
                    "until it knows the member list."
                )
            continue
        if not (raft_id := answers.raft_id(one)):
            rows = ", ".join(answers.table.ids(one.address)) or "none"
            doubts.append(
                f"{one.address} answers, but its Raft id is not known: its version does not tell "
                f"it, and the table of servers has these ids for that address: {rows}. Wait until "
                "it has exactly one."
            )
            continue
        learns = one.last_index - one.applied_index >= LEARNS
        standing = Standing.LEARNER if learns else Standing.VOTER
        members.append(RaftMember(raft_id, one.address, standing))
    doubts += [
        f"The table of servers has {address} as alive, and whether it votes is not known: {why}. "
        "Wait until it answers, or until its last heartbeat is 30 s old."
        for address, why in answers.silent.items()
        if answers.table.ids(address)
    ]
    return tuple(members), Membership.INFERRED, tuple(doubts)


def _reports(answers: Answers, members: Sequence[RaftMember]) -> dict[str, Report]:
    """Reports by address. Who tells no id, and has none in the table, is taken for the one member
    that is listed at its address."""
    listed = Counter(member.address for member in members)
    ids = {member.address: member.raft_id for member in members if listed[member.address] == 1}
    reports = {}
    for one in answers.said:
        if raft_id := answers.raft_id(one) or ids.get(one.address, ""):
            reports[one.address] = one.report(raft_id)
    return reports


def _strangers(answers: Answers, members: Sequence[RaftMember]) -> list[Said]:
    """Nodes that lead and are no members of the list."""
    known = {member.raft_id for member in members}
    return [one for one in answers.said if known and one.leads and one.raft_id not in known]


def _stranger(one: Said) -> str:
    return (
        f"{one.address} leads (node {one.raft_id}, term {one.term}), and the other nodes' member "
        "list does not have it: it started a cluster of its own instead of joining, or is about to "
        "learn that it was removed. If it stays so, stop it."
    )


def _namesakes(answers: Answers) -> list[str]:
    """Nodes that call themselves the same, a sentence for each id."""
    ids = Counter(one.raft_id for one in answers.said if one.raft_id)
    texts = []
    for raft_id in (raft_id for raft_id, count in ids.items() if count > 1):
        at = " and ".join(one.address for one in answers.said if one.raft_id == raft_id)
        texts.append(
            f"{at} both say that they are node {raft_id}, and one id is one member. Find out "
            "which of them is, and stop the other one."
        )
    return texts
