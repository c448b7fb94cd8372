"""Waiting for what a deed has brought about, with an end."""

from __future__ import annotations

import time
from collections.abc import Callable

from quorumshift.rehearsal.world import World

LOOK_EVERY = 0.05
"""Real seconds between two looks."""


class NotSeen(RuntimeError):
    """What was waited for did not happen."""


def wait_for(
    world: World,
    holds: Callable[[], bool],
    what: str,
    seconds: float,
    left: Callable[[], str] = str,
) -> None:
    """Return when ``holds()`` does. Raises :class:`NotSeen` after ``seconds`` real ones, with what
    is ``left()`` to do, or when the rehearsal ends."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            why = f": {left()}" if left() else ""
            raise NotSeen(f"waited {seconds:.0f} s for {what}, which did not happen{why}")
        if world.stopping.wait(LOOK_EVERY):
            raise NotSeen(f"the rehearsal ended while it waited for {what}")
