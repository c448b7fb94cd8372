"""Looks that could not be made: a function that did not run, or died, saw nothing.

The state machine counts them, because nobody else can, and waits on: what is transient is no reason
to give a deployment up. Each counts as one wait of its loop, so that the deadline holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_LOOKS = 240
"""Of both loops together, an hour at 15 seconds; then a deployment is given up. No function of ours
has run in that time, so nothing could have been done about it earlier."""


def none_missed() -> dict[str, int]:
    """What ``$.missed`` begins with."""
    return {"looks": 0, "most": MOST_LOOKS}


def looks_missed(state: Mapping[str, Any]) -> int:
    """How many so far. ``state``: the execution's."""
    return int((state.get("missed") or {}).get("looks") or 0)


def gave_up(state: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What the last one failed with, ``{"Error", "Cause"}``, where so many were missed that the
    deployment was given up."""
    missed = state.get("missed") or {}
    return (missed.get("last") or {}) if looks_missed(state) >= MOST_LOOKS else None
