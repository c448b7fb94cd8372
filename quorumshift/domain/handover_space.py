"""The states of a hand-over's search, the edges between them, and their prices.

A state is a configuration: who votes, whose task is locked, who leads. It counts the nodes of each
group and is packed into one integer. An edge is one operation, and what may never happen is no edge
at all:

- a configuration without a healthy quorum;
- a tolerance or a number of healthy voters below what the policy asks, unless it was lower before:
  then it may not fall further;
- a change while the locks fall short of what is asked of them (see
  :class:`~quorumshift.domain.handover_steps.Cover`) and need not, or any operation after which they
  fall shorter than before;
- more locks than the service wants tasks (ECS answers ``DEPLOYMENT_BLOCKED``), or a configuration
  that needs as many, though there may be more from before;
- the release of a lock that is somebody else's;
- an admission while a voter is unhealthy, where the Raft is taken to refuse that;
- a step that was refused for long, as long as the same nodes vote;
- the removal of the leader, or of a healthy voter while an unhealthy one may leave instead;
- a removal under a leader that can only admit and promote, or leadership for such a node: it could
  be moved there, and nothing that is left to be done could be done from there.

Leadership moves from who is to leave to who is to stay, and from who only joins to who is able.
None of this depends on where the search began, and every edge costs something. So whoever takes the
first step of the best path and searches again gets the rest of it, and never goes in circles.
"""

from __future__ import annotations

from collections.abc import Iterator

from quorumshift.domain.handover_layout import COUNTER, TOTAL, Layout
from quorumshift.domain.handover_problem import (
    BARE,
    ENDED,
    EXPOSED,
    GONE,
    LATE,
    LEVEL,
    LEVELS,
    LOOSE,
    MIXED,
    STEP,
    TRANSFER,
    UNLOCKED,
    WEAK,
    Group,
    Move,
    Operation,
    Problem,
)
from quorumshift.domain.handover_steps import Cover, Kind
from quorumshift.domain.handover_votes import Votes, count
from quorumshift.domain.raft import quorum

Edge = tuple[Operation, int, int]
"""An operation, the state after it, and its price."""

PlainEdge = tuple[Move, int, int, int]
"""A move, the group it concerns, the plain state after it, and its price."""


