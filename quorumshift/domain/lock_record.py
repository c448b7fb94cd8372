"""Whose the protection of a task is: what a lock of ours found, written down beside it.

ECS keeps one protection a task, and tells of it only until when it lasts. The task itself may have
set it, through its agent's endpoint, or a person. So each lock of ours leaves a record, written
before the lock, and gone with the task. By it a lock is given back to what was; a protection
without one, or one that ends later than the record's lock can, is somebody else's.

Times are epoch seconds.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

TAG = "quorumshift:lock"
"""The record's key, among the tags of the task."""
SLACK_SECONDS = 120.0
"""Between the moment a lock is computed from and ECS's own, several calls later; what is given
back is rounded up to a minute, too."""
MOST_MINUTES = 2880
"""That ECS protects a task for (API reference of UpdateTaskProtection)."""


@dataclass(frozen=True, slots=True)
class LockRecord:
    """``until``: when our lock ends, at the latest. ``before``: until when the task was protected
    without it; ``None``: it was not."""

    until: float
    before: float | None = None

    def text(self) -> str:
        """As a tag's value takes it: ``until:1790000000 before:-``."""
        before = "-" if self.before is None else math.ceil(self.before)
        return f"until:{math.ceil(self.until)} before:{before}"


def read_lock_record(text: str | None) -> LockRecord | None:
    """The record in a tag's value. One that cannot be read is none of ours."""
    found = re.fullmatch(r"until:(\d{1,12}) before:(\d{1,12}|-)", text) if text else None
    if found is None:
        return None
    return LockRecord(float(found[1]), None if found[2] == "-" else float(found[2]))


def foreign_until(record: LockRecord | None, locked_until: float | None) -> float | None:
    """Until when the task is protected without us; ``locked_until`` itself: no lock of ours is
    there. A lock that came to nothing after its record, and one that was given back without it,
    leave what was before."""
    if record is None or locked_until is None:
        return locked_until
    if locked_until > record.until + SLACK_SECONDS:
        return locked_until
    if record.before is not None and locked_until <= record.before + SLACK_SECONDS:
        return locked_until
    return record.before


def locking(
    record: LockRecord | None, locked_until: float | None, now: float, minutes: int
) -> LockRecord | None:
    """The record of a lock that is to last so long from ``now``; ``None``: there is nothing to do,
    as the task is protected for longer."""
    until = now + minutes * 60
    if locked_until is not None and locked_until > until:
        return None
    foreign = foreign_until(record, locked_until)
    return LockRecord(until, foreign if foreign is not None and foreign > now else None)


def giving_back(record: LockRecord | None, locked_until: float | None, now: float) -> int | None:
    """For how many minutes from ``now`` the task is to be protected once our lock is given back;
    0: not at all; ``None``: there is no lock of ours."""
    if locked_until is None or locked_until <= now:
        return None
    foreign = foreign_until(record, locked_until)
    if foreign == locked_until:
        return None
    if foreign is None:
        return 0
    return max(0, min(MOST_MINUTES, math.ceil((foreign - now) / 60)))
