"""What can be made to go wrong in a rehearsal.

A fault is data: which image is deployed, and what is done to the running world at which moment.
The moments are named; ``quorumshift/rehearsal/run.py`` acts them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Deed(StrEnum):
    """What is done to the world, and when."""

    NOTHING = "nothing"
    KILL_VOTER_BEFORE = "kill a follower's task before the deployment starts"
    MOVE_LEADER_DURING_SHIFT = "move leadership to another voter in the middle of the shift"
    CRASH_HOOK = "make the Lambda of one hook raise"


@dataclass(frozen=True, slots=True)
class Fault:
    """``behaviour``: of version 2's image (rehearsal/images.py); ``blue_behaviour``: of the one
    that runs already."""

    name: str
    about: str
    behaviour: str = "normal"
    blue_behaviour: str = "normal"
    deed: Deed = Deed.NOTHING


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("bad-image", "green exits at start", behaviour="exit"),
        Fault("unhealthy-green", "green's health check answers 500", behaviour="unhealthy"),
        Fault("slow-green", "green answers slower than the alarm allows", behaviour="slow"),
        Fault("degraded", "one blue voter is down before the start", deed=Deed.KILL_VOTER_BEFORE),
        Fault(
            "move-leader",
            "leadership moves in the middle of the shift",
            deed=Deed.MOVE_LEADER_DURING_SHIFT,
        ),
        Fault("hook-crash", "a hook's Lambda raises", deed=Deed.CRASH_HOOK),
    )
}
