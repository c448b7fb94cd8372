"""What is known of a Raft cluster at one time: nodes, their standing, what they say.

A *node* is one task of the service, with its Raft member if it has one (``joining`` tells which).
Its address identifies it within one observation, because a task has an address before it has a
Raft id, and a member keeps its address after its task is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Colour(StrEnum):
    """Which task set a node belongs to. ``NONE``: no task has this address any more, or its task is
    of neither: a later deployment's, or left over."""

    BLUE = "blue"
    GREEN = "green"
    NONE = "none"


class Standing(StrEnum):
    """A node's place in the Raft configuration."""

    OUTSIDE = "outside"
    LEARNER = "learner"
    VOTER = "voter"


class Membership(StrEnum):
    """How the list of members was learnt.

    ``CONFIRMED``: read through a quorum. ``LOCAL``: one node's own view, which may be old.
    ``INFERRED``: pieced together because the service cannot tell. ``UNKNOWN``: nobody told.
    """

    CONFIRMED = "confirmed"
    LOCAL = "local"
    INFERRED = "inferred"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Report:
    """What one member said of itself.

    ``leader`` is the Raft id it takes for the leader, ``None`` when it knows none. Indexes count
    log entries. ``voters`` are the Raft ids of the voters as this member knows them; ``None``
    where the service cannot say. ``joins_only``: its software can admit and promote members, and
    neither remove one nor hand leadership over. ``connections``: users connected to the node.
    ``alarms``: why its cluster refuses writes or what else it says is wrong, each with what to do.
    ``learns``: it takes itself for a learner.
    """

    raft_id: str
    term: int
    leader: str | None
    last_index: int
    applied_index: int
    voters: frozenset[str] | None = None
    joins_only: bool = False
    connections: int | None = None
    alarms: tuple[str, ...] = ()
    learns: bool = False


@dataclass(frozen=True, slots=True)
class RaftMember:
    """One entry of the cluster's member list."""

    raft_id: str
    address: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class RaftView:
    """What the Raft layer told: the member list, and each address's report.

    ``reports`` holds only addresses that answered in time, members or not: who is which member is
    what the reports say. ``unknown``: why the member list is not a confirmed one, a sentence each.
    ``unworkable``: what of this cluster the adapter cannot work with, and what to do, a sentence
    each. ``apart``: of addresses that answer and have no report, because they are of another
    cluster: what they do instead, and what to do about it, as the rest of a sentence.
    """

    members: tuple[RaftMember, ...]
    membership: Membership
    reports: Mapping[str, Report]
    unknown: tuple[str, ...] = ()
    unworkable: tuple[str, ...] = ()
    apart: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """One task of the service, as ECS tells it. ``locked_until``: epoch seconds, or unprotected.

    ``foreign_until``: until when somebody else protects it, with or without a lock of ours on it;
    ``None``: nobody does, so that what protection there is is our lock (``lock_record``).
    ``ready``: it runs and its health check, where it has one, passes.
    """

    arn: str
    address: str
    colour: Colour
    ready: bool
    locked_until: float | None = None
    foreign_until: float | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One node: its task (``None`` when gone), its member (``raft_id`` ``None`` when outside) and
    its report (``None`` when it did not answer in time, or is no member).

    ``address``: no other node of the observation has the same. A member at whose address another
    node is has its id added, ``10.0.0.1 (member 7)``: it has no task and no report, so nobody is
    ever asked there. ``connections``: users connected to it, member or not; ``None`` when it did
    not tell. ``foreign_until``: as of its task. ``apart``: what it does instead of answering as a
    member, as the rest of a sentence.
    """

    address: str
    colour: Colour
    standing: Standing
    task: str | None = None
    ready: bool = False
    locked_until: float | None = None
    raft_id: str | None = None
    report: Report | None = None
    connections: int | None = None
    foreign_until: float | None = None
    apart: str = ""


@dataclass(frozen=True, slots=True)
class ClusterObservation:
    """All nodes, at one time.

    ``at``: epoch seconds. ``desired``: how many tasks the service wants, which is also how many
    ECS lets us protect at once. ``unknown``: what could not be learnt, a sentence each.
    ``unworkable``: what nobody can wait for, because no change can be made or checked, a sentence
    each.
    """

    at: float
    nodes: tuple[Node, ...]
    desired: int
    membership: Membership
    unknown: tuple[str, ...] = ()
    unworkable: tuple[str, ...] = ()

    @property
    def voters(self) -> tuple[Node, ...]:
        """The nodes that vote."""
        return tuple(node for node in self.nodes if node.standing is Standing.VOTER)

    def node(self, address: str) -> Node | None:
        """The node at ``address``, if there is one."""
        return next((node for node in self.nodes if node.address == address), None)

    def by_raft_id(self, raft_id: str | None) -> Node | None:
        """The node whose member has this Raft id, if there is one."""
        if raft_id is None:
            return None
        return next((node for node in self.nodes if node.raft_id == raft_id), None)


def quorum(voters: int) -> int:
    """How many of ``voters`` must agree (dissertation, section 3.1): ⌊n/2⌋ + 1."""
    return voters // 2 + 1
