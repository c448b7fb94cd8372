"""etcd's answers as the domain's words.

In protobuf's JSON mapping ids and indexes are decimal strings, and a field that has its default is
left out: no ``leader`` means none, no ``isLearner`` a voter. Whatever does not fit raises
``ValueError``: then it is not an etcd that answered.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from quorumshift.domain.raft import Membership, RaftMember, RaftView, Report, Standing

OLDEST = (3, 5)
"""The first version whose member list a quorum confirms: ``linearizable`` is new in it."""
_MOST_TEXT = 160
_NO_LEADER = "etcdserver: no leader"
_FOUNDER = (
    "started an etcd cluster of its own instead of joining (stop it and correct its "
    "--initial-cluster-state)"
)
_ALARM = re.compile(r"memberID:(\d+) alarm:(\w+)")
_REMEDIES = {
    "NOSPACE": "its space is used up; compact and defragment, then `etcdctl alarm disarm`",
    "CORRUPT": "its data differ from the others'; replace that member, then `etcdctl alarm disarm`",
}


@dataclass(frozen=True, slots=True)
class Said:
    """A node's status, and its own member list (``None``: a learner's, which may be a moment old).

    ``asks_for_user``: authentication is on.
    """

    address: str
    cluster: str
    version: str
    report: Report
    members: tuple[RaftMember, ...] | None
    asks_for_user: bool = False

    @property
    def confirms(self) -> bool:
        """Whether it reads its member list through a quorum when it is asked to. A version that
        cannot be read counts as an old one."""
        found = re.match(r"(\d+)\.(\d+)\.", self.version)
        modern = found is not None and (int(found[1]), int(found[2])) >= OLDEST
        return modern and not self.report.learns


@dataclass(frozen=True, slots=True)
class Silent:
    """Why a node is taken for silent. ``tls_at``: its address, if TLS is all that it speaks."""

    why: str
    tls_at: str = ""


def read_status(
    address: str,
    status: Mapping[str, Any],
    members: tuple[RaftMember, ...] | None,
    *,
    asks_for_user: bool = False,
) -> Said:
    """Read a status. Its ``raftIndex`` is the index known to be committed, not the log's end; its
    ``raftTerm`` that of the last entry it has applied."""
    header = status.get("header")
    if not isinstance(header, dict) or not _number(header.get("member_id")):
        raise ValueError("the answer is not an etcd's status")
    leader = _number(status.get("leader"))
    report = Report(
        raft_id=str(_number(header["member_id"])),
        term=_number(status.get("raftTerm")),
        leader=str(leader) if leader else None,
        last_index=_number(status.get("raftIndex")),
        applied_index=_number(status.get("raftAppliedIndex")),
        voters=None if members is None else _voters(members),
        alarms=_alarms(status.get("errors")),
        learns=bool(status.get("isLearner")),
    )
    cluster = str(_number(header.get("cluster_id")))
    version = str(status.get("version") or "")[:_MOST_TEXT]
    return Said(address, cluster, version, report, members, asks_for_user)


def _alarms(errors: Any) -> tuple[str, ...]:
    """What a status says is wrong, but for a leader that is missing: that is told by itself."""
    if errors is None:
        return ()
    if not isinstance(errors, list):
        raise ValueError("the errors of a status are no list")
    found = []
    for text in (str(error)[:_MOST_TEXT] for error in errors):
        if alarm := _ALARM.match(text):
            remedy = _REMEDIES.get(alarm[2], "read that node's log")
            found.append(f"alarm {alarm[2]} of member {alarm[1]} ({remedy})")
        elif text.strip() != _NO_LEADER:
            found.append(f"{text!r}")
    return tuple(sorted(found))


def _voters(members: Sequence[RaftMember]) -> frozenset[str]:
    return frozenset(member.raft_id for member in members if member.standing is Standing.VOTER)


def read_members(body: Mapping[str, Any]) -> tuple[RaftMember, ...]:
    """Read a member list. A member that has not started has no name and no client URL, hence the
    address from its peer URL."""
    listed = body.get("members")
    if not isinstance(listed, list) or not listed:
        raise ValueError("the answer holds no member list")
    members = []
    for entry in listed:
        urls = entry.get("peerURLs") if isinstance(entry, dict) else None
        host = urlsplit(str(urls[0])).hostname if isinstance(urls, list) and urls else None
        raft_id = _number(entry.get("ID")) if host else 0
        if not host or not raft_id:
            raise ValueError("a member without id or peer URL")
        standing = Standing.LEARNER if entry.get("isLearner") else Standing.VOTER
        members.append(RaftMember(str(raft_id), _ip(host) or host, standing))
    return tuple(members)


def placed(
    members: Sequence[RaftMember], said: Sequence[Said]
) -> tuple[tuple[RaftMember, ...], tuple[str, ...]]:
    """Members that are listed by name, at the address where they answer; a doubt for each that is
    silent, as no name tells whether its task is gone."""
    where = {one.report.raft_id: one.address for one in said}
    found, doubts = [], []
    for member in members:
        if _ip(member.address) is None and member.raft_id in where:
            member = replace(member, address=where[member.raft_id])
        elif _ip(member.address) is None:
            doubts.append(
                f"Member {member.raft_id} is listed at {member.address[:_MOST_TEXT]!r}, which is "
                "no IP address, and does not answer: whether its task is gone cannot be told. "
                "Bring it back, or remove it; peer URLs are best IP addresses."
            )
        found.append(member)
    return tuple(found), tuple(doubts)


def _ip(host: str) -> str | None:
    try:
        return ipaddress.ip_address(host).compressed
    except ValueError:
        return None


def _number(value: Any) -> int:
    """A 64-bit number of protobuf's JSON: a decimal string, absent when it is 0."""
    if value is None:
        return 0
    if isinstance(value, int | str):
        return int(value)
    raise ValueError(f"expected a number, not {type(value).__name__}")


