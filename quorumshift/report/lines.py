"""Which events a person wants to read, and how each reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quorumshift.rehearsal.world import Event

SHOWN = {
    "stage": "rehearsal",
    "state": "state",
    "deployment": "deployment",
    "hook": "hook",
    "traffic": "traffic",
    "task": "task",
    "raft": "raft",
    "alarm": "alarm",
    "fault": "fault",
    "notification": "message",
    "error": "ERROR",
}
"""Kinds of events that are shown, and the word each is shown with."""

LOOPING = ("Wait", "Poll", "Settle", "Observe", "Plan", "Act")
"""States of a polling loop are entered again and again; only what they find is news."""


def line(event: Event) -> str | None:
    """One line for ``event``, or ``None`` when it is not worth one."""
    if event.kind not in SHOWN or (event.kind == "state" and not _news(event)):
        return None
    return f"{SHOWN[event.kind]:<11} {event.text}"


def _news(event: Event) -> bool:
    state = str(event.data.get("state", ""))
    return event.data.get("entered", True) and not state.startswith(LOOPING)
