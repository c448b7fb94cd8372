"""Which events a person wants to read, and how each reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorumshift.names import DEPLOY_STATES, HAND_OVER_STATES

if TYPE_CHECKING:
    from quorumshift.rehearsal.load import LoadSnapshot
    from quorumshift.rehearsal.players import PlayersSnapshot
    from quorumshift.rehearsal.world import Event

SHOWN = {
    "stage": "rehearsal",
    "state": "state",
    "deployment": "deployment",
    "hook": "hook",
    "traffic": "traffic",
    "task": "task",
    "raft": "raft",
    "schedule": "schedule",
    "alarm": "alarm",
    "fault": "fault",
    "notification": "message",
    "error": "ERROR",
}
"""Kinds of events that are shown, and the word each is shown with."""

LOOPING = ("PollBuild", "PollDeployment", "PollRollback", "Observe", "Plan", "Act")
"""Functions that a loop calls again and again; what they find is told by others."""
ENDS = (
    *("Deployed", "RolledBack", "Failed", "FailedUnheard", "Skipped"),
    *("HandedOver", "HandedBack", "Overtaken"),
)
NEWS = frozenset({*DEPLOY_STATES, *HAND_OVER_STATES, *ENDS} - {*LOOPING})
"""States whose entry is news; waiting and choosing is not."""
CHATTER = ("PROVISIONING", "PENDING", "DEACTIVATING", "STOPPING", "RUNNING, UNKNOWN")
"""Steps of a task's life that say nothing to somebody who watches a deployment."""


def line(event: Event) -> str | None:
    """One line for ``event``, or ``None`` when it is not worth one."""
    if event.kind not in SHOWN or not _worth_reading(event):
        return None
    return f"{SHOWN[event.kind]:<11} {event.text}"


def load_figures(seen: LoadSnapshot) -> str:
    """The load so far."""
    return f"{seen.total:,} requests, {seen.failed:,} failed, 99th percentile {seen.p99_ms:.1f} ms"


def player_figures(seen: PlayersSnapshot) -> str:
    """Where the players are, and what it cost them to get there. Blue is version 1."""
    blue, green = seen.versions.get("1", 0), seen.versions.get("2", 0)
    return (
        f"{seen.connected:,} of {seen.count:,} connected ({blue:,} blue, {green:,} green), "
        f"{seen.reconnects:,} reconnects, longest gap {seen.longest_gap_seconds:.2f} s"
    )


def _worth_reading(event: Event) -> bool:
    if event.kind == "state":
        return event.data.get("verb") == "entered" and event.data.get("state") in NEWS
    if event.kind == "notification":
        return not event.text.startswith("{")  # an event of AWS, already told by its engine
    if event.kind == "traffic":
        return "port" not in event.data  # the balancer's own word for what was told already
    if event.kind == "alarm":
        return (event.data.get("before"), event.data.get("state")) != ("INSUFFICIENT_DATA", "OK")
    if event.kind == "task":
        return not event.text.endswith(CHATTER)
    return True
