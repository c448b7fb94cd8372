"""What all stacks of a service have in common."""

from __future__ import annotations

from typing import TypedDict

from quorumshift.config import Configuration


class StackProperties(TypedDict):
    """Arguments of ``aws_cdk.Stack``."""

    description: str
    tags: dict[str, str]
    termination_protection: bool


def stack_properties(configuration: Configuration, what: str) -> StackProperties:
    """Of the stack that owns ``what``. CloudFormation hands the tags on to all that it makes."""
    service, environment = configuration.service, configuration.environment
    return {
        "description": f"Service {service.name}: {what}",
        "tags": {"service": service.name, "environment": environment.name},
        "termination_protection": environment.is_kept,
    }
