"""Container images in ECR: tags become digests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import code
from quorumshift.domain.errors import InvalidRequest
from quorumshift.domain.images import (
    as_pulled,
    complete,
    is_own,
    private_registry,
    refuse_stranger,
    refuse_unpinned,
)
from quorumshift.domain.request import ImageReference

_INDEXES = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
]


class EcrImages:
    """Implements ``ports.Images``. ``repository``: URI of the service's own repository, the only
    one that is asked; ``allow``: others whose images may be started (``[images] allow``)."""

    def __init__(self, ecr: Any, repository: str, allow: Sequence[str] = ()) -> None:
        self._ecr = ecr
        self._own = repository
        self._allow = allow

    def resolve(self, image: str) -> str:
        """``registry/name@sha256:…`` for a request's reference, bare tag or bare digest.

        Raises ``InvalidRequest`` when there is no such image, when its repository is not one of
        the service's, or when that cannot be asked for the digest of a tag.
        """
        asked = complete(image, self._own)
        self._refuse(asked, image)
        digest = self._digest(image, asked) if is_own(asked, self._own) else asked.digest
        return f"{asked.registry}/{asked.name}@{digest}"

    def check(self, image: str) -> None:
        """Raises ``InvalidRequest`` for a task definition's image that :meth:`runs` would not know
        by its digest, or that may not be started."""
        asked = as_pulled(image)
        self._refuse(asked, image)
        if is_own(asked, self._own):
            self._digest(image, asked)

    def runs(self, image: str, digest: str) -> bool:
        """Whether a task of a task definition with ``image`` may run ``digest`` (empty: ECS tells
        none).

        Of an image for several platforms ECS may tell the digest of the one that runs. A reference
        with a digest cannot bring anything else along: what is pulled is checked against it. So
        where its parts cannot be looked up, it is taken at its word.
        """
        asked = as_pulled(image)
        if asked.digest and (not digest or not is_own(asked, self._own)):
            return True
        if not digest:
            return False
        wanted = asked.digest or self._digest(image, asked)
        return digest == wanted or digest in self._platforms(asked, wanted)

    def _refuse(self, asked: ImageReference, image: str) -> None:
        refuse_stranger(asked, image, self._own, self._allow)
        refuse_unpinned(asked, image, self._own)

    def _digest(self, image: str, asked: ImageReference) -> str:
        wanted = {"imageDigest": asked.digest} if asked.digest else {"imageTag": asked.tag}
        try:
            found = self._ecr.describe_images(**self._repository(asked), imageIds=[wanted])[
                "imageDetails"
            ]
        except ClientError as error:
            if code(error) not in ("ImageNotFoundException", "RepositoryNotFoundException"):
                raise
            found = []
        if not found:
            raise InvalidRequest(
                f"image: {image!r} is not in the repository {asked.name}; push it first, or name "
                "a tag that is there"
            )
        return str(found[0]["imageDigest"])

    def _platforms(self, asked: ImageReference, index: str) -> set[str]:
        """The digests that an index lists; none where it is a single image."""
        found = self._ecr.batch_get_image(
            **self._repository(asked),
            imageIds=[{"imageDigest": index}],
            acceptedMediaTypes=_INDEXES,
        )["images"]
        manifests = [json.loads(one["imageManifest"]) for one in found]
        return {
            str(part["digest"]) for one in manifests for part in one.get("manifests") or () if part
        }

    def _repository(self, asked: ImageReference) -> dict[str, str]:
        private = private_registry(asked.registry)
        account = {"registryId": private.account} if private else {}
        return {"repositoryName": asked.name, **account}
