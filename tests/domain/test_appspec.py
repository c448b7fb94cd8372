"""What CodeDeploy is told: the whole of it, since it drops what is left out."""

from __future__ import annotations

from quorumshift.domain.appspec import HAND_OVER_STAGE, Blueprint, Capacity, Network, app_spec
from quorumshift.names import HOOKS as ASKED

ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/sample:12"
HOOKS = {"BeforeInstall": "sample-before-install", "AfterInstall": "sample-after-install"}


def test_everything_the_serving_task_set_has_is_repeated() -> None:
    blueprint = Blueprint(
        container="app",
        port=8080,
        platform_version="1.4.0",
        network=Network(("subnet-1", "subnet-2"), ("sg-1",), public_ip=True),
        capacity=(Capacity("FARGATE_SPOT", weight=100, base=1),),
    )
    assert app_spec(ARN, blueprint, HOOKS) == {
        "version": 0.0,
        "Resources": [
            {
                "TargetService": {
                    "Type": "AWS::ECS::Service",
                    "Properties": {
                        "TaskDefinition": ARN,
                        "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 8080},
                        "PlatformVersion": "1.4.0",
                        "NetworkConfiguration": {
                            "AwsvpcConfiguration": {
                                "Subnets": ["subnet-1", "subnet-2"],
                                "SecurityGroups": ["sg-1"],
                                "AssignPublicIp": "ENABLED",
                            }
                        },
                        "CapacityProviderStrategy": [
                            {"CapacityProvider": "FARGATE_SPOT", "Base": 1, "Weight": 100}
                        ],
                    },
                }
            }
        ],
        "Hooks": [
            {"BeforeInstall": "sample-before-install"},
            {"AfterInstall": "sample-after-install"},
        ],
    }


def test_tasks_without_a_public_address_get_none() -> None:
    spec = app_spec(ARN, Blueprint("app", 80, None, Network(("subnet-1",), ()), ()), HOOKS)
    network = spec["Resources"][0]["TargetService"]["Properties"]["NetworkConfiguration"]
    assert network["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"


def test_what_the_service_leaves_to_aws_is_left_to_aws() -> None:
    spec = app_spec(ARN, Blueprint("app", 80, None, None, ()), HOOKS)
    properties = spec["Resources"][0]["TargetService"]["Properties"]
    assert set(properties) == {"TaskDefinition", "LoadBalancerInfo"}


def test_the_votes_are_handed_over_at_the_last_stage_that_is_asked_for() -> None:
    assert ASKED[-1] == HAND_OVER_STAGE
