"""The moments of a deployment at which something can be made to go wrong.

A moment comes with an event of the rehearsal's story, or, for a step of the hand-over, with the
call of the function that is about to do the step.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from quorumshift.domain.handover_steps import Kind

if TYPE_CHECKING:  # the command reads its options without an AWS client
    from quorumshift.rehearsal.world import Event

STEP_KINDS = (Kind.LOCK, Kind.ADMIT, Kind.PROMOTE, Kind.TRANSFER, Kind.REMOVE, Kind.RELEASE)
"""Steps that etcd's hand-over is made of."""
MIDDLE = 50
"""Percent of the traffic on green from which on the shift is at its middle."""
_SHARE = re.compile(r"([1-9]\d?|100)%")
_STEP = re.compile(rf"({'|'.join(STEP_KINDS)})-([1-9]\d?)")


class Phase(StrEnum):
    """Where in a deployment. ``START``: before there is one.

    ``BEFORE``: green is up, and the hook BeforeAllowTraffic starts. ``TRAFFIC``: so much of the
    traffic has just gone to green. ``DURING``: at least half of it has. ``AFTER``: all of it has,
    and the hand-over has not begun. ``STEP``: a step of the hand-over is about to be done.
    ``HANDED_OVER``: AfterAllowTraffic was answered, and blue has not begun to end.
    """

    START = "start"
    BEFORE = "before"
    TRAFFIC = "NN%"
    DURING = "during"
    AFTER = "after"
    STEP = "STEP"
    HANDED_OVER = "handed-over"


_PLAIN = (Phase.BEFORE, Phase.DURING, Phase.AFTER, Phase.HANDED_OVER)


@dataclass(frozen=True, slots=True)
class Moment:
    """``number``: percent on green, or the how-manieth step of its ``kind``, from 1.

    Steps are counted through the whole rehearsal, a way back included, each once however often it
    is tried.
    """

    phase: Phase
    number: int = 0
    kind: Kind | None = None

    def __str__(self) -> str:
        if self.phase is Phase.TRAFFIC:
            return f"{self.number}%"
        if self.phase is Phase.STEP:
            return f"{self.kind}-{self.number}"
        return self.phase.value

    def comes_with(self, event: Event) -> bool:
        """Whether ``event``, of the deployment and not of its roll-back, is this moment."""
        said = event.data
        if self.phase is Phase.TRAFFIC:
            return event.kind == "traffic" and said.get("green") == self.number
        if self.phase is Phase.DURING:
            return event.kind == "traffic" and said.get("green", 0) >= MIDDLE
        expected = _STAGES.get(self.phase)
        return expected is not None and (said.get("event"), said.get("status")) == expected


_STAGES = {
    Phase.BEFORE: ("BeforeAllowTraffic", "InProgress"),
    Phase.AFTER: ("AllowTraffic", "Succeeded"),
    Phase.HANDED_OVER: ("AfterAllowTraffic", "Succeeded"),
}
"""Lifecycle events whose change of status is a moment."""


def read_moment(text: str) -> Moment | None:
    """``before``, ``30%``, ``during``, ``after``, ``promote-2``, ``handed-over``; ``None`` for
    anything else."""
    if text in _PLAIN:
        return Moment(Phase(text))
    if share := _SHARE.fullmatch(text):
        return Moment(Phase.TRAFFIC, int(share[1]))
    if step := _STEP.fullmatch(text):
        return Moment(Phase.STEP, int(step[2]), Kind(step[1]))
    return None


def examples(phases: tuple[Phase, ...]) -> str:
    """What can be typed for the moments of these phases, as a list."""
    steps = f"{', '.join(f'{kind}-1' for kind in STEP_KINDS)} and so on"
    words = {Phase.TRAFFIC: "a step of the traffic such as 30%", Phase.STEP: steps}
    return ", ".join(words.get(phase, phase.value) for phase in phases)
