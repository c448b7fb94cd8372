"""Which repository an image reference means, and whether its images may be started.

Whoever may start a deployment may name an image, and what runs is given the service's secrets. So
only the service's own repository is taken, and those that ``[images] allow`` lists.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from quorumshift.domain.errors import InvalidRequest
from quorumshift.domain.request import ImageReference, parse_image

_HUB = "docker.io"
"""What container runtimes add to a reference without a registry."""
_ECR = re.compile(
    r"(?P<account>\d{12})\.(?:dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
    r"|dkr-ecr(?:-fips)?\.(?P<dual>[a-z0-9-]+)\.on\.(?:aws|amazonwebservices\.com\.cn))"
)
"""Hosts of a private registry: the plain one, FIPS, and the two of IPv6 (Amazon ECR User Guide,
"Private registry" and "Making requests over IPv6")."""


@dataclass(frozen=True, slots=True)
class Registry:
    """A private registry of Amazon ECR, whichever of its hosts was named."""

    account: str
    region: str

    @property
    def host(self) -> str:
        """One name for all of its hosts; for comparing, not for asking."""
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com"


def private_registry(host: str) -> Registry | None:
    """The registry behind a host; ``None``: it is none of Amazon ECR's private ones."""
    found = _ECR.fullmatch(host)
    return Registry(found["account"], found["region"] or found["dual"]) if found else None


def as_pulled(image: str) -> ImageReference:
    """Take a task definition's image apart as a container runtime does: without a registry it is
    Docker Hub's. Raises ``InvalidRequest``, without a tag too: that is ``latest``, whatever that is
    at the time."""
    head, slash, _ = image.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        return parse_image(image)
    try:
        found = parse_image(f"{_HUB}/{image}" if slash else f"{_HUB}/library/{image}")
    except InvalidRequest:
        raise InvalidRequest(
            f"image: {image[:120]!r} of the task definition is Docker Hub's, and has no tag and no "
            "digest that can be used; register a revision that names <registry>/<name>@sha256:…"
        ) from None
    return found


def complete(image: str, own: str) -> ImageReference:
    """Take a request's image apart; ``own``: URI of the service's repository, which a bare tag or
    digest, and its bare name, mean. Raises ``InvalidRequest``."""
    asked = parse_image(image)
    registry, _, name = own.partition("/")
    if not asked.registry and asked.name not in ("", name):
        raise InvalidRequest(
            f"image: {image!r} names no registry, and this service's repository is {own}; write "
            "the whole reference"
        )
    return replace(asked, registry=asked.registry or registry, name=asked.name or name)


def repository(reference: ImageReference) -> str:
    """``host/name``, by which repositories are compared."""
    private = private_registry(reference.registry)
    return f"{private.host if private else reference.registry.lower()}/{reference.name}"


def is_own(reference: ImageReference, own: str) -> bool:
    """Whether it is the service's own repository (URI), by whichever host."""
    return repository(reference) == _plain(own)


def is_allowed(reference: ImageReference, own: str, allow: Sequence[str]) -> bool:
    """Whether its repository is ``own`` or in ``allow``: entries ``registry/name``, or
    ``registry/…/*`` for all below."""
    asked = repository(reference)
    return asked == _plain(own) or any(_covers(_plain(one), asked) for one in allow)


def refuse_stranger(reference: ImageReference, image: str, own: str, allow: Sequence[str]) -> None:
    """Raises ``InvalidRequest`` for a repository that is not allowed."""
    if is_allowed(reference, own, allow):
        return
    raise InvalidRequest(
        f"image: {image!r} is of the repository {repository(reference)}, and this service takes "
        f"images of {own} {'and ' + ', '.join(allow) if allow else 'alone'}; push it there, or add "
        "the repository to [images] allow in quorumshift.toml and deploy the stack"
    )


def refuse_unpinned(reference: ImageReference, image: str, own: str) -> None:
    """Raises ``InvalidRequest`` for a tag whose digest cannot be looked up: what it means may
    change between the first task and the last."""
    if reference.digest or is_own(reference, own):
        return
    raise InvalidRequest(
        f"image: the digest behind {image!r} cannot be looked up, as it is not of {own}; name it "
        f"with its digest, {reference.registry}/{reference.name}@sha256:…"
    )


def _plain(entry: str) -> str:
    host, slash, path = entry.partition("/")
    private = private_registry(host)
    return f"{private.host if private else host.lower()}{slash}{path}"


def _covers(entry: str, asked: str) -> bool:
    return asked.startswith(entry[:-1]) if entry.endswith("/*") else asked == entry
