"""Builds of the embedded CodeBuild, as the product's own adapter sees them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from quorumshift.adapters.aws.builds import CodeBuilds
from quorumshift.adapters.aws.client import Client
from quorumshift.domain.build import Build, judge
from quorumshift.domain.errors import BuildFailed, InvalidRequest
from quorumshift.domain.request import Source
from quorumshift.rehearsal.aws.server import EmbeddedAws

COMMIT = "0a1b2c3d" * 5
BROKEN = "1" * 40
DIGEST = "sha256:" + "7" * 64
REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sample"


def fail(tag: str) -> str:
    raise RuntimeError("Error while executing command: docker build. Reason: exit status 1")


@pytest.fixture
def pushed(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tags under which the one good commit was pushed."""
    tags: list[str] = []

    def push(tag: str) -> str:
        tags.append(tag)
        return DIGEST

    monkeypatch.setattr(aws.builds, "commits", {COMMIT: push, BROKEN: fail})
    return tags


@pytest.fixture
def builds(aws: EmbeddedAws, role: str, pushed: list[str]) -> Iterator[CodeBuilds]:
    codebuild, name = aws.world.client("codebuild"), f"build-{uuid.uuid4().hex[:8]}"
    codebuild.create_project(
        name=name,
        source={"type": "GITHUB", "location": "https://github.com/example-org/sample.git"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=role,
    )
    yield CodeBuilds(Client(lambda: codebuild), name, REPOSITORY)
    codebuild.delete_project(name=name)


def source(commit: str) -> Source:
    return Source("example-org/sample", commit)


def until(look: Callable[[], Build], phase: str = "") -> Build:
    """The first look at which it has ended, or is in a phase."""
    deadline = time.monotonic() + 20
    while (seen := look()).running and seen.phase != phase:
        assert time.monotonic() < deadline, seen
        time.sleep(0.02)
    return seen


def test_a_commit_becomes_an_image_under_its_whole_name(
    builds: CodeBuilds, pushed: list[str]
) -> None:
    build = builds.start(source(COMMIT[:7]), "mark-1")
    assert builds.start(source(COMMIT[:7]), "mark-1") == build
    first = builds.look(build)
    assert (first.running, first.commit, first.image) == (True, "", "")
    seen = until(lambda: builds.look(build))
    assert judge(seen, COMMIT[:7], 0, 3600)
    assert (seen.commit, seen.image) == (COMMIT, f"{REPOSITORY}@{DIGEST}")
    assert pushed == [COMMIT]
    assert "/codebuild/123456789012/projects/" in seen.log


@pytest.mark.parametrize(
    ("commit", "phase", "says"),
    [
        (BROKEN, "BUILD", "exit status 1"),
        ("f" * 40, "DOWNLOAD_SOURCE", "reference not found for primary source"),
    ],
)
def test_a_build_that_fails_says_where_and_why(
    builds: CodeBuilds, commit: str, phase: str, says: str
) -> None:
    build = builds.start(source(commit), uuid.uuid4().hex)
    seen = until(lambda: builds.look(build))
    assert (seen.succeeded, seen.phase) == (False, phase)
    with pytest.raises(BuildFailed, match=says):
        judge(seen, commit, 0, 3600)


def test_a_build_that_is_stopped_pushes_nothing(builds: CodeBuilds, pushed: list[str]) -> None:
    build = builds.start(source(COMMIT), "mark-2")
    until(lambda: builds.look(build), "BUILD")
    assert builds.stop("mark-2") == build
    assert builds.stop("mark-2") is None
    seen = builds.look(build)
    assert (seen.running, seen.phase, seen.said) == (False, "BUILD", "somebody stopped it")
    assert pushed == []


def test_another_repository_is_refused(builds: CodeBuilds) -> None:
    with pytest.raises(InvalidRequest, match="not somebody/else"):
        builds.start(Source("somebody/else", COMMIT), "mark-3")
