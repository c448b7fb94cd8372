"""The environment a task's process gets: the container's own, its secrets, and a few of ours."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import botocore.exceptions

from quorumshift.rehearsal import images
from quorumshift.rehearsal.aws.task_record import TaskRecord
from quorumshift.rehearsal.world import World

_PASSED_ON = ("PATH", "HOME", "VIRTUAL_ENV")
_SECRET_ARN_PARTS = 7


class CannotResolve(Exception):
    """A secret could not be read; the message names it, never its value."""


def environment(
    world: World, task: TaskRecord, image: images.Image, directory: Path, instances: Path
) -> dict[str, str]:
    """The whole environment of a task's process.

    Raises :class:`CannotResolve`.
    """
    container = task.container
    return {
        **_ours(),
        **{entry["name"]: entry["value"] for entry in container.get("environment", [])},
        **{
            entry["name"]: secret(world, entry["valueFrom"])
            for entry in container.get("secrets", [])
        },
        "QUORUMSHIFT_TASK_ADDRESS": task.address,
        "QUORUMSHIFT_TASK_ARN": task.arn,
        "QUORUMSHIFT_TASK_DIRECTORY": str(directory),
        "QUORUMSHIFT_INSTANCES": str(instances),
        "QUORUMSHIFT_IMAGE_VERSION": image.version,
        "QUORUMSHIFT_IMAGE_BEHAVIOUR": image.behaviour,
        "QUORUMSHIFT_IMAGE_CONTRACT": image.contract,
        "QUORUMSHIFT_CLUSTER_SIZE": str(task.founders),
    }


def secret(world: World, value_from: str) -> str:
    """The value that ``valueFrom`` of a task definition stands for: a Secrets Manager ARN, whole or
    without the characters that end it, optionally followed by
    ``:json-key:version-stage:version-id`` (each may be empty)."""
    parts = value_from.split(":")
    if parts[:3] != ["arn", "aws", "secretsmanager"] or len(parts) < _SECRET_ARN_PARTS:
        raise CannotResolve(
            f"{value_from}: the rehearsal reads secrets from Secrets Manager alone, by ARN"
        )
    arn = ":".join(parts[:_SECRET_ARN_PARTS])
    key, stage, version = [*parts[_SECRET_ARN_PARTS:], "", "", ""][:3]
    which: dict[str, Any] = {"SecretId": arn}
    if stage:
        which["VersionStage"] = stage
    if version:
        which["VersionId"] = version
    try:
        text = str(world.client("secretsmanager").get_secret_value(**which)["SecretString"])
    except botocore.exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        raise CannotResolve(f"secret {arn} could not be read ({code})") from error
    if not key:
        return text
    try:
        return str(json.loads(text)[key])
    except (ValueError, KeyError, TypeError):
        raise CannotResolve(f"secret {arn} is not JSON with the key {key!r}") from None


def _ours() -> dict[str, str]:
    passed = {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON or name.startswith("PYTHON")
    }
    root = str(Path(images.__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**passed, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
