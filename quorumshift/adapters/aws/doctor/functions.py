"""The functions, the state machines, and what the function Observe sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quorumshift.adapters.aws.doctor.codedeploy import MISSING
from quorumshift.adapters.aws.doctor.looking import Clients, look
from quorumshift.adapters.aws.observe_function import ObserveFunction
from quorumshift.domain.doctor.facts import Function
from quorumshift.domain.doctor.finding import Look
from quorumshift.domain.doctor.network_facts import Placement
from quorumshift.domain.errors import ObservationFailed
from quorumshift.domain.look import Look as ClusterLook

_WELL = ("Active", "Inactive")
"""Inactive: nobody has called it for weeks; the next call wakes it (AWS Lambda Developer Guide,
"Lambda function states")."""


def function(clients: Clients, name: str) -> Look[Function]:
    """One function. GetFunction, because Lambda answers that a hundred times a second, and other
    operations of its control plane fifteen times (Developer Guide, "Lambda quotas")."""

    def ask() -> Function:
        return _function(clients("lambda").get_function(FunctionName=name)["Configuration"])

    return look(ask, "ResourceNotFoundException")


def machine(clients: Clients, arn: str) -> Look[str]:
    """Its status."""

    def ask() -> str:
        return str(clients("stepfunctions").describe_state_machine(stateMachineArn=arn)["status"])

    return look(ask, "StateMachineDoesNotExist")


def unreserved(clients: Clients) -> Look[int]:
    """The account's concurrent executions that no function has reserved."""

    def ask() -> int:
        found = clients("lambda").get_account_settings()["AccountLimit"]
        return int(found["UnreservedConcurrentExecutions"])

    return look(ask)


def under_way(observe: ObserveFunction) -> Look[str]:
    """The deployment that runs; empty for none."""
    return look(lambda: observe.under_way() or "", *MISSING)


def seen(observe: ObserveFunction, deployment: str) -> tuple[Look[ClusterLook], str]:
    """What the function saw; and how it failed, where it was reached and did."""
    failed = ""

    def ask() -> ClusterLook | None:
        nonlocal failed
        try:
            return observe.look(deployment or None)
        except ObservationFailed as error:
            if error.__cause__ is not None:  # AWS, or the way to it, refused
                raise
            failed = str(error)
            return None

    found = look(ask, "ResourceNotFoundException")
    return found, failed


def _function(found: Mapping[str, Any]) -> Function:
    state = str(found.get("State") or "Active")
    update = str(found.get("LastUpdateStatus") or "Successful")
    trouble = ""
    if state not in _WELL:
        trouble = f"{state} {found.get('StateReason') or ''}".strip()
    elif update == "Failed":
        trouble = f"its update failed: {found.get('LastUpdateStatusReason') or 'no reason given'}"
    vpc = found.get("VpcConfig") or {}
    return Function(
        trouble=trouble,
        role=str(found.get("Role") or ""),
        placement=Placement(tuple(vpc["SubnetIds"]), tuple(vpc.get("SecurityGroupIds") or ()))
        if vpc.get("SubnetIds")
        else None,
    )
