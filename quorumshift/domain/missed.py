"""Looks that could not be made: a function that did not run, or died, saw nothing.

The state machine counts them, because nobody else can, and waits on: what is transient is no reason
to give a deployment up. Each counts as one wait of its loop, so that the deadline holds. A
roll-back has a count of its own: what was missed of the rollout takes nothing from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_LOOKS = 240
"""Of a loop, an hour at 15 seconds; then the deployment, or its roll-back, is given up. No function
of ours has run in that time, so nothing could have been done about it earlier."""

ROLLOUT = "missed"
"""Where an execution's state counts those at the rollout."""
ROLL_BACK = "missedOfRollback"
"""Where it counts those at the roll-back."""


def none_missed() -> dict[str, dict[str, int]]:
    """What both counts begin with."""
    return {count: {"looks": 0, "most": MOST_LOOKS} for count in (ROLLOUT, ROLL_BACK)}


def looks_missed(state: Mapping[str, Any], count: str) -> int:
    """How many so far. ``state``: the execution's."""
    return int((state.get(count) or {}).get("looks") or 0)


def gave_up(state: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What the last one failed with, ``{"Error", "Cause"}``, where so many were missed that the
    deployment was given up, or after it its roll-back."""
    for count in (ROLL_BACK, ROLLOUT):
        if looks_missed(state, count) >= MOST_LOOKS:
            return state[count].get("last") or {}
    return None
