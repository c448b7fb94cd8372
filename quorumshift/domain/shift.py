"""How traffic moves from blue to green: the steps, and when each is taken."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """``green``: percent of the traffic from then on; ``minute``: since the traffic began to move,
    in AWS's minutes."""

    green: int
    minute: int


def linear(percent: int, interval: int) -> tuple[Step, ...]:
    """``percent`` more every ``interval`` minutes, the first at once."""
    at = range(-(-100 // percent))
    return tuple(Step(min(100, percent * (n + 1)), interval * n) for n in at)


def canary(percent: int, interval: int) -> tuple[Step, ...]:
    """``percent`` at once, the rest after ``interval`` minutes."""
    return Step(percent, 0), Step(100, interval)


def at_once() -> tuple[Step, ...]:
    """All of it."""
    return (Step(100, 0),)
