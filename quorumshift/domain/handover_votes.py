"""The arithmetic of one configuration of voters, for the search."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from quorumshift.domain.handover_problem import Group
from quorumshift.domain.handover_steps import Cover
from quorumshift.domain.raft import Colour, quorum


@dataclass(frozen=True, slots=True)
class Votes:
    """What follows from who votes.

    ``healthy``: of ``total``; ``blue``, ``green``: of the healthy. ``floors``: how far the locks
    fall short of each cover at best, with all locked that can be. ``gone``: a voter without a task
    votes. ``unhealthy_leaving``: an unhealthy voter is to leave. ``learners``: those that are to
    vote. ``unlockable``: as the floor of a quorum, with the locks that are not ours to give back
    where they are.
    """

    total: int
    quorum: int
    tolerance: int
    healthy: int
    blue: int
    green: int
    floors: dict[Cover, int]
    gone: bool
    unhealthy_leaving: bool
    learners: int
    unlockable: int

    @property
    def blue_may_vanish(self) -> bool:
        """Whether the rest is a quorum without blue."""
        return self.healthy - self.blue >= self.quorum

    @property
    def green_may_vanish(self) -> bool:
        """Whether the rest is a quorum without green."""
        return self.healthy - self.green >= self.quorum

    @property
    def mixed(self) -> bool:
        """Whether losing either colour would lose the quorum."""
        return not self.blue_may_vanish and not self.green_may_vanish

    def may_vanish(self, colour: Colour) -> bool:
        """Whether the rest is a quorum without this colour."""
        if colour is Colour.BLUE:
            return self.blue_may_vanish
        return colour is Colour.GREEN and self.green_may_vanish


def count(voters: Iterable[tuple[Group, int]], budget: int) -> Votes:
    """Count a configuration: how many of each group vote. ``budget``: locks that ECS allows."""
    total = healthy = learners = blue = green = pinned = held = 0
    gone = unhealthy_leaving = False
    for group, here in voters:
        total += here
        pinned += group.size if group.pinned else 0
        learners += group.size - here if group.learner else 0
        if group.healthy:
            healthy += here
            blue += here if group.colour is Colour.BLUE else 0
            green += here if group.colour is Colour.GREEN else 0
            held += here if group.pinned else 0
        elif here:
            gone = gone or group.colour is Colour.NONE
            unhealthy_leaving = unhealthy_leaving or not group.goal
    needed = quorum(total)
    return Votes(
        total=total,
        quorum=needed,
        tolerance=healthy - needed,
        healthy=healthy,
        blue=blue,
        green=green,
        floors={
            Cover.QUORUM: max(0, needed - min(healthy, budget)),
            Cover.EITHER: _least_exposed(healthy - needed, blue, green, budget),
            Cover.NONE: 0,
        },
        gone=gone,
        unhealthy_leaving=unhealthy_leaving,
        learners=learners,
        unlockable=max(0, needed - min(healthy, held + max(0, budget - pinned))),
    )


def _least_exposed(spare: int, blue: int, green: int, budget: int) -> int:
    """How many votes the quorum would lack if all unlocked tasks of the worse colour ended, with
    the locks spread as well as can be."""
    short = 0
    while max(0, blue - spare - short) + max(0, green - spare - short) > budget:
        short += 1
    return short
