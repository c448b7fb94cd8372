"""What cdk-nag finds and is meant so, each with its reason, at the construct that it is about.

The check itself is part of the tests (``tests/infra/test_linters.py``); synthesis does not need it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct, IConstruct

_PACK = "AwsSolutions"
WITHOUT_RESOURCE_REASON = (
    "AWS's service authorization reference lists no resource type for these actions, or the "
    "statement carries a condition instead (infra/grants.py cites each)"
)
_WILDCARDS = {
    ":log-group:": "a stream of one log group is named when it is made",
    ":task-set/": "ECS makes the ids of a service's task sets",
    ":task/": "ECS makes the ids of a cluster's tasks",
    ":task-definition/": "every deployment registers a new revision of the one family",
    ":execution:": "executions of one state machine are named when they start",
    ":deploymentconfig:*": "a request may name any of CodeDeploy's configurations",
    ":scalable-target/*": "Application Auto Scaling makes the ids; a condition says which kind",
    ":alarm:": "the service's own alarms, which begin with its name",
}


def accept(construct: IConstruct, rule: str, reason: str) -> None:
    """Let ``rule`` (``VPC7``) stand at ``construct`` and below it."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{_PACK}-{rule}", reason=reason))


def accept_wildcards(role: Construct, statements: Iterable[dict[str, Any]]) -> None:
    """Let the wildcards stand that ``_WILDCARDS`` has a reason for; any other stays a finding."""
    resources = {
        _text(each)
        for statement in statements
        for each in _listed(Stack.of(role).resolve(statement["Resource"]))
    }
    for resource in sorted(each for each in resources if "*" in each):
        if reason := _reason(resource):
            accept(role, f"IAM5[Resource::{resource}]", reason)


def _reason(resource: str) -> str:
    if resource == "*":
        return WITHOUT_RESOURCE_REASON
    return next((reason for part, reason in _WILDCARDS.items() if part in resource), "")


def _listed(resolved: Any) -> list[Any]:
    return resolved if isinstance(resolved, list) else [resolved]


def _text(resolved: Any) -> str:
    """A resource as cdk-nag writes it: what is not known before deployment in angle brackets."""
    if isinstance(resolved, str):
        return resolved
    if "Ref" in resolved:
        return f"<{resolved['Ref']}>"
    if "Fn::GetAtt" in resolved:
        return "<{}.{}>".format(*resolved["Fn::GetAtt"])
    separator, parts = resolved["Fn::Join"]
    return str(separator).join(_text(part) for part in parts)
