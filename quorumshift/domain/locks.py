"""Vote locks: which tasks ECS itself must not end.

A lock is ECS task protection. It shields a task from scale-in and deployments until it expires or
is given back, also when nothing of ours runs any more. A lock protects a vote only while its node
is a healthy voter. A task that protects itself, or that a person protects, is as good as locked,
takes one of the places that ECS has for locks, and is not ours to unlock (``lock_record``).
"""

from __future__ import annotations

from collections.abc import Iterable

from quorumshift.domain.handover_steps import Kind, Step
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Node, Standing, quorum
from quorumshift.domain.reading import Reading, listed, read

RENEW_BELOW = 0.25
"""The share of its time below which a lock that is still needed is renewed."""
RENEWED_TIMES = 3
"""In a lock's life, by the looks that follow a deployment."""
SHORTEST_MINUTES = 60
"""Of a lock. CodeDeploy waits so long for the hand-over's answer, in which nobody but the hand-over
renews; and it holds three of the slowest looks at a deployment."""


def is_locked(node: Node, at: float) -> bool:
    """Whether the node's task is protected at ``at`` (epoch seconds)."""
    return node.task is not None and node.locked_until is not None and node.locked_until > at


def locked(observation: ClusterObservation) -> tuple[Node, ...]:
    """The nodes whose tasks are protected now."""
    return tuple(node for node in observation.nodes if is_locked(node, observation.at))


def is_ours(node: Node, at: float) -> bool:
    """Whether a lock of ours is on the node's task; else somebody else protects it, or nobody."""
    return is_locked(node, at) and node.locked_until != node.foreign_until


def is_pinned(node: Node, at: float) -> bool:
    """Whether the node's task stays protected whatever we give back: somebody else protects it."""
    foreign = node.foreign_until
    return is_locked(node, at) and foreign is not None and foreign > at


def our_locks(observation: ClusterObservation) -> tuple[Node, ...]:
    """The nodes with a lock of ours."""
    return tuple(node for node in observation.nodes if is_ours(node, observation.at))


def protected_by_others(observation: ClusterObservation) -> str:
    """Which places somebody else has taken, as the end of a sentence; empty: none."""
    theirs = [node.address for node in observation.nodes if is_pinned(node, observation.at)]
    return f", and somebody else protects {listed(theirs)}" if theirs else ""


def renewal(observation: ClusterObservation, wanted: frozenset[str], policy: Policy) -> Step | None:
    """Renew the locks of voters, and of nodes at ``wanted``, that are about to expire."""
    limit = observation.at + policy.lock_minutes * 60 * RENEW_BELOW
    short = [
        node
        for node in locked(observation)
        if node.locked_until is not None
        and node.locked_until <= limit
        and (node.address in wanted or (node.standing is Standing.VOTER and node.report))
    ]
    if not short:
        return None
    text = f"Time to renew: little of the lock of {listed(n.address for n in short)} is left."
    return lock_step(Kind.LOCK, short, text)


def hold(observation: ClusterObservation, policy: Policy) -> Step | None:
    """The next step towards a quorum of the present voters being locked; ``None``: it is.

    For hooks, which keep the votes but change no membership. A lock in the way of one that is
    needed is given back first, as ECS protects at most as many tasks as the service wants. Where
    too few are left for a quorum, they go where the end of either colour alone would do harm.
    """
    voters = observation.voters
    reading = read(observation, policy)
    fit = [node for node in _fit(observation, reading) if node.task is not None]
    held = [node for node in fit if is_locked(node, observation.at)]
    need = quorum(len(voters)) - len(held)
    if need > 0:
        free = observation.desired - len(locked(observation))
        useless = [
            node
            for node in our_locks(observation)
            if node not in fit and not is_pinned(node, observation.at)
        ]
        if free < need and useless:
            text = f"The lock of {listed(n.address for n in useless)} protects no healthy vote."
            return lock_step(Kind.RELEASE, useless, text)
        open_ones = [node for node in fit if node not in held]
        if free < need:
            open_ones = _exposed(fit, held, quorum(len(voters)))
        chosen = open_ones[: max(0, min(need, free))]
        if chosen:
            text = f"A quorum of the {len(voters)} voters ({quorum(len(voters))}) is to be locked."
            return lock_step(Kind.LOCK, chosen, text)
    return renewal(observation, frozenset(), policy)


def the_rest(observation: ClusterObservation, policy: Policy) -> Step | None:
    """Lock the healthy voters that are not, as many as ECS lets us; ``None``: there is nobody, or
    no room. A quorum of locks outlives an end of either colour; with all of them locked, one such
    end costs no tolerance either."""
    fit = [node for node in _fit(observation, read(observation, policy)) if node.task is not None]
    free = max(0, observation.desired - len(locked(observation)))
    loose = [node for node in fit if not is_locked(node, observation.at)][:free]
    if not loose:
        return None
    return lock_step(Kind.LOCK, loose, "Before blue ends, every voter that can be is locked.")


def let_go(observation: ClusterObservation) -> Step | None:
    """Give back every lock of ours; ``None``: there is none. For the end of a deployment, and for
    locks that an execution which died has left behind."""
    left = our_locks(observation)
    if not left:
        return None
    return lock_step(Kind.RELEASE, left, "The deployment has ended: its locks are given back.")


def lock_step(kind: Kind, nodes: Iterable[Node], reason: str) -> Step:
    """One lock or release of all ``nodes``, which all have tasks."""
    first, *rest = sorted(nodes, key=lambda node: node.address)
    tasks = tuple(node.task for node in (first, *rest) if node.task is not None)
    return Step(kind, first.address, first.raft_id, first.task, reason, tasks)


def _exposed(fit: list[Node], held: list[Node], needed: int) -> list[Node]:
    """Those not locked yet, first the ones without whom the end of one colour's unlocked tasks
    would leave fewer than ``needed``; green's before blue's, as a roll-back ends green."""
    first: list[Node] = []
    for ending in (Colour.GREEN, Colour.BLUE):
        staying = sum(node.colour is not ending or node in held for node in fit)
        unlocked = [node for node in fit if node.colour is ending and node not in held]
        first += unlocked[: max(0, needed - staying)]
    return first + [node for node in fit if node not in held and node not in first]


def _fit(observation: ClusterObservation, reading: Reading) -> list[Node]:
    """Voters worth a lock, the leader first; without a known leader, all that answer."""
    if reading.leader is None:
        return [node for node in observation.voters if node.report is not None]
    return sorted(reading.healthy, key=lambda node: (node != reading.leader, node.address))
