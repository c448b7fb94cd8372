"""A small world in which a planner hands over: nodes, votes, locks, and what a step makes of them.

A world is a set of nodes, kept sorted so that nodes which nothing tells apart are interchangeable.
It knows nothing of the product's arithmetic: majorities are counted here anew, by brute force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from quorumshift.domain.handover import Goal, Kind, Plan, Step
from quorumshift.domain.handover_steps import Refused
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import (
    ClusterObservation,
    Colour,
    Membership,
    Node,
    Report,
    Standing,
)

BLUE, GREEN, NONE = "blue", "green", "none"
OUTSIDE, LEARNER, VOTER = 0, 1, 2
FREE, SHORT, LOCKED = 0, 1, 2
STANDINGS = (Standing.OUTSIDE, Standing.LEARNER, Standing.VOTER)
TERM, LAST = 7, 1000
NOW, SOON, LATER = 1000.0, 1060.0, 9000.0


class N(NamedTuple):
    """One node. ``colour`` is "none" once its task has ended. ``caught``: its log is complete.
    ``able``: it can remove a member and move leadership, and not just admit and promote.
    ``refused``: its admission was, since others voted last. ``cut``: it answers clients and none of
    its peers. ``alarm``: it says that its cluster takes no writes."""

    colour: str
    standing: int
    leads: bool = False
    alive: bool = True
    caught: bool = True
    lock: int = FREE
    able: bool = True
    refused: bool = False
    cut: bool = False
    alarm: bool = False

    @property
    def votes(self) -> bool:
        """A voter that can take part in a majority."""
        return self.standing == VOTER and self.alive and not self.cut and self.colour != NONE


Nodes = tuple[N, ...]


class World(NamedTuple):
    """Where one run stands. ``faults``: how many the adversary has left. ``lenient``: the way back
    stood still, and came to its last resort."""

    nodes: Nodes
    goal: str
    faults: int
    stopped: bool = False
    lenient: bool = False


class Flaw(Exception):
    """A property was broken; the message tells which, and where."""


ETCD = Dialect("etcd", 1, leadership_transfer=True, removal=True, joins_need_every_voter=True)


@dataclass(frozen=True)
class Rules:
    """One service under check. ``sizes``: tasks of (blue, green); ``desired``: what ECS wants.

    ``adversary``: whether there is one; ``faults``: how often it may crash a node or stop the
    deployment; ``clock``: whether it may let the locks come to their end. ``joining``: colours
    whose nodes can only admit and promote. ``late``: ECS starts no task. ``cuts``: a fault may cut
    a voter off. ``last``: a way back that stands still comes to its last resort.
    """

    sizes: tuple[int, int]
    desired: int
    policy: Policy
    dialect: Dialect = ETCD
    adversary: bool = True
    faults: int = 0
    clock: bool = False
    joining: frozenset[str] = frozenset()
    late: bool = False
    cuts: bool = False
    last: bool = False


Planner = Callable[[ClusterObservation, Goal, Dialect, Policy, Refused], Plan]


def majority(nodes: Nodes) -> int:
    """Voters that must agree, dead or not."""
    return sum(node.standing == VOTER for node in nodes) // 2 + 1


def spare(nodes: Nodes) -> int:
    """How many more voters may fail."""
    return sum(node.votes for node in nodes) - majority(nodes)


def fit(nodes: Nodes) -> int:
    """Healthy voters."""
    return sum(node.votes for node in nodes)


def survives_stop(nodes: Nodes, colour: str) -> bool:
    """Whether a quorum is left when every unlocked task of one colour ends."""
    left = sum(node.votes and not (node.colour == colour and not node.lock) for node in nodes)
    return left >= majority(nodes)


def locked_votes(nodes: Nodes) -> int:
    """Healthy voters whose task is protected."""
    return sum(node.votes and node.lock != FREE for node in nodes)


def locks(nodes: Nodes) -> int:
    """Protected tasks of the service."""
    return sum(node.lock != FREE for node in nodes)


def tidy(nodes: Iterable[N]) -> Nodes:
    """Sorted, and without what neither has a task nor is a member."""
    left = (n for n in nodes if n.colour != NONE or n.standing != OUTSIDE)
    return tuple(sorted(n._replace(able=True) if n.colour == NONE else n for n in left))


def observe(nodes: Nodes, desired: int) -> ClusterObservation:
    """What the product would see of the world."""
    leader = next((str(at) for at, node in enumerate(nodes) if node.leads), None)
    seen = []
    for at, node in enumerate(nodes):
        member = node.standing != OUTSIDE
        seen.append(
            Node(
                address=str(at),
                colour=Colour(node.colour),
                standing=STANDINGS[node.standing],
                task=None if node.colour == NONE else f"task/{at}",
                ready=node.alive,
                locked_until=(None, SOON, LATER)[node.lock],
                raft_id=str(at) if member else None,
                report=_report(node, at, leader) if member and node.alive else None,
            )
        )
    told = all(node.able for node in nodes if node.leads)
    membership = Membership.CONFIRMED if told else Membership.INFERRED
    return ClusterObservation(NOW, tuple(seen), desired, membership)


def _report(node: N, at: int, leader: str | None) -> Report:
    index = LAST if node.caught else 0
    return Report(
        raft_id=str(at),
        term=TERM - node.cut,
        leader=None if node.cut else leader,
        last_index=index,
        applied_index=index,
        joins_only=not node.able,
        alarms=("alarm NOSPACE",) if node.alarm else (),
    )


def apply(nodes: Nodes, step: Step) -> Nodes:
    """The world after one step of ours; raises :class:`Flaw` if Raft would refuse or suffer."""
    if step.kind in (Kind.LOCK, Kind.RELEASE):
        lock = LOCKED if step.kind is Kind.LOCK else FREE
        chosen = {int(task.removeprefix("task/")) for task in step.tasks}
        return tuple(n._replace(lock=lock) if at in chosen else n for at, n in enumerate(nodes))
    if spare(nodes) < 0 or not any(node.leads for node in nodes):
        raise Flaw("a change was asked of a cluster without leader or quorum")
    changed = list(nodes)
    (leader,) = (node for node in nodes if node.leads)
    at = int(step.address)
    node = nodes[at]
    if step.kind is Kind.ADMIT:
        if node.standing == OUTSIDE:
            changed[at] = node._replace(standing=LEARNER, caught=False, refused=False)
    elif step.kind is Kind.PROMOTE:
        if node.standing == LEARNER and not (node.caught and node.alive and not node.cut):
            raise Flaw("a learner was promoted that lags or is dead")
        changed[at] = node._replace(standing=VOTER)
    elif step.kind is Kind.TRANSFER:
        if not (node.votes and node.caught):
            raise Flaw("leadership was moved to a node that cannot lead")
        if not leader.able and not node.able:
            raise Flaw("leadership was moved between nodes that only join")
        changed = [n._replace(leads=at == other) for other, n in enumerate(nodes)]
    elif step.kind is Kind.REMOVE:
        if node.leads:
            raise Flaw("the leader was removed")
        if not leader.able:
            raise Flaw("a removal was asked of a leader that only joins")
        changed[at] = node._replace(standing=OUTSIDE, caught=True)
    else:
        raise Flaw(f"{step.kind} is not part of this world")
    if step.kind in (Kind.PROMOTE, Kind.REMOVE):
        changed = [n._replace(refused=False) for n in changed]
    return tuple(changed)


def refusals(nodes: Nodes) -> Refused:
    """What the planner is told of refusals."""
    return frozenset((Kind.ADMIT, str(at)) for at, node in enumerate(nodes) if node.refused)
