"""What one node said of itself, as the domain's words.

proto3 leaves out what has its default: an empty ``leader_id`` means that the node knows no leader,
an empty ``node_id`` that it speaks the first contract. Whatever does not fit raises ``ValueError``:
then nothing rests on that node's word.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from quorumshift.adapters.raft.snaketron import game_relay_pb2 as pb
from quorumshift.domain.raft import RaftMember, Report, Standing


@dataclass(frozen=True, slots=True)
class Said:
    """A node's status. ``raft_id``: its own id as it told it, empty where it did not.

    ``extended``: it speaks the extension. ``members``: as it knows them, empty where it did not
    tell. ``confirmed``: it leads, and a quorum confirmed ``members`` after we asked.
    ``connections``: players connected to it; ``None`` where it cannot say.
    """

    address: str
    raft_id: str
    extended: bool
    leads: bool
    leader: str | None
    term: int
    last_index: int
    applied_index: int
    members: tuple[RaftMember, ...]
    confirmed: bool
    connections: int | None

    @property
    def fresh(self) -> tuple[int, int]:
        """Greater is fresher."""
        return self.term, self.applied_index

    def report(self, raft_id: str) -> Report:
        """The report of the node, whose id is ``raft_id``."""
        # One that names itself and does not lead is about to lead, or does no longer.
        named = None if self.leader == raft_id and not self.leads else self.leader
        return Report(
            raft_id=raft_id,
            term=self.term,
            leader=named,
            last_index=self.last_index,
            applied_index=self.applied_index,
            voters=_voters(self.members) if self.members else None,
            joins_only=not self.extended,
            connections=self.connections,
        )


def read_status(address: str, status: pb.RaftStatusResponse) -> Said:
    """Read one status."""
    node_id, leader = _id(status.node_id), _id(status.leader_id)
    if status.is_leader and not leader:
        raise ValueError("it says that it leads, and does not say who it is")
    if status.is_leader and node_id not in ("", leader):
        raise ValueError(f"node {node_id} says that it leads, and that node {leader} does")
    return Said(
        address=address,
        raft_id=node_id or (leader if status.is_leader else ""),
        extended=bool(node_id),
        leads=status.is_leader,
        leader=leader or None,
        term=status.current_term,
        last_index=status.last_log_index,
        applied_index=status.last_applied,
        members=_members(status.members) if node_id else (),
        confirmed=status.is_leader and status.members_confirmed and bool(node_id),
        connections=status.open_connections if node_id else None,
    )


def _members(listed: Iterable[pb.RaftMember]) -> tuple[RaftMember, ...]:
    members = []
    for entry in listed:
        raft_id = _id(entry.node_id)
        if not raft_id:
            raise ValueError(f"the member at {entry.grpc_addr!r} has no id")
        standing = Standing.LEARNER if entry.is_learner else Standing.VOTER
        members.append(RaftMember(raft_id, _host(raft_id, entry.grpc_addr), standing))
    if len({member.raft_id for member in members}) < len(members):
        raise ValueError("two members have the same id")
    return tuple(members)


def _id(text: str) -> str:
    if text and not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text[:40]!r} is not a Raft id: expected a decimal number")
    return text


def _host(raft_id: str, grpc_addr: str) -> str:
    """Members are matched with tasks by address."""
    try:
        host = urlsplit(f"//{grpc_addr.removeprefix('http://')}").hostname
        return str(ipaddress.ip_address(host or ""))
    except ValueError:
        raise ValueError(
            f"member {raft_id} has the address {grpc_addr[:80]!r}: expected IP:port"
        ) from None


def _voters(members: Iterable[RaftMember]) -> frozenset[str]:
    return frozenset(member.raft_id for member in members if member.standing is Standing.VOTER)
