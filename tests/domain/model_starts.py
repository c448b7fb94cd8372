"""Where the model check begins."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations_with_replacement

from tests.domain.model import (
    BLUE,
    GREEN,
    LEARNER,
    NONE,
    OUTSIDE,
    VOTER,
    N,
    Nodes,
    spare,
    tidy,
)

FIT, SILENT, GONE = "fit", "silent", "gone"
Part = tuple[int, str]
"""A node's standing and its health."""


def ordinary(blue: int, green: int) -> list[Nodes]:
    """Blue votes, green is outside, nobody is locked."""
    voters = [N(BLUE, VOTER, leads=at == 0) for at in range(blue)]
    return [tidy([*voters, *(N(GREEN, OUTSIDE) for _ in range(green))])]


def every(blue: int, green: int, ill: int) -> list[Nodes]:
    """Every standing of every node, at most ``ill`` of them unhealthy, led by any voter.

    At most one is a learner, as Raft refuses more here; and there is a quorum, or nothing can be
    done at all.
    """
    worlds = set()
    for blues in _casts(blue, ill):
        for greens in _casts(green, ill):
            parts = [*blues, *greens]
            if _ill(parts) > ill or _learners(parts) > 1:
                continue
            nodes = [_node(BLUE, *part) for part in blues]
            nodes += [_node(GREEN, *part) for part in greens]
            worlds |= set(_led(nodes))
    return sorted(world for world in worlds if spare(world) >= 0)


def joining(starts: list[Nodes], *colours: str) -> list[Nodes]:
    """The same, where the nodes of these colours can only admit and promote."""
    return [tidy(n._replace(able=n.colour not in colours) for n in nodes) for nodes in starts]


def alarmed(starts: list[Nodes]) -> list[Nodes]:
    """The same, where one of the voters says that its cluster takes no writes."""
    return [
        tidy(n._replace(alarm=True) if o == at else n for o, n in enumerate(nodes))
        for nodes in starts
        for at, node in enumerate(nodes)
        if node.votes
    ]


def sample(starts: list[Nodes], most: int) -> list[Nodes]:
    """So many of them, the same ones each time."""
    return random.Random(1).sample(starts, most)


def _casts(size: int, ill: int) -> Iterator[tuple[Part, ...]]:
    parts = [(standing, health) for standing in (OUTSIDE, LEARNER, VOTER) for health in _HEALTH]
    for cast in combinations_with_replacement(parts, size):
        if _ill(cast) <= ill and _learners(cast) <= 1:
            yield cast


_HEALTH = (FIT, SILENT, GONE)


def _ill(parts: list[Part] | tuple[Part, ...]) -> int:
    return sum(health != FIT for _, health in parts)


def _learners(parts: list[Part] | tuple[Part, ...]) -> int:
    return sum(standing == LEARNER for standing, _ in parts)


def _node(colour: str, standing: int, health: str) -> N:
    caught = standing != LEARNER
    return N(
        NONE if health == GONE else colour, standing, False, alive=health == FIT, caught=caught
    )


def _led(nodes: list[N]) -> Iterator[Nodes]:
    for at, node in enumerate(nodes):
        if node.votes:
            yield tidy([*nodes[:at], node._replace(leads=True), *nodes[at + 1 :]])
