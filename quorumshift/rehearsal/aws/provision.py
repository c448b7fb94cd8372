"""From a cloud assembly to running infrastructure, as ``cdk deploy`` does it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from quorumshift.rehearsal.world import ACCOUNT, REGION, World

BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION = "30"


class ProvisionFailed(Exception):
    """A stack did not come up; the message names the resource and the reason."""


def provision(world: World, assembly: Path) -> dict[str, str]:
    """Upload the assets and create the stacks of ``assembly`` in their order.

    Returns the outputs of all stacks, by their keys. Raises :class:`ProvisionFailed`.
    """
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    artifacts = manifest["artifacts"]
    world.client("ssm").put_parameter(
        Name=BOOTSTRAP, Value=BOOTSTRAP_VERSION, Type="String", Overwrite=True
    )
    outputs: dict[str, str] = {}
    for name in _in_order(artifacts):
        artifact = artifacts[name]
        if artifact["type"] == "cdk:asset-manifest":
            _upload(world, assembly, assembly / artifact["properties"]["file"])
        elif artifact["type"] == "aws:cloudformation:stack":
            outputs.update(_create(world, assembly, name, artifact))
    return outputs


def _in_order(artifacts: dict[str, Any]) -> Iterator[str]:
    """Each artifact after those it depends on."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name in done:
            return
        done.add(name)
        for dependency in artifacts[name].get("dependencies", []):
            yield from visit(dependency)
        yield name

    for name in artifacts:
        yield from visit(name)


def _upload(world: World, assembly: Path, manifest: Path) -> None:
    files = json.loads(manifest.read_text(encoding="utf-8")).get("files", {})
    s3 = world.client("s3")
    buckets: set[str] = set()
    for asset in files.values():
        source = assembly / asset["source"]["path"]
        body = source.read_bytes() if source.is_file() else _zipped(source)
        for destination in asset["destinations"].values():
            bucket = _filled(destination["bucketName"])
            if bucket not in buckets:
                s3.create_bucket(Bucket=bucket)
                buckets.add(bucket)
            s3.put_object(Bucket=bucket, Key=_filled(destination["objectKey"]), Body=body)


def _zipped(folder: Path) -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return package.getvalue()


def _filled(name: str) -> str:
    for placeholder, value in (
        ("${AWS::AccountId}", ACCOUNT),
        ("${AWS::Region}", REGION),
        ("${AWS::Partition}", "aws"),
    ):
        name = name.replace(placeholder, value)
    return name


def _create(world: World, assembly: Path, name: str, artifact: dict[str, Any]) -> dict[str, str]:
    properties = artifact["properties"]
    stack = properties.get("stackName", name)
    client = world.client("cloudformation")
    try:
        client.create_stack(
            StackName=stack,
            TemplateBody=(assembly / properties["templateFile"]).read_text(encoding="utf-8"),
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in properties.get("parameters", {}).items()
            ],
            Tags=[
                {"Key": key, "Value": value} for key, value in properties.get("tags", {}).items()
            ],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        )
        made = client.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        raise ProvisionFailed(f"stack {stack}: {error.response['Error']['Message']}") from error
    if made["StackStatus"] != "CREATE_COMPLETE":
        reason = made.get("StackStatusReason", "no reason given")
        raise ProvisionFailed(f"stack {stack} is {made['StackStatus']}: {reason}")
    return {output["OutputKey"]: output["OutputValue"] for output in made.get("Outputs", [])}
