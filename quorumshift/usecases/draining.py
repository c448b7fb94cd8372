"""Blue's users, before blue may end: they are waited for, but not for ever."""

from __future__ import annotations

from dataclasses import dataclass

from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour

PAUSE_SECONDS = 15
"""Between two looks, in the deployment's seconds."""
LATEST_SECONDS = 2100.0
"""Real seconds since the hand-over began after which nobody is waited for any more: the answer is
due within the engine's hour, and what may still go wrong needs some of it."""


@dataclass(frozen=True, slots=True)
class Farewell:
    """What to say of blue's users, and the seconds to wait for them before the next look; 0: no
    longer. ``said`` is empty where nobody asked for a wait, or nobody could tell."""

    said: str
    pause: int


def farewell(seen: ClusterObservation, policy: Policy, waited: int, lasted: float) -> Farewell:
    """Blue is to end: is there anybody to wait for?

    ``waited``: seconds of pauses so far. They are counted rather than measured, because a pause
    takes the deployment's seconds, while ``seen.at`` and ``lasted`` (since the hand-over began)
    are the cluster's, and a rehearsal's deployment is faster than its cluster.
    """
    users = users_of_blue(seen)
    longest = policy.drain_minutes * 60
    if users is None or not longest:
        return Farewell("", 0)
    said = f"{users:,} user{' is' if users == 1 else 's are'} still connected to blue"
    said += f" (limit {policy.drain_connections:,}); waited {waited / 60:.1f} of {longest / 60:.0f}"
    left = max(0, longest - waited) if users > policy.drain_connections else 0
    if left and lasted >= LATEST_SECONDS:
        return Farewell(f"{said} min, and the answer is due.", 0)
    return Farewell(f"{said} min.", min(PAUSE_SECONDS, left))


def users_of_blue(seen: ClusterObservation) -> int | None:
    """How many users are connected to blue tasks, as far as they tell; ``None``: none tells."""
    told = [
        node.connections
        for node in seen.nodes
        if node.colour is Colour.BLUE and node.connections is not None
    ]
    return sum(told) if told else None
