"""The best path by brute force: every subset of nodes is a state, nothing is clever.

It says again, naively, what may be done and what is better, so that the planner's search (groups,
packed integers, estimates) can be compared with it. Only for a handful of nodes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import NamedTuple

from quorumshift.domain.handover import Configuration, Kind

LEVELS = 8
Cost = tuple[int, ...]


class State(NamedTuple):
    """Addresses that vote and that are locked, and the one that leads."""

    voters: frozenset[str]
    locked: frozenset[str]
    leader: str


@dataclass(frozen=True)
class Puzzle:
    """Blue nodes are called b…, green ones g…, those without a task n…. ``fit``: healthy ones.

    Only ``learners`` are promoted while a voter is not fit: nobody else is admitted then. ``able``:
    those that can remove a member and hand leadership over, or stand for election when asked.
    ``ending``: who is to leave ends as soon as its lock is given back.
    """

    nodes: frozenset[str]
    goal: frozenset[str]
    fit: frozenset[str]
    learners: frozenset[str]
    able: frozenset[str]
    budget: int
    tolerance: int
    minimum: int
    weakest: int = field(default=0)
    ending: bool = False

    def need(self, state: State) -> int:
        """A majority of the voters."""
        return len(state.voters) // 2 + 1

    def spare(self, state: State) -> int:
        """The tolerance."""
        return len(state.voters & self.fit) - self.need(state)

    def missing(self, state: State) -> int:
        """Locks that a quorum of locked voters lacks."""
        return max(0, self.need(state) - len(state.voters & self.fit & state.locked))

    def unlockable(self, state: State) -> int:
        """Those that it would lack however many are taken."""
        able = min(len(state.voters & self.fit), self.budget)
        return max(0, self.need(state) - able)

    def may_vanish(self, state: State, colour: str) -> bool:
        """Whether the rest is a quorum without the nodes of one colour."""
        rest = {node for node in state.voters & self.fit if not node.startswith(colour)}
        return len(rest) >= self.need(state)

    def mixed(self, state: State) -> bool:
        """Whether losing either colour would lose the quorum."""
        return not self.may_vanish(state, "b") and not self.may_vanish(state, "g")

    def solved(self, state: State) -> bool:
        """The goal votes and leads, a quorum of it is locked, nothing else is."""
        done = state.voters == self.goal and state.leader in self.goal
        return done and state.locked <= self.goal and self.missing(state) <= self.unlockable(state)

    def moves(self, state: State) -> Iterator[State]:
        """Every state that one operation may lead to."""
        for node in self.nodes - state.locked:
            useful = node in self.fit and (node in state.voters or node in self.goal)
            if useful and len(state.locked) < self.budget:
                yield state._replace(locked=state.locked | {node})
        for node in state.locked:
            after = state._replace(locked=state.locked - {node})
            if self.missing(after) <= self.missing(state):
                yield after
        if self.missing(state) > self.unlockable(state):
            return
        for after in self.changes(state):
            lower = self.spare(after) < max(0, self.weakest, min(self.tolerance, self.spare(state)))
            fit, fit_before = len(after.voters & self.fit), len(state.voters & self.fit)
            fewer = fit < min(self.minimum, fit_before)
            looser = self.missing(after) > self.missing(state)
            short = self.unlockable(after) > self.unlockable(state)
            if not (lower or fewer or looser or short):
                yield after
        for node in state.voters & self.fit - {state.leader}:
            possible = node in self.able or state.leader in self.able
            useful = node in self.goal and state.leader not in self.goal
            if possible and (useful or state.leader not in self.able):
                yield state._replace(leader=node)

    def changes(self, state: State) -> Iterator[State]:
        """One voter more or fewer."""
        joining = (self.goal & self.fit) - state.voters
        for node in joining if state.voters <= self.fit else joining & self.learners:
            yield state._replace(voters=state.voters | {node})
        if state.leader not in self.able:
            return
        leaving = state.voters - self.goal - {state.leader}
        sick = leaving - self.fit
        for node in sick or leaving:
            yield state._replace(voters=state.voters - {node})

    def price(self, state: State, after: State) -> Cost:
        """What the operation that leads from one to the other costs, the worst first."""
        price = dict.fromkeys(range(11 + LEVELS), 0)
        price[0] = int(self.missing(state) > 0)
        price[10 + LEVELS] = 1
        if state.voters != after.voters:
            price[2] = int(self.mixed(after))
            price[3 + min(LEVELS - 1, self.spare(after) - self.weakest)] = 1
            price[3 + LEVELS] = int(any(node.startswith("n") for node in state.voters))
            price[5 + LEVELS] = int(self.may_vanish(state, state.leader[0]))
            price[6 + LEVELS] = int(state.leader in self.goal)
        if state.leader != after.leader:
            price[4 + LEVELS] = 1
            price[7 + LEVELS] = LEVELS - self.spare(state)
        if state.locked == after.locked:
            price[9 + LEVELS] = int(state.leader not in state.locked)
        for node in (state.locked - after.locked) & state.voters & self.fit - self.goal:
            if node in after.voters:
                price[8 + LEVELS] = LEVELS - self.spare(state)
                left = len(state.voters & self.fit - {node})
                too_few = self.spare(state) - 1 < self.tolerance or left < self.minimum
                price[1] = int(self.ending and too_few)
        return tuple(price.values())


def solve(puzzle: Puzzle, start: State) -> tuple[int, Cost] | None:
    """The weakest tolerance of the best path, and its cost; ``None`` if there is none."""
    whole = State(puzzle.goal, frozenset(), "")
    for weakest in range(puzzle.spare(whole), -1, -1):
        cost = _cheapest(_at(puzzle, weakest), start)
        if cost is not None:
            return weakest, cost
    return None


def cost_of(puzzle: Puzzle, weakest: int, rows: tuple[Configuration, ...]) -> Cost:
    """What a planned path costs. Raises ``AssertionError`` if one of its steps is not allowed."""
    puzzle = _at(puzzle, weakest)
    total: Cost = (0,) * (11 + LEVELS)
    states = list(_states(rows))
    assert puzzle.solved(states[-1]), "the path does not end at the goal"
    for state, after in pairwise(states):
        assert after in set(puzzle.moves(state)), f"{state} must not become {after}"
        total = _add(total, puzzle.price(state, after))
    return total


def _states(rows: tuple[Configuration, ...]) -> Iterator[State]:
    """One state an operation; of several locks in one row, those of voters come first."""
    for row in rows:
        state = State(frozenset(row.voters), frozenset(row.locked), row.leader)
        if row.step is None:
            last = state
            yield state
            continue
        if row.step.kind is Kind.ADMIT:
            continue
        keys = sorted(last.locked ^ state.locked, key=lambda node: node not in last.voters)
        if row.step.kind in (Kind.LOCK, Kind.RELEASE):
            for node in keys:
                last = last._replace(locked=last.locked ^ {node})
                yield last
            continue
        last = state
        yield state


def _cheapest(puzzle: Puzzle, start: State) -> Cost | None:
    order = count()
    zero: Cost = (0,) * (11 + LEVELS)
    frontier = [(zero, next(order), start)]
    done = set()
    while frontier:
        cost, _, state = heapq.heappop(frontier)
        if puzzle.solved(state):
            return cost
        if state in done:
            continue
        done.add(state)
        for after in puzzle.moves(state):
            if after not in done:
                heapq.heappush(
                    frontier, (_add(cost, puzzle.price(state, after)), next(order), after)
                )
    return None


def _add(one: Cost, other: Cost) -> Cost:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _at(puzzle: Puzzle, weakest: int) -> Puzzle:
    return Puzzle(
        puzzle.nodes,
        puzzle.goal,
        puzzle.fit,
        puzzle.learners,
        puzzle.able,
        puzzle.budget,
        puzzle.tolerance,
        puzzle.minimum,
        weakest,
        puzzle.ending,
    )
