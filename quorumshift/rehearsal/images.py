"""Container images of the rehearsal: manifests in moto's ECR that say which module a task runs.

There are no layers. What an image *is* stands in its annotations: a version, a behaviour, the
contract that its nodes speak, and the Python module that is its entry point.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from dataclasses import dataclass

from quorumshift.rehearsal.service.node import BEHAVIOURS, CONTRACTS, EXTENDED
from quorumshift.rehearsal.world import ACCOUNT, REGION, World

DEFAULT_MODULE = "quorumshift.rehearsal.service"
NEW_TAG = "v2"
"""The image that a rehearsal deploys, unless it deploys what serves."""

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_ANNOTATION = "quorumshift.rehearsal."
_REFERENCE = re.compile(
    r"(?:(?P<registry>[a-z0-9-]+\.[a-z0-9.-]+)/)?"
    r"(?P<repository>[a-z0-9][a-z0-9._/-]*)"
    r"(?::(?P<tag>[A-Za-z0-9_.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


class CannotPull(Exception):
    """There is no such image; the message names the reference and what to do."""


@dataclass(frozen=True, slots=True)
class Image:
    """``module`` is run with ``python -m``; ``digest``: ``sha256:…`` of the manifest; ``contract``:
    what SnakeTron's nodes speak."""

    version: str
    behaviour: str
    module: str
    digest: str
    contract: str = EXTENDED


def registry() -> str:
    """The host name of the account's ECR registry."""
    return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


def push(
    world: World,
    repository: str,
    tag: str,
    version: str,
    behaviour: str = "normal",
    module: str = DEFAULT_MODULE,
    contract: str = EXTENDED,
) -> str:
    """Put an image into ECR, making the repository where there is none.

    Returns the reference with its digest, ``<registry>/<repository>@sha256:…``. Pushing the same
    again is no error. Raises ``ValueError`` for a behaviour or a contract that no image has.
    """
    for what, value, known in (
        ("behaviour", behaviour, BEHAVIOURS),
        ("contract", contract, CONTRACTS),
    ):
        if value not in known:
            raise ValueError(f"{what} {value!r}: choose one of {', '.join(known)}")
    manifest = _manifest(
        {"version": version, "behaviour": behaviour, "module": module, "contract": contract}
    )
    digest = "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
    ecr = world.client("ecr")
    with contextlib.suppress(ecr.exceptions.RepositoryAlreadyExistsException):
        ecr.create_repository(repositoryName=repository)
    with contextlib.suppress(ecr.exceptions.ImageAlreadyExistsException):  # the same, same tag
        ecr.put_image(
            repositoryName=repository,
            imageManifest=manifest,
            imageManifestMediaType=_MANIFEST,
            imageTag=tag,
            imageDigest=digest,
        )
    return f"{registry()}/{repository}@{digest}"


def pull(world: World, reference: str) -> Image:
    """Read an image: ``[<registry>/]<repository>[:<tag>][@<digest>]``; no tag means ``latest``.

    Raises :class:`CannotPull`.
    """
    found = _REFERENCE.fullmatch(reference)
    if found is None or found["registry"] not in (None, registry()):
        raise CannotPull(f"{reference} is not in {registry()}; push it there")
    image_id = (
        {"imageDigest": found["digest"]}
        if found["digest"]
        else {"imageTag": found["tag"] or "latest"}
    )
    ecr = world.client("ecr")
    try:
        images = ecr.batch_get_image(repositoryName=found["repository"], imageIds=[image_id])
    except ecr.exceptions.RepositoryNotFoundException:
        raise CannotPull(f"{reference}: there is no repository {found['repository']}") from None
    if not images["images"]:
        raise CannotPull(f"{reference}: not found; push it to {found['repository']} first")
    image = images["images"][0]
    says = json.loads(image["imageManifest"]).get("annotations", {})
    try:
        return Image(
            version=says[_ANNOTATION + "version"],
            behaviour=says[_ANNOTATION + "behaviour"],
            module=says[_ANNOTATION + "module"],
            digest=image["imageId"]["imageDigest"],
            contract=says.get(_ANNOTATION + "contract", EXTENDED),
        )
    except KeyError as missing:
        raise CannotPull(f"{reference}: its manifest has no annotation {missing}") from None


def _manifest(says: dict[str, str]) -> str:
    empty = {"mediaType": "application/vnd.oci.empty.v1+json", "size": 2}
    empty["digest"] = "sha256:" + hashlib.sha256(b"{}").hexdigest()
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": empty,
            "layers": [],
            "annotations": {_ANNOTATION + key: value for key, value in says.items()},
        },
        sort_keys=True,
    )
