"""Observations of a service in a line or two."""

from __future__ import annotations

from collections.abc import Sequence

from quorumshift.domain.joining import combine
from quorumshift.domain.raft import (
    ClusterObservation,
    Colour,
    Membership,
    RaftMember,
    RaftView,
    Report,
    Standing,
    Task,
)


def cluster(
    blue: Sequence[str] = ("b1", "b2", "b3"),
    green: Sequence[str] = (),
    voters: Sequence[str] | None = None,
    down: Sequence[str] = (),
    at: float = 1000.0,
    membership: Membership = Membership.CONFIRMED,
    leader: str | None = None,
) -> ClusterObservation:
    """Tasks by address; ``voters`` (default: blue) are members, all answering but ``down``."""
    members = list(blue if voters is None else voters)
    leading = leader or next((one for one in members if one not in down), None)
    colours = {**dict.fromkeys(blue, Colour.BLUE), **dict.fromkeys(green, Colour.GREEN)}
    tasks = [Task(f"arn:task/{one}", one, colour, True) for one, colour in colours.items()]
    view = RaftView(
        members=tuple(RaftMember(f"id-{one}", one, Standing.VOTER) for one in members),
        membership=membership,
        reports={
            one: Report(f"id-{one}", 7, f"id-{leading}", 100, 100)
            for one in members
            if one not in down
        },
    )
    return combine(at=at, tasks=tasks, desired=len(blue) or len(green), view=view)
