"""What the roles of functions and schedules grant: what they do not is refused, as AWS does.

Actions are compared. Resources and conditions are not: which of them a call touches, each service
knows for itself alone.
"""

from __future__ import annotations

import fnmatch
import functools
import json
from typing import Any

from quorumshift.rehearsal.aws.loud import NotRehearsed
from quorumshift.rehearsal.world import ACCOUNT, REGION

DENIED = "AccessDeniedException"
_PARTITION = "aws"


def refusal(function: str, action: str) -> str:
    """Why the function of this name may not do ``action`` (``ecs:ListTasks``); empty: it may, or
    there is no such function any more."""
    from moto.awslambda.exceptions import UnknownFunctionException
    from moto.awslambda.models import lambda_backends

    try:
        arn = lambda_backends[ACCOUNT][REGION].get_function(function).role
    except UnknownFunctionException:
        return ""
    return denial(arn, function, action)


def needed(action: str, body: bytes) -> tuple[str, ...]:
    """The actions that a request needs: its own, and what AWS asks for because of what it brings
    along (AWS CodeDeploy API reference, CreateDeployment, ``overrideAlarmConfiguration``)."""
    if action == "codedeploy:CreateDeployment" and b'"overrideAlarmConfiguration"' in body:
        return (action, "codedeploy:UpdateDeploymentGroup")
    return (action,)


def denial(role: str, session: str, action: str) -> str:
    """Why who has taken the role (its ARN), under the name ``session``, may not do ``action``."""
    effects = {
        effect
        for policy in _policies(role)
        for effect, patterns in _statements(policy)
        if any(fnmatch.fnmatchcase(action.lower(), pattern) for pattern in patterns)
    }
    if effects == {"Allow"}:
        return ""
    who = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rpartition('/')[2]}/{session}"
    why = "with an explicit deny in" if effects else "because of no allow in"
    return f"User: {who} is not authorized to perform: {action}, {why} its role's policies"


def _policies(role: str) -> list[str]:
    """The role's own policies and those attached to it, as JSON (what CloudFormation makes, moto
    keeps as objects); none for a role that is not there."""
    from moto.iam.exceptions import NotFoundException
    from moto.iam.models import iam_backends

    try:
        found = iam_backends[ACCOUNT][_PARTITION].get_role_by_arn(role)
    except NotFoundException:
        return []
    attached = (
        version.document or ""
        for policy in found.managed_policies.values()
        for version in policy.versions
        if version.is_default
    )
    policies: list[Any] = [*found.policies.values(), *attached]
    return [each if isinstance(each, str) else json.dumps(each) for each in policies]


@functools.lru_cache(maxsize=256)
def _statements(policy: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Effect and lower-case patterns of the actions of each statement."""
    statements = json.loads(policy)["Statement"]
    found = []
    for statement in statements if isinstance(statements, list) else [statements]:
        if "Action" not in statement:
            raise NotRehearsed(f"a statement without Action: {json.dumps(statement)[:200]}")
        actions: Any = statement["Action"]
        listed = actions if isinstance(actions, list) else [actions]
        found.append((statement["Effect"], tuple(each.lower() for each in listed)))
    return tuple(found)
