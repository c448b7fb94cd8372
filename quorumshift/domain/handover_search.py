"""The safest path from the present voters to the wanted ones: A* over configurations.

What is allowed stands in ``handover_space``, what is better in ``handover_problem``.
"""

from __future__ import annotations

import functools
import heapq
from collections.abc import Sequence
from itertools import count

from quorumshift.domain.handover_problem import Counts, Operation, Problem
from quorumshift.domain.handover_space import Space

_space = functools.lru_cache(maxsize=64)(Space)


def search(problem: Problem, start: Sequence[Counts]) -> tuple[Operation, ...] | None:
    """The best path from ``start`` (empty: nothing is left to do), or ``None`` if there is none."""
    space = _space(problem)
    packed = space.pack(start)
    for weakest in range(space.goal_tolerance, -1, -1):
        path = _best(space, packed, weakest)
        if path is not None:
            return path
    return None


def _best(space: Space, start: int, weakest: int) -> tuple[Operation, ...] | None:
    """The cheapest path among configurations whose tolerance is at least ``weakest``."""
    estimate = space.remaining(start, weakest)
    if estimate is None:
        return None
    order = count()
    frontier = [(estimate, next(order), 0, start)]
    costs = {start: 0}
    came: dict[int, tuple[int, Operation]] = {}
    closed = set()
    while frontier:
        _, _, cost, state = heapq.heappop(frontier)
        if state in closed:
            continue
        if space.is_goal(state):
            return _unwind(came, state)
        closed.add(state)
        for operation, after, price in space.edges(state, weakest):
            total = cost + price
            if after in closed or total >= costs.get(after, total + 1):
                continue
            rest = space.remaining(after, weakest)
            if rest is None:
                continue
            costs[after] = total
            came[after] = (state, operation)
            # Of equals the latest first: so the search runs straight on along one of many.
            heapq.heappush(frontier, (total + rest, -next(order), total, after))
    return None


def _unwind(came: dict[int, tuple[int, Operation]], state: int) -> tuple[Operation, ...]:
    path = []
    while state in came:
        state, operation = came[state]
        path.append(operation)
    return tuple(reversed(path))