class Space(Layout):
    """All configurations that a problem may come to, each packed into one integer."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.groups)
        self.problem = problem
        self._votes: dict[int, Votes] = {}
        self._plain: dict[tuple[int, int], int | None] = {}
        self._edges: dict[tuple[int, int], list[PlainEdge]] = {}
        self.goal_voters = sum(
            group.size << at
            for group, at in zip(problem.groups, self.voters_at, strict=True)
            if group.goal
        )
        self._here = (
            sum(voters << at for voters, at in zip(problem.here, self.voters_at, strict=True))
            if problem.here
            else None
        )
        goal = self.votes(self.goal_voters)
        self.goal_tolerance = goal.tolerance
        strict = problem.cover is Cover.QUORUM
        self.goal_unlockable = goal.floors[Cover.QUORUM] if strict else goal.unlockable
        self.goal_locks = goal.quorum - self.goal_unlockable

    def missing(self, state: int) -> int:
        """How many locks on healthy voters a quorum of locks lacks."""
        lacking = self.votes(state & self.voters_mask).quorum - self.locked_votes(state)
        return lacking if lacking > 0 else 0

    def uncovered(self, state: int) -> int:
        """How far the locks are from what the problem asks of them."""
        if self.problem.cover is Cover.QUORUM:
            return self.missing(state)
        if self.problem.cover is Cover.NONE:
            return 0
        votes = self.votes(state & self.voters_mask)
        loose_blue = votes.blue - (state >> self.blue_at & TOTAL)
        loose_green = votes.green - (state >> self.green_at & TOTAL)
        return max(0, votes.quorum - votes.healthy + max(loose_blue, loose_green))

    def votes(self, voters: int) -> Votes:
        """The arithmetic of a configuration of voters (the low bits of a state)."""
        known = self._votes.get(voters)
        if known is None:
            each = (voters >> at & COUNTER for at in self.voters_at)
            known = count(zip(self.groups, each, strict=True), self.problem.budget)
            self._votes[voters] = known
        return known

    def is_goal(self, state: int) -> bool:
        """The goal votes and leads, a quorum of it is locked, and nothing else is by us."""
        astray = state >> self.astray_at & TOTAL
        enough = self.locked_votes(state) >= self.goal_locks
        return not astray and enough and self._is_plain_goal(state & self.plain_mask)

    def _is_plain_goal(self, plain: int) -> bool:
        leads = self.groups[self.leader(plain)]
        return leads.goal and plain & self.voters_mask == self.goal_voters

    # Edges

    def edges(self, state: int, weakest: int) -> Iterator[Edge]:
        """All that may be done, on paths whose tolerance is at least ``weakest``."""
        missing = self.missing(state)
        uncovered = self.uncovered(state)
        price = STEP + (UNLOCKED if missing else 0)
        yield from self._lock_edges(state, uncovered, price)
        if uncovered > self.votes(state & self.voters_mask).floors[self.problem.cover]:
            return
        leader_locks = state >> self.locked_at[self.leader(state)] & COUNTER
        price += 0 if leader_locks else BARE
        for operation, after, extra in self._change_edges(state, weakest):
            if self.uncovered(after) > uncovered:
                continue
            joint = operation.move is Move.REPLACE and self.problem.cover is not Cover.NONE
            if joint and missing < self._joint_missing(operation.group, state):
                continue
            yield operation, after, price + extra

    def _lock_edges(self, state: int, uncovered: int, price: int) -> Iterator[Edge]:
        free = state >> self.total_at & TOTAL < self.problem.budget
        for at, group in enumerate(self.groups):
            voters = state >> self.voters_at[at] & COUNTER
            locked = state >> self.locked_at[at] & COUNTER
            others = state >> self.others_at[at] & COUNTER
            if group.healthy and free:
                if locked < voters:
                    yield Operation(Move.LOCK, at, voting=True), state + self.lock_voter[at], price
                if group.goal and voters + others < group.size:
                    yield Operation(Move.LOCK, at), state + self.lock_other[at], price
            if group.pinned:
                continue  # not ours to give back
            if group.goal and free:
                continue  # a lock that the goal keeps is only given back to free a slot
            if others:
                yield Operation(Move.RELEASE, at), state - self.lock_other[at], price
            if locked:
                after = state - self.lock_voter[at]
                if self.uncovered(after) <= uncovered:
                    loose = self._price_of_release(group, self.votes(state & self.voters_mask))
                    yield Operation(Move.RELEASE, at, voting=True), after, price + loose

    def _price_of_release(self, group: Group, votes: Votes) -> int:
        if group.goal or not group.healthy:
            return 0
        problem, loose = self.problem, _lack(votes, LOOSE)
        few = votes.tolerance <= problem.tolerance or votes.healthy <= problem.minimum_voters
        return loose + (ENDED if problem.ending and few else 0)

    def _change_edges(self, state: int, weakest: int) -> Iterator[Edge]:
        before = state & self.plain_mask
        for move, at, plain, price in self._known_edges(before, weakest):
            after = state - before + plain
            voters = state >> self.voters_at[at] & COUNTER
            locked = state >> self.locked_at[at] & COUNTER
            others = state >> self.others_at[at] & COUNTER
            key = self.lock_voter[at] - self.lock_other[at]
            if move is Move.PROMOTE:
                if others:
                    yield Operation(move, at, locked=True), after + key, price
                if voters + others < self.groups[at].size:
                    yield Operation(move, at), after, price
            elif move is Move.REMOVE:
                if locked:
                    yield Operation(move, at, locked=True), after - key, price
                if locked < voters:
                    yield Operation(move, at), after, price
            elif move is Move.TRANSFER:
                yield Operation(move, at), after, price
            else:
                yield Operation(move, at), self._relock(after), price

    def _known_edges(self, plain: int, weakest: int) -> list[PlainEdge]:
        key = (plain, weakest)
        known = self._edges.get(key)
        if known is None:
            known = self._edges[key] = list(self._plain_edges(plain, weakest))
        return known

    def _plain_edges(self, plain: int, weakest: int) -> Iterator[PlainEdge]:
        """The edges between voters and leader, locks left aside."""
        groups = self.groups
        voters = plain & self.voters_mask
        votes = self.votes(voters)
        leading = self.leader(plain)
        leader = groups[leading]
        price = self._price_of_change(leader, votes)
        here_and_now = voters == self._here
        for at, group in enumerate(groups):
            here = voters >> self.voters_at[at] & COUNTER
            one = 1 << self.voters_at[at]
            barred = group.barred if here_and_now else ()
            joins = Kind.PROMOTE if group.learner else Kind.ADMIT
            may_promote = joins not in barred and self._may_promote(group, leader, votes)
            if group.goal and here < group.size and may_promote:
                entry = self._enter(voters + one, votes, weakest)
                if entry is not None:
                    yield Move.PROMOTE, at, plain + one, price + entry
            if here and Kind.TRANSFER not in barred and self._may_lead(group, leader):
                yield Move.TRANSFER, at, plain + ((at - leading) << self.leader_at), _move(votes)
            may_remove = Kind.REMOVE not in barred and self._may_remove(at, leading, votes)
            if not group.goal and here and may_remove:
                entry = self._enter(voters - one, votes, weakest)
                if entry is not None:
                    yield Move.REMOVE, at, plain - one, price + entry
        if self.problem.joint and not (here_and_now and Kind.REPLACE_ALL in leader.barred):
            yield from self._replace_edge(plain, votes, weakest, price)

    def _may_promote(self, group: Group, leader: Group, votes: Votes) -> bool:
        return group.healthy and (group.learner or self._may_admit(leader, votes))

    def _may_admit(self, leader: Group, votes: Votes) -> bool:
        closed = self.problem.strict and votes.healthy < votes.total
        learners = votes.learners + (0 if leader.able else self.problem.leftover)
        return not closed and learners < self.problem.learners

    def _may_lead(self, group: Group, leader: Group) -> bool:
        wanted = (group.goal and not leader.goal) or not leader.able
        return wanted and group.able and group.healthy and self.problem.transfer

    def _may_remove(self, at: int, leading: int, votes: Votes) -> bool:
        able = self.problem.removal and self.groups[leading].able
        if not able or at == leading:
            return False
        return not self.groups[at].healthy or not votes.unhealthy_leaving

    def _price_of_change(self, leader: Group, votes: Votes) -> int:
        price = EXPOSED if votes.may_vanish(leader.colour) else 0
        price += LATE if leader.goal else 0
        return price + (GONE if votes.gone else 0)

    def _enter(self, voters: int, before: Votes, weakest: int) -> int | None:
        """The price of entering a configuration, or ``None`` if it may not be entered."""
        votes = self.votes(voters)
        problem = self.problem
        if votes.tolerance < max(0, weakest, min(problem.tolerance, before.tolerance)):
            return None
        if votes.healthy < min(problem.minimum_voters, before.healthy):
            return None
        if votes.floors[problem.cover] > before.floors[problem.cover]:
            return None
        level = min(votes.tolerance - weakest, LEVELS - 1)
        return LEVEL[level] + (MIXED if votes.mixed else 0)

    # Joint consensus (dissertation, section 4.3)

    def _replace_edge(
        self, plain: int, votes: Votes, weakest: int, price: int
    ) -> Iterator[PlainEdge]:
        """To the goal at once, and the leader with it if it is to leave later.

        While it lasts both majorities must agree, so losing either colour loses one of them.
        """
        leading = self.leader(plain)
        closed = self.problem.strict and votes.healthy < votes.total
        if closed or not self.groups[leading].able:
            return
        wanted = self.goal_voters
        if not self.groups[leading].goal:
            wanted += 1 << self.voters_at[leading]
        before = plain & self.voters_mask
        changed = joining = 0
        for group, at in zip(self.groups, self.voters_at, strict=True):
            gain = (wanted >> at & COUNTER) - (before >> at & COUNTER)
            if gain > 0 and not group.healthy:
                return
            changed += abs(gain)
            joining += max(0, gain)
        entry = self._enter(wanted, votes, weakest)
        if entry is not None and changed > 1 and joining <= self.problem.learners:
            mixed = 0 if self.votes(wanted).mixed else MIXED
            yield Move.REPLACE, leading, plain - before + wanted, price + entry + mixed

    def _joint_missing(self, leading: int, state: int) -> int:
        """Locks that the new voters of a replacement lack while both configurations count."""
        total = locked = 0
        for at, group in enumerate(self.groups):
            if group.goal or at == leading:
                total += group.size
                if group.healthy:
                    locked += state >> self.locked_at[at] & COUNTER
                    locked += state >> self.others_at[at] & COUNTER
        return max(0, quorum(total) - locked)

    def _relock(self, state: int) -> int:
        """The locks after a replacement: what was locked still is, whether it votes or not."""
        for at in range(len(self.groups)):
            voters = state >> self.voters_at[at] & COUNTER
            locked = state >> self.locked_at[at] & COUNTER
            others = state >> self.others_at[at] & COUNTER
            gain = min(voters, locked + others) - locked
            state += gain * (self.lock_voter[at] - self.lock_other[at])
        return state

    # What a path from here costs at least

    def remaining(self, state: int, weakest: int) -> int | None:
        """A lower bound, exact but for what the locks force; ``None``: there is no path."""
        plain = self._best_plain(state & self.plain_mask, weakest)
        if plain is None:
            return None
        steps = state >> self.astray_at & TOTAL
        steps += max(0, self.goal_locks - (state >> self.held_at & TOTAL))
        repair = max(0, self.missing(state) - self.goal_unlockable)
        if self.problem.joint:
            repair = min(repair, 1)  # a replacement may mend several at once
        return plain + steps * STEP + repair * UNLOCKED

    def _best_plain(self, plain: int, weakest: int) -> int | None:
        """The cost of the best path if locks were free and unlimited. No change is ever undone on
        a path, so these edges have no cycle."""
        key = (plain, weakest)
        if key in self._plain:
            return self._plain[key]
        best: int | None = 0 if self._is_plain_goal(plain) else None
        if best is None:
            for _, _, after, price in self._known_edges(plain, weakest):
                rest = self._best_plain(after, weakest)
                if rest is not None and (best is None or STEP + price + rest < best):
                    best = STEP + price + rest
        self._plain[key] = best
        return best


def _move(votes: Votes) -> int:
    """The price of moving leadership: dearer where less may fail meanwhile."""
    return TRANSFER + _lack(votes, WEAK)


def _lack(votes: Votes, unit: int) -> int:
    return max(0, LEVELS - votes.tolerance) * unit
