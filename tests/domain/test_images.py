"""Image references as people have them: whose they are, and what is refused with which reason."""

from __future__ import annotations

import pytest

from quorumshift.domain.errors import InvalidRequest
from quorumshift.domain.images import (
    Registry,
    as_pulled,
    complete,
    is_allowed,
    is_own,
    private_registry,
    refuse_stranger,
    refuse_unpinned,
    repository,
)

OWN = "111122223333.dkr.ecr.us-east-1.amazonaws.com/app"
DIGEST = "sha256:" + "2" * 64


@pytest.mark.parametrize(
    ("image", "whose"),
    [
        ("nginx:1.27", "docker.io/library/nginx"),
        ("app:7", "docker.io/library/app"),
        ("someone/app:7", "docker.io/someone/app"),
        (f"nginx@{DIGEST}", "docker.io/library/nginx"),
        ("public.ecr.aws/x/y:1.0", "public.ecr.aws/x/y"),
        ("localhost:5000/app:7", "localhost:5000/app"),
        ("localhost/app:7", "localhost/app"),
        (f"ghcr.io/o/r:sha-1@{DIGEST}", "ghcr.io/o/r"),
        ("111122223333.dkr.ecr-fips.us-east-1.amazonaws.com/app:7", OWN),
        ("111122223333.dkr-ecr.us-east-1.on.aws/app:7", OWN),
        ("111122223333.dkr-ecr-fips.us-east-1.on.aws/app:7", OWN),
        (f"{OWN}:7", OWN),
    ],
)
def test_a_task_definitions_image_is_read_as_a_runtime_does(image: str, whose: str) -> None:
    found = as_pulled(image)
    assert repository(found) == whose
    assert is_own(found, OWN) is (whose == OWN)


@pytest.mark.parametrize(
    "image",
    [
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/app:7",
        "444455556666.dkr.ecr.us-east-1.amazonaws.com/app:7",
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/app/x:7",
        "111122223333.dkr.ecr.us-east-1.amazonaws.com.evil.example/app:7",
        "evil.example/111122223333.dkr.ecr.us-east-1.amazonaws.com/app:7",
    ],
)
def test_what_only_looks_like_the_services_own_is_not(image: str) -> None:
    assert not is_own(as_pulled(image), OWN)
    with pytest.raises(InvalidRequest, match=r"add the repository to \[images\] allow"):
        refuse_stranger(as_pulled(image), image, OWN, ())


@pytest.mark.parametrize(
    ("image", "says"),
    [("nginx", "Docker Hub's, and has no tag"), ("ghcr.io/o/r", "'latest' is never assumed")],
)
def test_no_tag_is_refused_for_what_it_is(image: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        as_pulled(image)


@pytest.mark.parametrize(
    ("entry", "image", "allowed"),
    [
        ("ghcr.io/o/r", f"ghcr.io/o/r@{DIGEST}", True),
        ("ghcr.io/o/r", f"ghcr.io/o/r2@{DIGEST}", False),
        ("ghcr.io/o/*", f"ghcr.io/o/r@{DIGEST}", True),
        ("ghcr.io/o/*", f"ghcr.io/o/r/deep@{DIGEST}", True),
        ("ghcr.io/o/*", f"ghcr.io/o2/r@{DIGEST}", False),
        ("ghcr.io/*", f"ghcr.io.evil.example/o/r@{DIGEST}", False),
        ("docker.io/library/nginx", f"nginx@{DIGEST}", True),
        (
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/*",
            f"111122223333.dkr-ecr.eu-west-1.on.aws/app@{DIGEST}",
            True,
        ),
        (
            "111122223333.dkr-ecr.eu-west-1.on.aws/*",
            f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/app@{DIGEST}",
            True,
        ),
    ],
)
def test_what_is_allowed_is_the_repository_or_all_below(
    entry: str, image: str, allowed: bool
) -> None:
    try:
        refuse_stranger(as_pulled(image), image, OWN, (entry,))
        taken = True
    except InvalidRequest:
        taken = False
    assert taken is allowed


def test_a_tag_of_another_repository_is_refused_for_that() -> None:
    image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/app:7"
    with pytest.raises(InvalidRequest, match=r"name it with its digest, 1111.*/app@sha256:"):
        refuse_unpinned(as_pulled(image), image, OWN)
    refuse_unpinned(as_pulled(f"{OWN}:7"), f"{OWN}:7", OWN)
    refuse_unpinned(as_pulled(f"ghcr.io/o/r:7@{DIGEST}"), "", OWN)


@pytest.mark.parametrize("image", ["v7", "app:v7", DIGEST, f"app@{DIGEST}", f"{OWN}:v7"])
def test_a_requests_short_reference_is_the_services_own(image: str) -> None:
    assert is_own(complete(image, OWN), OWN)


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("111122223333.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "cn-north-1"),
        ("111122223333.dkr-ecr-fips.us-gov-west-1.on.aws", "us-gov-west-1"),
    ],
)
def test_a_private_registry_is_known_by_each_of_its_hosts(host: str, region: str) -> None:
    found = private_registry(host)
    assert found == Registry("111122223333", region)
    assert found.host == f"111122223333.dkr.ecr.{region}.amazonaws.com"


@pytest.mark.parametrize(
    "host",
    ["", "public.ecr.aws", "docker.io", "11112222333.dkr.ecr.us-east-1.amazonaws.com", f"x{OWN}"],
)
def test_what_is_no_private_registry(host: str) -> None:
    assert private_registry(host) is None


def test_hosts_are_compared_as_hosts_are() -> None:
    assert is_allowed(as_pulled(f"GHCR.io/o/r@{DIGEST}"), OWN, ("ghcr.io/o/r",))
    assert is_allowed(as_pulled(f"ghcr.io/o/r@{DIGEST}"), OWN, ("GHCR.io/o/*",))
    assert is_allowed(as_pulled(f"{OWN}:7"), OWN, ())
    assert not is_allowed(as_pulled(f"ghcr.io/o/r@{DIGEST}"), OWN, ())


@pytest.mark.parametrize("image", ["other:v7", f"other@{DIGEST}", "team/app:v7"])
def test_a_short_reference_to_another_repository_is_refused(image: str) -> None:
    with pytest.raises(InvalidRequest, match="names no registry, and this service's repository is"):
        complete(image, OWN)


def test_a_whole_reference_stays_as_it_is() -> None:
    found = complete("ghcr.io/o/r:7", OWN)
    assert (found.registry, found.name, found.tag) == ("ghcr.io", "o/r", "7")


def test_a_stranger_is_told_what_would_be_taken() -> None:
    image = f"ghcr.io/o/r@{DIGEST}"
    with pytest.raises(InvalidRequest, match=f"takes images of {OWN} alone; push it there"):
        refuse_stranger(as_pulled(image), image, OWN, ())
    with pytest.raises(InvalidRequest, match=f"takes images of {OWN} and a.io/b, c.io/d; push"):
        refuse_stranger(as_pulled(image), image, OWN, ("a.io/b", "c.io/d"))
