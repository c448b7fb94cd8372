"""What each role must be allowed for a deployment to get through."""

from __future__ import annotations

import re

from quorumshift.adapters.aws.doctor.roles import Question
from quorumshift.domain.doctor.expected import Expected
from quorumshift.domain.doctor.facts import Definition, DeploymentGroup, Identity
from quorumshift.domain.errors import InvalidRequest
from quorumshift.domain.images import as_pulled, private_registry

_SECRET = re.compile(r"(arn:[^:]+:secretsmanager:[^:]+:\d+:secret:[^:]+)(:.*)?")
_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")
_ANY_SUFFIX = "-AAAAAA"
"""Stands for the six characters that Secrets Manager ends an ARN with, where ECS was told none."""


def arn(identity: Identity, service: str, what: str) -> str:
    """The ARN of a resource of this account and region."""
    partition = identity.arn.split(":")[1]
    return f"arn:{partition}:{service}:{identity.region}:{identity.account}:{what}"


def of_execution(
    identity: Identity, expected: Expected, definition: Definition
) -> tuple[Question, ...]:
    """To pull the image, and to read what the containers are given."""
    repository = (arn(identity, "ecr", f"repository/{expected.repository}"),)
    found = {
        one
        for container in definition.containers
        for source in container.secrets.values()
        if (one := _secret(source))
    }
    reads = (Question("secretsmanager:GetSecretValue", tuple(sorted(found))),) if found else ()
    return (Question("ecr:BatchGetImage", repository), *reads)


def of_deployment(
    identity: Identity, expected: Expected, group: DeploymentGroup, definition: Definition
) -> tuple[Question, ...]:
    """To make task sets, move the listeners, call the hooks, and hand the roles on."""
    sets = f"task-set/{expected.cluster}/{expected.service}/*"
    hooks = tuple(arn(identity, "lambda", f"function:{name}") for name in expected.hooks)
    return (
        Question("ecs:CreateTaskSet", (arn(identity, "ecs", sets),)),
        Question(
            "elasticloadbalancing:ModifyListener", tuple(sorted(group.production | group.test))
        ),
        Question("lambda:InvokeFunction", hooks),
        *of_registering(definition),
    )


def of_registering(definition: Definition) -> tuple[Question, ...]:
    """To hand the task's roles on."""
    passed = tuple(one for one in (definition.task_role, definition.execution_role) if one)
    return (Question("iam:PassRole", passed),) if passed else ()


def live_image(
    identity: Identity, definition: Definition, container: str
) -> tuple[str, str, str] | None:
    """Account, repository and tag or digest of an image in this region's ECR, whichever host names
    it; nothing for any other image."""
    image = next((one.image for one in definition.containers if one.name == container), "")
    try:
        found = as_pulled(image)
    except InvalidRequest:
        return None
    private = private_registry(found.registry)
    if private is None or private.region != identity.region:
        return None
    return private.account, found.name, found.digest or found.tag


def _secret(source: str) -> str:
    """The ARN of a secret, without the key of its JSON; empty where it is something else."""
    found = _SECRET.fullmatch(source)
    if not found:
        return ""
    return found[1] if _SUFFIX.search(found[1]) else found[1] + _ANY_SUFFIX
