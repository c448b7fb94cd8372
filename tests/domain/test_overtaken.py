"""Whose the votes and locks are: for each way in which a rollout stands, and beside another."""

from __future__ import annotations

import pytest

from quorumshift.domain.overtaken import overtaken
from quorumshift.domain.rollout import Progress, Rollout


@pytest.mark.parametrize(
    ("progress", "another", "says"),
    [
        (Progress.RUNNING, "", ""),
        (Progress.RUNNING, "d-9", ""),
        (Progress.STOPPED, "", ""),
        (Progress.FAILED, "", ""),
        (Progress.SUCCEEDED, "", "d-1 has succeeded: there is nothing to go back to."),
        (Progress.STOPPED, "d-9", "d-9 is under way: votes and locks are its own."),
        (Progress.FAILED, "d-9", "d-9 is under way: votes and locks are its own."),
        (Progress.SUCCEEDED, "d-9", "d-9 is under way: votes and locks are its own."),
    ],
)
def test_a_rollout_has_its_votes_until_it_succeeded_or_another_began(
    progress: Progress, another: str, says: str
) -> None:
    assert overtaken(Rollout("d-1", progress), another) == says
