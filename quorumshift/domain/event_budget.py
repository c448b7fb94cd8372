"""How often an execution of ``deploy`` may look, so that its history holds the worst of it.

Step Functions ends an execution whose history has 25,000 events (AWS Step Functions Developer
Guide, "Service quotas", Standard workflows): no ``Catch`` runs then, and the deployment goes on
without a follower. A deployment may be built, rolled out until the deadline, and rolled back until
the deadline once more; each look may need every retry that it has, and as many as the state machine
counts may be missed in each of the two loops.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from quorumshift.domain.missed import MOST_LOOKS

MOST_EVENTS = 25_000
EVENTS_A_LOOK = 9
"""Of a Wait, a look and a Choice: an entry and an exit each, and for the look itself: scheduled,
started, and succeeded."""
EVENTS_A_MISSED_LOOK = EVENTS_A_LOOK + 2
"""And of what counts it."""
EVENTS_A_LOOK_AT_A_BUILD = 15
"""Nobody counts one that is missed; it is tried three times at most instead."""
OTHER_EVENTS = 2_000
"""Of all other states, each tried as often as it may be, and of the few looks that a roll-back may
take past its deadline."""
MISSED_EVENTS = 2 * MOST_LOOKS * EVENTS_A_MISSED_LOOK
"""Of the looks at the rollout, and at the roll-back, that are missed when the deadline is near and
no function runs that could tell."""


EVENTS_A_TURN = 19
"""Of a turn of ``hand_over``: three functions of five events each, a Choice and a Wait."""
BRISK_TURNS = 400
"""So many turns may follow each other without a pause: more than any that gets somewhere takes."""
SLOW_SECONDS = 5
"""The least pause after that. No hand-over needs it: it holds one that acts and gets nowhere, so
that this one still ends by its own deadline, with a word, and not by its history."""


def least_pause(turns: int) -> int:
    """Seconds that a hand-over rests at least after so many turns."""
    return 0 if turns <= BRISK_TURNS else SLOW_SECONDS


def pace(asked: int, loops: Sequence[tuple[int, int]]) -> int:
    """Seconds between two looks: as ``asked``, or as many more as the history needs.

    ``loops``: for how many seconds each may wait, one after the other, and how many events a look
    costs. The last look of a loop is the first one after its deadline.
    """
    last = sum(events for _, events in loops)
    room = MOST_EVENTS - OTHER_EVENTS - MISSED_EVENTS - last
    return max(asked, math.ceil(sum(seconds * events for seconds, events in loops) / room))
