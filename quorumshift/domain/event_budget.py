"""How often an execution of ``deploy`` may look, so that its history holds the worst of it.

Step Functions ends an execution whose history has 25,000 events (AWS Step Functions Developer
Guide, "Service quotas", Standard workflows): no ``Catch`` runs then, and the deployment goes on
without a follower. A deployment may be built, rolled out until the deadline, and rolled back until
the deadline once more; each look may need every retry that it has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

MOST_EVENTS = 25_000
EVENTS_A_LOOK = 15
"""Of a Wait, a look and a Choice: an entry and an exit each, and for each of the three times that a
look is tried at most: scheduled, started, and succeeded or failed."""
OTHER_EVENTS = 1_000
"""Of all other states, each tried as often as it may be, and of the few looks that a roll-back may
take past its deadline."""


def pace(asked: int, deadlines: Sequence[int]) -> int:
    """Seconds between two looks: as ``asked``, or as many more as the history needs.

    ``deadlines``: for how many seconds each of the loops may wait, one after the other. The last
    look of a loop is the first one after its deadline.
    """
    looks = (MOST_EVENTS - OTHER_EVENTS) // EVENTS_A_LOOK - len(deadlines)
    return max(asked, math.ceil(sum(deadlines) / looks))
