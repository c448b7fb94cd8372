"""Roles, and what IAM says of their policies when it simulates them."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quorumshift.adapters.aws.client import every
from quorumshift.adapters.aws.doctor.looking import Clients, look
from quorumshift.domain.doctor.facts import Role
from quorumshift.domain.doctor.finding import Look

_NONE = ("NoSuchEntity", "NoSuchEntityException")
_TO_TASKS = [
    {
        "ContextKeyName": "iam:PassedToService",
        "ContextKeyValues": ["ecs-tasks.amazonaws.com"],
        "ContextKeyType": "string",
    }
]


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a role may do ``action`` on each of ``resources``."""

    action: str
    resources: tuple[str, ...]


def role(clients: Clients, arn: str) -> Look[Role]:
    """One role, by its ARN."""

    def ask() -> Role:
        found = clients("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]
        return Role(str(found["RoleName"]), str(found["Arn"]), _trusts(found))

    return look(ask, *_NONE)


def denied(clients: Clients, arn: str, questions: Sequence[Question]) -> Look[tuple[str, ...]]:
    """Which of these the role's own policies do not allow, a short sentence each. Policies of
    resources and keys are not simulated."""

    def ask() -> tuple[str, ...]:
        return tuple(text for one in questions for text in _refused(clients, arn, one))

    return look(ask, *_NONE)


def _refused(clients: Clients, arn: str, question: Question) -> list[str]:
    results = every(
        clients("iam").simulate_principal_policy,
        "EvaluationResults",
        "Marker",
        PolicySourceArn=arn,
        ActionNames=[question.action],
        ResourceArns=list(question.resources),
        ContextEntries=_TO_TASKS,
    )
    found = []
    for result in results:
        on_each = result.get("ResourceSpecificResults") or [
            {
                "EvalResourceName": result.get("EvalResourceName", "*"),
                "EvalResourceDecision": result["EvalDecision"],
            }
        ]
        found += [
            f"{question.action} on {_short(str(one['EvalResourceName']))} is denied"
            for one in on_each
            if one["EvalResourceDecision"] != "allowed"
        ]
    return found


def _short(arn: str) -> str:
    return arn.rpartition(":")[2] or arn


def _trusts(found: Mapping[str, Any]) -> frozenset[str]:
    """The services of all Allow statements. botocore gives the document decoded, or as text."""
    document = found.get("AssumeRolePolicyDocument") or {}
    if isinstance(document, str):
        document = json.loads(urllib.parse.unquote(document))
    services: set[str] = set()
    for statement in _list(document.get("Statement")):
        principal = statement.get("Principal") or {}
        if statement.get("Effect") == "Allow" and isinstance(principal, dict):
            services |= set(_list(principal.get("Service")))
    return frozenset(services)


def _list(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
