"""What was suspended of a service's automatic scaling before a rollout suspended all of it.

The record stands beside the thing itself, so that whoever finds scaling suspended can tell whose
work that is, and undo it to what was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TAG = "quorumshift:suspended"
"""The record's key, among the tags of the scalable target."""
SUSPENSIONS = (
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
)
"""Application Auto Scaling's three (``SuspendedState``)."""
_LETTERS = dict(zip("ios", SUSPENSIONS, strict=True))


@dataclass(frozen=True, slots=True)
class Suspension:
    """``deployment``: the rollout for which all is suspended. ``before``: what was before."""

    deployment: str
    before: frozenset[str] = frozenset()

    def text(self) -> str:
        """As a tag's value takes it: ``d-ABC123 before:is``, a letter for in, out, scheduled."""
        letters = "".join(letter for letter, name in _LETTERS.items() if name in self.before)
        return f"{self.deployment} before:{letters}"

    def after(self, now: frozenset[str]) -> frozenset[str]:
        """What is to be suspended once the rollout is over: what was, unless somebody has let it go
        on meanwhile."""
        return self.before & now


def read_suspension(text: str | None) -> Suspension | None:
    """The record in a tag's value. One that cannot be read is none of ours."""
    deployment, found, letters = (text or "").rpartition(" before:")
    if not found or not deployment or not set(letters) <= set(_LETTERS):
        return None
    return Suspension(deployment, frozenset(_LETTERS[letter] for letter in letters))


def suspended(state: Mapping[str, object]) -> frozenset[str]:
    """The names that are on in a ``SuspendedState``; a name that is missing is off."""
    return frozenset(name for name in SUSPENSIONS if state.get(name))
