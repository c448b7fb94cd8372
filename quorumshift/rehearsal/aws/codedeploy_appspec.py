"""The AppSpec of an ECS deployment: read and checked as CreateDeployment does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped] # comes with moto, without types

from quorumshift.rehearsal.aws.codedeploy_errors import refuse

HOOKS = (
    "BeforeInstall",
    "AfterInstall",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
)


@dataclass(frozen=True, slots=True)
class AppSpec:
    """``hooks``: lifecycle event → function name or ARN. ``network``, ``strategy``, ``platform``:
    as in the file, ``None`` when it leaves them out."""

    task_definition: str
    container: str
    port: int
    platform: str | None
    network: dict[str, Any] | None
    strategy: list[dict[str, Any]] | None
    hooks: dict[str, str]


def read_revision(revision: Mapping[str, Any] | None) -> AppSpec:
    """Read ``revision`` of CreateDeployment (AppSpecContent, or the older String).

    Raises ``RevisionRequiredException`` and ``InvalidRevisionException``.
    """
    if not revision:
        raise refuse("RevisionRequiredException", "Give a revision.")
    kinds = {"AppSpecContent": "appSpecContent", "String": "string"}
    kind = revision.get("revisionType")
    if kind not in kinds:
        raise _invalid(f"revisionType {kind}: the rehearsal reads {' and '.join(kinds)}")
    raw = revision.get(kinds[kind]) or {}
    content = raw.get("content")
    if not content:
        raise _invalid("the AppSpec has no content")
    digest = hashlib.sha256(content.encode()).hexdigest()
    if raw.get("sha256") not in (None, digest):
        raise _invalid("sha256 is not the digest of the content")
    try:
        spec = yaml.safe_load(content)  # JSON is YAML
    except yaml.YAMLError as error:
        raise _invalid(f"the AppSpec is neither JSON nor YAML ({type(error).__name__})") from error
    return read(spec)


def read(spec: Any) -> AppSpec:
    """Read an AppSpec's dictionary. Raises ``InvalidRevisionException`` naming the key."""
    if not isinstance(spec, dict) or str(spec.get("version")) not in ("0.0", "0"):
        raise _invalid("version must be 0.0")
    resources = spec.get("Resources")
    if not isinstance(resources, list) or len(resources) != 1:
        raise _invalid("Resources must be a list of exactly one target")
    target = resources[0].get("TargetService", {})
    if target.get("Type") != "AWS::ECS::Service":
        raise _invalid("Resources[0].TargetService.Type must be AWS::ECS::Service")
    properties = target.get("Properties", {})
    balancer = properties.get("LoadBalancerInfo", {})
    for where, what in (
        ("TaskDefinition", properties.get("TaskDefinition")),
        ("LoadBalancerInfo.ContainerName", balancer.get("ContainerName")),
        ("LoadBalancerInfo.ContainerPort", balancer.get("ContainerPort")),
    ):
        if not what:
            raise _invalid(f"Properties.{where} is missing")
    network = (properties.get("NetworkConfiguration") or {}).get("AwsvpcConfiguration")
    strategy = properties.get("CapacityProviderStrategy")
    return AppSpec(
        task_definition=str(properties["TaskDefinition"]),
        container=str(balancer["ContainerName"]),
        port=int(balancer["ContainerPort"]),
        platform=properties.get("PlatformVersion"),
        network={"awsvpcConfiguration": _camel(network)} if network else None,
        strategy=[_camel(entry) for entry in strategy] if strategy else None,
        hooks=_hooks(spec.get("Hooks") or []),
    )


def _hooks(entries: Any) -> dict[str, str]:
    hooks: dict[str, str] = {}
    if not isinstance(entries, list):
        raise _invalid("Hooks must be a list of one-key maps, event: function")
    for entry in entries:
        if not isinstance(entry, dict) or len(entry) != 1:
            raise _invalid(f"Hooks: {entry!r} is no one-key map, event: function")
        ((event, function),) = entry.items()
        if event not in HOOKS:
            raise _invalid(f"Hooks: {event} is none of {', '.join(HOOKS)}")
        if event in hooks or not isinstance(function, str) or not function:
            raise _invalid(f"Hooks: give {event} one function")
        hooks[event] = function
    return hooks


def _camel(entry: Mapping[str, Any]) -> dict[str, Any]:
    """AppSpec writes ``Subnets`` where the API says ``subnets``."""
    return {key[0].lower() + key[1:]: value for key, value in entry.items()}


def _invalid(why: str) -> Exception:
    return refuse("InvalidRevisionException", f"The AppSpec is not valid: {why}.")