def reports(said: Sequence[Said]) -> dict[str, Report]:
    """Reports by address. A former member still tells its own id, and so does whoever has the
    address of another one by now."""
    return {one.address: one.report for one in said}


def unconfirmed(
    said: Sequence[Said], silent: Sequence[Silent], unworkable: tuple[str, ...]
) -> RaftView:
    """The view when no quorum confirmed a list: the freshest node's own one, or none at all.

    ``silent``: each of the other nodes.
    """
    own = [(one.report.term, one.report.applied_index, one) for one in said if one.members]
    because = "; ".join(one.why for one in silent) or "every node answered its status"
    if not own:
        text = f"No voter told the member list ({because})."
        return RaftView((), Membership.UNKNOWN, reports(said), (text,), unworkable)
    freshest = max(own, key=lambda entry: entry[:2])[2]
    members, doubts = placed(freshest.members or (), said)
    text = (
        f"The member list is {freshest.address}'s own view, and may be old: no voter could "
        f"confirm it through a quorum ({because})."
    )
    return RaftView(members, Membership.LOCAL, reports(said), (text, *doubts), unworkable)


def apart(said: Sequence[Said]) -> dict[str, str]:
    """Of nodes that each founded a cluster of its own: what to say of them, as the rest of a
    sentence.

    Only where all others are of one cluster, and more than one of them answers: a lone node is told
    from them by its list, which holds nobody else. Of two clusters with several members each, or of
    two lone nodes, it cannot be told which is the service's.
    """
    sizes = Counter(one.cluster for one in said)
    lone = [
        one for one in said if one.members and len(one.members) == 1 and sizes[one.cluster] == 1
    ]
    others = [one for one in said if one not in lone]
    if len(others) < 2 or len({one.cluster for one in others}) != 1:
        return {}
    return {one.address: _FOUNDER for one in lone}


def two_clusters(said: Sequence[Said]) -> str:
    """Which addresses belong to which cluster, and what to do about it."""
    by_cluster: dict[str, list[str]] = {}
    for one in said:
        by_cluster.setdefault(one.cluster, []).append(one.address)
    sides = " and ".join(f"{', '.join(at)} (cluster {name})" for name, at in by_cluster.items())
    return (
        f"These belong to different etcd clusters: {sides}. A node started a cluster of its own "
        "instead of joining: stop it and correct its --initial-cluster-state."
    )


def leader_of(view: RaftView) -> str | None:
    """The leader's Raft id as the members in the highest term name it."""
    ids = {member.raft_id for member in view.members}
    told = [report for report in view.reports.values() if report.raft_id in ids]
    term = max((report.term for report in told), default=0)
    named = {report.leader for report in told if report.term == term} - {None}
    return named.pop() if len(named) == 1 else None


def place_of(raft_id: str, view: RaftView) -> str | None:
    """Where this member answers, which its own word tells before the list does; where it is listed
    if it is silent. ``None``: it is no member."""
    for address, report in view.reports.items():
        if report.raft_id == raft_id:
            return address
    return next((m.address for m in view.members if m.raft_id == raft_id), None)
