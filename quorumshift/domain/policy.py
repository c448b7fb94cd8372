"""What a team asks for, and what its service's Raft can do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """What must hold. Entries count log entries, seconds are the cluster's own (real) seconds.

    ``tolerance``: voters that may fail at any moment without loss of the quorum.
    ``minimum_voters``: fewer voters than this are never called healthy.
    ``trailing_entries``: how far a voter may lag behind the leader and still be healthy.
    ``stabilisation_seconds``: how long a healthy picture must last.
    ``settle_deadline_seconds``: how long to wait for an election or a catch-up to end.
    ``lock_minutes``: how long a vote lock lasts before it must be renewed (ECS: 1 to 2,880). Half
    of it is how long AWS may be out of order without loss of a vote.
    ``bake_before_majority``: rest at the last configuration from which green may vanish.
    ``allow_unlocked``: go on where ECS cannot protect the votes at every moment.
    ``allow_inferred``: go on where the member list can only be pieced together.
    ``drain_connections``, ``drain_minutes``: before blue may end, wait until no more than so many
    users are connected to it, but no longer than so many of the deployment's minutes.
    """

    tolerance: int = 1
    minimum_voters: int = 3
    trailing_entries: int = 250
    stabilisation_seconds: float = 10.0
    settle_deadline_seconds: float = 60.0
    lock_minutes: int = 360
    bake_before_majority: bool = False
    allow_unlocked: bool = False
    allow_inferred: bool = False
    drain_connections: int = 0
    drain_minutes: int = 0


@dataclass(frozen=True, slots=True)
class FirstContract:
    """What those nodes of a service speak that can only admit and promote (``Report.joins_only``),
    in words for people: its name, what it lacks, and the page that tells what to do about it."""

    name: str = "a contract"
    lacks: tuple[str, ...] = ("the removal of members", "the transfer of leadership")
    page: str = "docs/hand-over.md"


NAMELESS = FirstContract()
"""Of a service that is not known."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a service's Raft can do; the planner refuses what it cannot make safe without it.

    ``joins_need_every_voter``: it admits nobody while a voter is not connected.
    """

    name: str
    learners_at_a_time: int
    leadership_transfer: bool
    removal: bool
    joint_consensus: bool = False
    membership_list: bool = True
    joins_need_every_voter: bool = False
    first_contract: FirstContract = NAMELESS
