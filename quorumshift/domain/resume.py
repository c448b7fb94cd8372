"""What becomes of a hand-over that ended without a last word of its own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from quorumshift.domain.appspec import HAND_OVER_STAGE
from quorumshift.domain.rollout_facts import Progress, Rollout, StageStatus


class Fate(StrEnum):
    """``RESUME``: it goes on where it stood. ``ANSWER``: the engine is told no in its place.
    ``NOTHING``: nobody waits for it."""

    RESUME = "resume"
    ANSWER = "answer"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Death:
    """How an execution ended. ``execution``: its id; ``status``: the engine's word for the end;
    ``stopped``: somebody stopped it; ``resumed``: how often it had been resumed before; ``age``:
    seconds since it was started first."""

    execution: str
    status: str
    stopped: bool
    resumed: int
    age: float


def fate(death: Death, rollout: Rollout | None, longest: float) -> Fate:
    """``rollout``: the one whose engine waits for an answer; ``None``: no answer was asked for.
    ``longest``: seconds after which a hand-over gives up by itself.

    Resumed is only what was stopped, because what failed or ran out of time would do so again;
    and only once, so that a hand-over that is killed time and again still leads to an answer.
    """
    answered = rollout is None or rollout.stage(HAND_OVER_STAGE) in (
        StageStatus.DONE,
        StageStatus.FAILED,
    )
    at_rest = rollout is not None and answered and not _rolls_back(rollout)
    if death.stopped and not death.resumed and death.age <= longest and not at_rest:
        return Fate.RESUME
    return Fate.NOTHING if answered else Fate.ANSWER


def _rolls_back(rollout: Rollout) -> bool:
    """Then the votes have to go home, whatever was answered."""
    return rollout.progress in (Progress.FAILED, Progress.STOPPED)
