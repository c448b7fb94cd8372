"""What becomes of a hand-over that ended without a last word of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorumshift.domain.appspec import HAND_OVER_STAGE
from quorumshift.domain.resume import Death, Fate, fate
from quorumshift.domain.rollout import Progress, Rollout, Stage, StageStatus

LONGEST = 2400.0
STOPPED = Death("arn:d-1-green", "ABORTED", stopped=True, resumed=0, age=600.0)
DEATHS = {
    "stopped": STOPPED,
    "stopped again": replace(STOPPED, resumed=1),
    "stopped late": replace(STOPPED, age=LONGEST + 1),
    "timed out": replace(STOPPED, status="TIMED_OUT", stopped=False),
    "failed": replace(STOPPED, status="FAILED", stopped=False),
}


def rollout(progress: Progress, stage: StageStatus) -> Rollout:
    return Rollout("d-1", progress, stages=(Stage(HAND_OVER_STAGE, stage),))


@pytest.mark.parametrize("stage", [StageStatus.RUNNING, StageStatus.PENDING])
@pytest.mark.parametrize("death", DEATHS)
def test_an_open_question_is_resumed_when_that_helps_and_answered_otherwise(
    death: str, stage: StageStatus
) -> None:
    found = fate(DEATHS[death], rollout(Progress.RUNNING, stage), LONGEST)
    assert found is (Fate.RESUME if death == "stopped" else Fate.ANSWER)


@pytest.mark.parametrize("stage", [StageStatus.DONE, StageStatus.FAILED])
@pytest.mark.parametrize("death", DEATHS)
def test_what_was_answered_is_not_answered_again(death: str, stage: StageStatus) -> None:
    assert fate(DEATHS[death], rollout(Progress.RUNNING, stage), LONGEST) is Fate.NOTHING
    assert fate(DEATHS[death], rollout(Progress.SUCCEEDED, stage), LONGEST) is Fate.NOTHING


@pytest.mark.parametrize("progress", [Progress.STOPPED, Progress.FAILED])
def test_while_the_rollout_is_rolled_back_the_votes_still_have_to_go_home(
    progress: Progress,
) -> None:
    for stage in (StageStatus.RUNNING, StageStatus.FAILED):
        assert fate(STOPPED, rollout(progress, stage), LONGEST) is Fate.RESUME
    failed = DEATHS["failed"]
    assert fate(failed, rollout(progress, StageStatus.RUNNING), LONGEST) is Fate.ANSWER
    assert fate(failed, rollout(progress, StageStatus.FAILED), LONGEST) is Fate.NOTHING


@pytest.mark.parametrize("death", DEATHS)
def test_without_a_question_there_is_nothing_to_answer(death: str) -> None:
    found = fate(DEATHS[death], None, LONGEST)
    assert found is (Fate.RESUME if death == "stopped" else Fate.NOTHING)
