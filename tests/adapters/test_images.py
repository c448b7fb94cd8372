"""Images behind the port: what is looked up, what is refused in time, and what may run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from quorumshift.adapters.aws.client import Client
from quorumshift.adapters.aws.images import EcrImages
from quorumshift.domain.errors import InvalidRequest
from tests.adapters.aws_api import Api, refusal

OWN = "111122223333.dkr.ecr.us-east-1.amazonaws.com/app"
INDEX, PLATFORM, OTHER = ("sha256:" + digit * 64 for digit in "123")


def images(*allow: str) -> tuple[EcrImages, Api]:
    """Tag 7 is an image for two platforms; ``PLATFORM`` is one of them."""

    def describe(imageIds: list[dict[str, str]], **_: Any) -> Any:
        if imageIds[0] in ({"imageTag": "7"}, {"imageDigest": INDEX}):
            return {"imageDetails": [{"imageDigest": INDEX}]}
        return refusal("ImageNotFoundException")

    manifest = json.dumps({"manifests": [{"digest": PLATFORM}, {"digest": "sha256:" + "9" * 64}]})
    api = Api(
        "ecr",
        describe_images=describe,
        batch_get_image={"images": [{"imageManifest": manifest}]},
    )
    return EcrImages(Client(lambda: api), OWN, allow), api


AS_PEOPLE_HAVE_THEM = {
    "nginx": "no tag",
    "nginx:1.27": "of the repository docker.io/library/nginx",
    "public.ecr.aws/x/y:1.0": "of the repository public.ecr.aws/x/y",
    "111122223333.dkr.ecr.eu-west-1.amazonaws.com/app:7": "eu-west-1.amazonaws.com/app, and",
    "111122223333.dkr.ecr-fips.us-east-1.amazonaws.com/app:7": "",
    "111122223333.dkr-ecr.us-east-1.on.aws/app:7": "",
    f"ghcr.io/o/r:sha-1@{OTHER}": "of the repository ghcr.io/o/r",
    f"{OWN}:8": "is not in the repository app",
    "app:7": "docker.io/library/app",  # the service's own only where a request says it
}


@pytest.mark.parametrize(("image", "refused"), AS_PEOPLE_HAVE_THEM.items())
def test_what_serves_is_taken_or_refused_before_anything_starts(image: str, refused: str) -> None:
    ours, api = images()
    if not refused:
        ours.check(image)
        assert ours.runs(image, INDEX)
        return
    with pytest.raises(InvalidRequest, match=refused):
        ours.check(image)
    assert all(asked["repositoryName"] == "app" for _, asked in api.calls)


@pytest.mark.parametrize(
    "image", ["nginx:1.27", "public.ecr.aws/x/y:1.0", "ghcr.io/o/r:7"], ids=str
)
def test_what_is_allowed_needs_its_digest(image: str) -> None:
    ours, api = images("docker.io/library/nginx", "public.ecr.aws/*", "ghcr.io/o/r")
    with pytest.raises(InvalidRequest, match="name it with its digest"):
        ours.check(image)
    pinned = f"{image}@{OTHER}"
    ours.check(pinned)
    assert ours.runs(pinned, "")
    assert ours.runs(pinned, PLATFORM), "a runtime checks what it pulls against the digest"
    assert not api.calls


def test_a_request_for_another_repository_is_refused_and_nothing_is_asked() -> None:
    ours, api = images("ghcr.io/o/*")
    with pytest.raises(InvalidRequest, match=r"takes images of .*/app and ghcr\.io/o/\*"):
        ours.resolve(f"evil.example/o/r@{OTHER}")
    assert ours.resolve(f"ghcr.io/o/r:7@{OTHER}") == f"ghcr.io/o/r@{OTHER}"
    assert not api.calls


def test_the_host_that_was_named_stays_and_the_account_is_asked() -> None:
    ours, api = images()
    fips = "111122223333.dkr.ecr-fips.us-east-1.amazonaws.com/app"
    assert ours.resolve(f"{fips}:7") == f"{fips}@{INDEX}"
    assert api.asked("describe_images")[0]["registryId"] == "111122223333"


@pytest.mark.parametrize("image", [f"{OWN}:7", f"{OWN}@{INDEX}"])
def test_the_digest_of_one_platform_is_of_the_index(image: str) -> None:
    ours, api = images()
    assert ours.runs(image, INDEX)
    assert not api.asked("batch_get_image")
    assert ours.runs(image, PLATFORM)
    assert not ours.runs(image, OTHER)


def test_a_digest_that_ecs_does_not_tell_is_known_where_it_is_pinned() -> None:
    ours, _ = images()
    assert ours.runs(f"{OWN}@{INDEX}", "")
    assert not ours.runs(f"{OWN}:7", "")
