"""What a deployment would do, as far as it can be known before it is started."""

from __future__ import annotations

from dataclasses import dataclass

from quorumshift.domain.revision_changes import Change
from quorumshift.domain.shift import Step


@dataclass(frozen=True, slots=True)
class Preview:
    """``before``: the revision (ARN) that serves; ``after``: the one to deploy, ``None`` where it
    is still to be registered; ``image``: what it runs, ``None`` where it is still to be built.
    ``changes``: what differs, ``None`` where nobody knows yet. ``steps``: of the traffic;
    ``termination_minutes``: how long blue stays after them. ``hand_over``: the path of the votes in
    a sentence. ``refusals``: why it would be refused now; ``notes``: what else to know."""

    before: str
    after: str | None
    image: str | None
    changes: tuple[Change, ...] | None
    config: str
    steps: tuple[Step, ...]
    termination_minutes: int
    hand_over: str
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
