"""A role is made from one complete list of statements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.acknowledged import accept_wildcards


def exact_role(
    scope: Construct,
    construct_id: str,
    *,
    service: str,
    description: str,
    statements: Iterable[dict[str, Any]],
) -> iam.IRole:
    """A role that ``service`` (``lambda``) may take and that allows ``statements`` alone: the
    constructs that are given it would add wider ones of their own."""
    principal = iam.ServicePrincipal(f"{service}.amazonaws.com")
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
