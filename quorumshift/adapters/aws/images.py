"""Container images in ECR: tags become digests."""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import code
from quorumshift.domain.errors import InvalidRequest
from quorumshift.domain.request import parse_image

_ECR = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


class EcrImages:
    """Resolves image references. ``repository``: URI of the service's own repository."""

    def __init__(self, ecr: Any, repository: str) -> None:
        self._ecr = ecr
        self._registry, _, self._name = repository.partition("/")

    def resolve(self, image: str) -> str:
        """``registry/name@sha256:…`` for a reference, a bare tag or a bare digest.

        Raises ``InvalidRequest`` when there is no such image, or when its registry cannot be
        asked for the digest of a tag.
        """
        asked = parse_image(image)
        registry = asked.registry or self._registry
        name = asked.name or self._name
        if not asked.registry and name != self._name:
            raise InvalidRequest(
                f"image: {image!r} names no registry, and this service's repository is "
                f"{self._registry}/{self._name}; write the whole reference"
            )
        ecr = _ECR.fullmatch(registry)
        if ecr is None:
            if not asked.digest:
                raise InvalidRequest(
                    f"image: the digest behind {image!r} cannot be looked up outside of ECR; "
                    "write it with @sha256:…"
                )
            return f"{registry}/{name}@{asked.digest}"
        wanted = {"imageDigest": asked.digest} if asked.digest else {"imageTag": asked.tag}
        return f"{registry}/{name}@{self._digest(image, ecr[1], name, wanted)}"

    def _digest(self, image: str, account: str, name: str, wanted: dict[str, str]) -> str:
        try:
            found = self._ecr.describe_images(
                registryId=account, repositoryName=name, imageIds=[wanted]
            )["imageDetails"]
        except ClientError as error:
            if code(error) not in ("ImageNotFoundException", "RepositoryNotFoundException"):
                raise
            found = []
        if not found:
            raise InvalidRequest(
                f"image: {image!r} is not in the repository {name}; push it first, or name "
                "a tag that is there"
            )
        return str(found[0]["imageDigest"])
