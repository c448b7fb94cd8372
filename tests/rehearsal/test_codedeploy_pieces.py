"""The parts of the engines that are plain functions of what they are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from moto.codedeploy.exceptions import CodeDeployException

from quorumshift.rehearsal.aws import codedeploy_appspec, codedeploy_configs, container_health
from quorumshift.rehearsal.aws.codedeploy_configs import BUILT_IN, PREFIX, Configs
from quorumshift.rehearsal.aws.container_health import CannotCheck, health_check
from quorumshift.rehearsal.block import Block
from quorumshift.rehearsal.world import World


@pytest.fixture
def quick(tmp_path: Path) -> World:
    """A world that nothing runs in; only its pace counts."""
    with (tmp_path / "lock").open("w") as lock:
        return World(Block("127.71.0", lock), speed=60, directory=tmp_path)


def test_linear_takes_its_first_step_at_once_and_ends_with_all() -> None:
    steps = codedeploy_configs.steps(BUILT_IN[f"{PREFIX}ECSLinear10PercentEvery3Minutes"])
    assert steps == [(n, 3.0) for n in range(10, 100, 10)] + [(100, 0.0)]


def test_canary_and_all_at_once() -> None:
    configs = Configs()
    assert configs.steps(f"{PREFIX}ECSCanary10Percent15Minutes") == [(10, 15.0), (100, 0.0)]
    assert configs.steps(codedeploy_configs.DEFAULT) == [(100, 0.0)]


@pytest.mark.parametrize(
    "routing",
    [
        {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 100}},
        {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10}},
        {"type": "Sometimes"},
    ],
)
def test_a_configuration_without_sense_is_refused(routing: dict[str, Any]) -> None:
    with pytest.raises(CodeDeployException, match="percentage"):
        Configs().create("mine", "ECS", routing)


def test_an_appspec_in_yaml_with_everything() -> None:
    content = """
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: sample:7
        LoadBalancerInfo: {ContainerName: app, ContainerPort: 8080}
        PlatformVersion: LATEST
        NetworkConfiguration:
          AwsvpcConfiguration: {Subnets: [s-1], SecurityGroups: [g-1], AssignPublicIp: DISABLED}
        CapacityProviderStrategy:
          - {CapacityProvider: FARGATE_SPOT, Weight: 100, Base: 0}
Hooks:
  - BeforeInstall: sample-before-install
"""
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}
    spec = codedeploy_appspec.read_revision(revision)
    assert spec.task_definition == "sample:7"
    assert spec.network == {
        "awsvpcConfiguration": {
            "subnets": ["s-1"],
            "securityGroups": ["g-1"],
            "assignPublicIp": "DISABLED",
        }
    }
    assert spec.strategy == [{"capacityProvider": "FARGATE_SPOT", "weight": 100, "base": 0}]
    assert spec.hooks == {"BeforeInstall": "sample-before-install"}


def test_health_check_times_are_scaled_with_floors(quick: World) -> None:
    command = ["CMD-SHELL", "curl -f http://localhost:3001/api/health || exit 1"]
    check = health_check(
        quick, {"command": command, "interval": 30, "startPeriod": 60}, "127.71.0.10"
    )
    assert check.url == "http://127.71.0.10:3001/api/health"
    assert (check.interval, check.retries) == (0.5, 3)
    assert check.start_period == container_health.REAL_START  # a process starts in real time
    assert check.timeout == container_health.LEAST_TIMEOUT
    with pytest.raises(CannotCheck, match="curl"):
        health_check(quick, {"command": ["CMD-SHELL", "pg_isready"]}, "127.71.0.10")
