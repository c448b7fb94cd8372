"""Which revision *previous* is: the one that served, deployed well, before the one that serves.

The revision with the number before may never have served, or may have been rolled back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment that succeeded: the number of its revision, and of the one that served by then,
    where it is known."""

    revision: int
    over: int | None = None


def previous(serving: int, deployed: Iterable[Deployed]) -> int | None:
    """The number of the previous revision; ``deployed``: newest first. ``None``: nobody knows one.

    What serves may have been deployed many times in a row; what it replaced first is looked for.
    """
    for one in deployed:
        if one.revision != serving:
            return one.revision
        if one.over not in (None, serving):
            return one.over
    return None
