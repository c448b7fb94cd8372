"""Images are manifests in ECR; what they say is what a task runs."""

from __future__ import annotations

import uuid

import pytest

from quorumshift.rehearsal import images
from quorumshift.rehearsal.world import World


def test_what_is_pushed_can_be_pulled_by_tag_and_by_digest(world: World) -> None:
    repository = f"repo-{uuid.uuid4().hex[:6]}"
    reference = images.push(world, repository, "v2", "2", "slow", "some.module")
    by_digest = images.pull(world, reference)
    assert by_digest == images.Image("2", "slow", "some.module", reference.partition("@")[2])
    assert images.pull(world, f"{images.registry()}/{repository}:v2") == by_digest
    assert images.pull(world, f"{repository}:v2") == by_digest
    assert images.push(world, repository, "v2", "2", "slow", "some.module") == reference


def test_an_image_speaks_a_contract(world: World) -> None:
    repository = f"repo-{uuid.uuid4().hex[:6]}"
    images.push(world, repository, "today", "1", contract="legacy")
    images.push(world, repository, "tomorrow", "1")
    assert images.pull(world, f"{repository}:today").contract == "legacy"
    assert images.pull(world, f"{repository}:tomorrow").contract == "extended"
    with pytest.raises(ValueError, match="contract 'odd': choose one of legacy, extended"):
        images.push(world, repository, "odd", "1", contract="odd")


def test_a_tag_moves_and_the_digest_tells_versions_apart(world: World) -> None:
    repository = f"repo-{uuid.uuid4().hex[:6]}"
    first = images.push(world, repository, "latest", "1")
    second = images.push(world, repository, "latest", "2")
    assert first != second
    assert images.pull(world, repository).version == "2"


def test_what_cannot_be_pulled_is_said(world: World) -> None:
    repository = f"repo-{uuid.uuid4().hex[:6]}"
    with pytest.raises(images.CannotPull, match="no repository"):
        images.pull(world, f"{repository}:v1")
    images.push(world, repository, "v1", "1")
    with pytest.raises(images.CannotPull, match="push it"):
        images.pull(world, f"{repository}:v9")
    with pytest.raises(images.CannotPull, match="not in"):
        images.pull(world, "docker.io/library/nginx:1")
    with pytest.raises(ValueError, match="choose one of"):
        images.push(world, repository, "v1", "1", behaviour="odd")
