"""What the search for a hand-over's path is given, and what a path costs.

Paths compare by, in this order: the highest tolerance at the weakest point (which is not part of
the cost: the search tries one after the other); then the components of a cost, the first counts
most:

- operations while fewer than a quorum of the voters are locked;
- healthy voters that end because their lock is given back, where fewer are left than the policy
  asks (see ``Problem.ending``);
- mixed configurations (losing either colour loses the quorum);
- configurations at the lowest tolerance, then at the next one, and so on;
- changes made while a voter whose task is gone still votes;
- moves of leadership;
- changes made under a leader whose colour may vanish;
- changes made after leadership moved: the later it moves, the likelier a reversal before the point
  of no return need not move it back;
- the tolerance that lacks while leadership moves;
- the tolerance that lacks when a voter that is to leave gives its lock back, because a task that
  nobody wants any more may end at once;
- changes made while the leader's task is not locked;
- operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from quorumshift.domain.handover_steps import Cover, Kind
from quorumshift.domain.raft import Colour


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that nothing tells apart.

    ``goal``: to vote in the end. ``healthy``: counts for the tolerance once it votes, and its task
    can be locked. ``learner``: a learner that is to vote.
    ``leads``: it is the leader, alone in its group. ``able``: who leads of it can remove a member
    and hand leadership over. ``barred``: steps on its nodes that were refused for so long that
    another way is wanted (see ``Problem.here``), sorted. ``pinned``: all of them are locked, and
    none of these locks is ours to give back. ``size``: how many there are, 31 at most.
    """

    goal: bool
    colour: Colour
    healthy: bool
    learner: bool
    leads: bool
    able: bool
    barred: tuple[Kind, ...]
    pinned: bool
    size: int


class Counts(NamedTuple):
    """Of one group: how many vote, how many of them are locked, and how many others are."""

    voters: int
    locked: int
    others: int


@dataclass(frozen=True, slots=True)
class Problem:
    """What to search, wherever it starts. One group leads.

    ``budget``: how many tasks ECS lets us lock. ``tolerance``, ``minimum_voters``: what the policy
    asks; unhealthy voters do not count. ``learners``: how many there may be at a time.
    ``leftover``: learners that are not to vote; they stay until somebody able leads.
    ``transfer``, ``removal``, ``joint``: what the Raft can do. ``strict``: it admits nobody while
    a voter is unhealthy. ``cover``: what the locks are to keep at every moment. ``here``: how many
    of each group vote now; what is barred is so while they do, as the next change may be what it
    lacked. Empty: nothing is barred. ``ending``: a task that is to leave ends as soon as it is not
    locked, as on the way back, where its colour is wanted no more.
    """

    groups: tuple[Group, ...]
    budget: int
    tolerance: int
    minimum_voters: int
    learners: int
    leftover: int
    transfer: bool
    removal: bool
    joint: bool
    strict: bool
    cover: Cover
    here: tuple[int, ...] = ()
    ending: bool = False


class Move(StrEnum):
    """One operation of the search. Admission is no choice of its own: it precedes a promotion."""

    LOCK = "lock"
    RELEASE = "release"
    PROMOTE = "promote"
    TRANSFER = "transfer"
    REMOVE = "remove"
    REPLACE = "replace"


class Operation(NamedTuple):
    """``group``: index into the groups of the problem. ``voting``: for a lock or a release, whether
    the node votes. ``locked``: for a promotion or a removal, whether the node is locked."""

    move: Move
    group: int
    voting: bool = False
    locked: bool = False


LEVELS = 8
"""Tolerances told apart, the lowest first; seventeen voters tolerate eight."""

_BITS = 8  # of one component of a cost: a path has far fewer than 256 operations
_COMPONENTS = 11 + LEVELS


def _unit(position: int) -> int:
    return 1 << (_BITS * (_COMPONENTS - 1 - position))


UNLOCKED = _unit(0)
ENDED = _unit(1)
MIXED = _unit(2)
LEVEL = tuple(_unit(3 + level) for level in range(LEVELS))
GONE = _unit(3 + LEVELS)
TRANSFER = _unit(4 + LEVELS)
EXPOSED = _unit(5 + LEVELS)
LATE = _unit(6 + LEVELS)
WEAK = _unit(7 + LEVELS)
LOOSE = _unit(8 + LEVELS)
BARE = _unit(9 + LEVELS)
STEP = _unit(10 + LEVELS)
