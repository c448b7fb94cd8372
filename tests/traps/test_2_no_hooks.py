"""Trap 2: the AppSpec named no hooks, and the functions that were to check were not deployed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from typing import Any

import pytest

from quorumshift.adapters.aws import deployments
from quorumshift.domain.appspec import Blueprint, app_spec
from quorumshift.names import HOOKS
from tasks import create_deployment
from tests.tasks.aws import EXECUTION, MemoryAws
from tests.traps.conftest import Deployed, Shipped

REVISION = "arn:aws:ecs:us-east-1:123456789012:task-definition/game:7"
ASKED_BY_CODE_DEPLOY = {
    "BeforeInstall",
    "AfterInstall",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
}
"""Every stage of an ECS deployment at which a function can say no ("AppSpec 'hooks' section for
an Amazon ECS deployment", CodeDeploy User Guide)."""


def sent(aws: MemoryAws) -> dict[str, Any]:
    """The AppSpec that CodeDeploy gets from the function CreateDeployment."""
    state = {
        "request": {"deploymentConfig": "CodeDeployDefault.ECSAllAtOnce"},
        "revision": {"from": REVISION, "to": REVISION},
        "execution": EXECUTION,
    }
    create_deployment.handler(state, None)
    (call,) = aws.apis["codedeploy"].asked("create_deployment")
    return dict(json.loads(call["revision"]["appSpecContent"]["content"]))


def unchecked(spec: Mapping[str, Any], functions: Set[str]) -> set[str]:
    """The stages at which nothing that is deployed would be asked."""
    asked = {stage: name for hook in spec.get("Hooks", ()) for stage, name in hook.items()}
    return {stage for stage in ASKED_BY_CODE_DEPLOY if asked.get(stage) not in functions}


def functions_of(shipped: Shipped) -> dict[str, str]:
    """Name → handler, of the functions in the template."""
    found = shipped.template.of("AWS::Lambda::Function").values()
    return {each["FunctionName"]: each["Handler"] for each in found}


def test_every_stage_is_checked_by_a_function_that_is_deployed(
    deployed: Deployed, shipped: Shipped
) -> None:
    spec = sent(deployed())
    assert unchecked(spec, functions_of(shipped).keys()) == set()
    asked = {stage: name for hook in spec["Hooks"] for stage, name in hook.items()}
    handlers = {stage: functions_of(shipped)[name] for stage, name in asked.items()}
    assert handlers == {stage: shipped.handler(stage) for stage in HOOKS}


def test_code_deploy_may_call_them(shipped: Shipped) -> None:
    group = shipped.template.one("AWS::CodeDeploy::DeploymentGroup")
    granted = shipped.template.granted(shipped.template.target(group["ServiceRoleArn"]))
    allowed = {arn.rpartition(":")[2] for arn in granted["lambda:InvokeFunction"]}
    assert {shipped.configuration.names.function(hook) for hook in HOOKS} <= allowed


def test_an_appspec_without_hooks_is_found_out(
    deployed: Deployed, shipped: Shipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(revision: str, blueprint: Blueprint, hooks: Mapping[str, str]) -> dict[str, Any]:
        return {**app_spec(revision, blueprint, hooks), "Hooks": []}

    monkeypatch.setattr(deployments, "app_spec", without)
    functions = functions_of(shipped).keys()
    assert unchecked(sent(deployed()), functions) == ASKED_BY_CODE_DEPLOY


def test_hooks_that_are_not_deployed_are_found_out(deployed: Deployed, shipped: Shipped) -> None:
    gone = shipped.configuration.names.function("AfterInstall")
    left = functions_of(shipped).keys() - {gone}
    assert unchecked(sent(deployed()), left) == {"AfterInstall"}
