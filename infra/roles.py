"""A role is made from one complete list of statements, and AWS's services take it for this account
alone.

A service that takes a role says for whom: ``aws:SourceAccount``, and ``aws:SourceArn`` where its
documentation names a form of it. A role that does not ask could be taken for another account's
resource (IAM User Guide, "The confused deputy problem").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

from infra.acknowledged import accept_wildcards


def exact_role(
    scope: Construct,
    construct_id: str,
    *,
    service: str,
    description: str,
    statements: Iterable[dict[str, Any]],
    source: str = "",
) -> iam.IRole:
    """A role that ``service`` (``lambda``) may take for ``source`` (an ARN, by default anything of
    the account) and that allows ``statements`` alone: the constructs that are given it would add
    wider ones of their own."""
    principal = iam.ServicePrincipal(f"{service}.amazonaws.com", conditions=_for_us(source))
    return role_of(scope, construct_id, principal, statements, description=description)


def role_of(
    scope: Construct,
    construct_id: str,
    principal: iam.IPrincipal,
    statements: Iterable[dict[str, Any]],
    *,
    description: str,
    role_name: str | None = None,
    longest: Duration | None = None,
) -> iam.IRole:
    """The same for any ``principal``, for sessions of up to ``longest`` (by default an hour)."""
    statements = list(statements)
    role = iam.Role(
        scope,
        construct_id,
        assumed_by=principal,
        role_name=role_name,
        description=description,
        max_session_duration=longest,
        inline_policies={
            "grants": iam.PolicyDocument.from_json(
                {"Version": "2012-10-17", "Statement": statements}
            )
        },
    )
    accept_wildcards(role, statements)
    return role.without_policy_updates()


def narrow(role: iam.IRole, service: str) -> None:
    """The same for a role that a construct of the CDK makes, under the id that it has: with another
    id CloudFormation would make another role, and delete the one that running tasks have."""
    for condition, values in _for_us(anything_of(role, service)).items():
        where = f"AssumeRolePolicyDocument.Statement.0.Condition.{condition}"
        role.node.default_child.add_property_override(where, values)  # type: ignore[union-attr] # a role's is its CfnRole


def anything_of(scope: IConstruct, service: str) -> str:
    """The ARN of whatever the account has of ``service`` in the region."""
    return Stack.of(scope).format_arn(service=service, resource="*")


def _for_us(source: str) -> dict[str, dict[str, str]]:
    account = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    return {**account, "ArnLike": {"aws:SourceArn": source}} if source else account
