"""What a look at a build means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorumshift.domain.build import Build, judge
from quorumshift.domain.errors import BuildFailed

COMMIT = "0a1b2c3d" * 5
DONE = Build("b:1", False, True, COMMIT, "r@sha256:1", "COMPLETED", "SUCCEEDED", "https://log")
RUNS = replace(DONE, running=True, succeeded=False, commit="", image="", phase="BUILD")
DEADLINE = 3600


def test_an_image_is_there_or_is_waited_for() -> None:
    assert judge(DONE, COMMIT, 15, DEADLINE)
    assert judge(DONE, COMMIT[:7], DEADLINE, DEADLINE), "late, and there all the same"
    assert not judge(RUNS, COMMIT, DEADLINE - 1, DEADLINE)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (RUNS, "it was still running after 60 minutes"),
        (replace(DONE, succeeded=False, phase="BUILD", said="exit 2"), "phase BUILD: exit 2"),
        (replace(DONE, commit="f" * 40), f"checked out {'f' * 40} where {COMMIT} was asked for"),
        (replace(DONE, commit=""), "an unknown commit"),
        (replace(DONE, image=""), "told no image"),
    ],
)
def test_a_build_without_the_image_that_was_asked_for_has_failed(build: Build, says: str) -> None:
    with pytest.raises(BuildFailed, match=says) as failed:
        judge(build, COMMIT, DEADLINE, DEADLINE)
    assert "b:1" in str(failed.value)
    assert "https://log" in str(failed.value)
    with pytest.raises(BuildFailed, match="in the CodeBuild console"):
        judge(replace(build, log=""), COMMIT, DEADLINE, DEADLINE)
