"""How a state of the hand-over's search is packed into one integer.

From the low bits: how many of each group vote; which group leads (so far the *plain* state); how
many locked voters each group has, how many other locked nodes; and sums of locks: on healthy voters
that are blue, or green; of all; those *astray* (of ours, on nodes that shall not vote); those
*held* (on nodes that shall vote and can).
"""

from __future__ import annotations

from collections.abc import Sequence

from quorumshift.domain.handover_problem import Counts, Group
from quorumshift.domain.raft import Colour

FIELD = 5  # bits of one group's counter
COUNTER = (1 << FIELD) - 1
SUM = 8  # bits of a sum over all groups
TOTAL = (1 << SUM) - 1


class Layout:
    """Where everything is in a packed state, and what to add to lock one node of a group."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = groups
        size = len(groups)
        self.voters_at = [FIELD * at for at in range(size)]
        self.leader_at = FIELD * size
        self.voters_mask = (1 << self.leader_at) - 1
        plain = self.leader_at + FIELD
        self.plain_mask = (1 << plain) - 1
        self.locked_at = [plain + FIELD * at for at in range(size)]
        self.others_at = [plain + FIELD * (size + at) for at in range(size)]
        sums = plain + 2 * FIELD * size
        self.blue_at, self.green_at, self.total_at, self.astray_at, self.held_at = (
            sums + SUM * at for at in range(5)
        )
        self.lock_other = [
            (1 << at) + self._sums_of_lock(group)
            for group, at in zip(groups, self.others_at, strict=True)
        ]
        self.lock_voter = [
            (1 << at) + self._sums_of_lock(group) + self._sums_of_vote(group)
            for group, at in zip(groups, self.locked_at, strict=True)
        ]

    def _sums_of_lock(self, group: Group) -> int:
        held = group.goal and group.healthy
        astray = not group.goal and not group.pinned
        return (1 << self.total_at) + (held << self.held_at) + (astray << self.astray_at)

    def _sums_of_vote(self, group: Group) -> int:
        if not group.healthy:
            return 0
        return 1 << (self.green_at if group.colour is Colour.GREEN else self.blue_at)

    def pack(self, counts: Sequence[Counts]) -> int:
        """The state in which each group has these counts, and the group that leads does."""
        state = 0
        for at, (group, here) in enumerate(zip(self.groups, counts, strict=True)):
            state += here.voters << self.voters_at[at]
            state += here.locked * self.lock_voter[at]
            state += here.others * self.lock_other[at]
            state += at << self.leader_at if group.leads else 0
        return state

    def leader(self, state: int) -> int:
        """The group that leads."""
        return state >> self.leader_at & COUNTER

    def locked_votes(self, state: int) -> int:
        """How many healthy voters are locked."""
        return (state >> self.blue_at & TOTAL) + (state >> self.green_at & TOTAL)
