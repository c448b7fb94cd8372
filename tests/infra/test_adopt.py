"""What is adopted is used by its id and not made again; a stack without anything is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorumshift.config import Configuration, load
from quorumshift.settings import PREFIX, Settings
from tests.infra.conftest import ADOPT
from tests.infra.template import Template, as_list, stacks
from tests.test_config_adopt import ALL


@pytest.fixture(scope="module")
def described() -> Configuration:
    return load(ADOPT)


def test_nothing_that_is_adopted_is_made(adopting: Template) -> None:
    for kind in ("VPC", "Subnet", "NatGateway", "InternetGateway", "RouteTable", "EIP", "FlowLog"):
        assert not adopting.of(f"AWS::EC2::{kind}"), kind
    for kind in ("LoadBalancer", "TargetGroup"):
        assert not adopting.of(f"AWS::ElasticLoadBalancingV2::{kind}"), kind
    for kind in ("ECS::Cluster", "SecretsManager::Secret", "S3::Bucket", "ECR::Repository"):
        assert not adopting.of(f"AWS::{kind}"), kind
    (group,) = adopting.of("AWS::EC2::SecurityGroup").values()
    assert group["GroupDescription"].endswith(": functions of the deployment")
    (listener,) = adopting.of("AWS::ElasticLoadBalancingV2::Listener").values()
    assert (listener["Port"], listener["Protocol"]) == (9090, "HTTPS")


def test_the_service_runs_where_it_is_told(adopting: Template, described: Configuration) -> None:
    service, adopt = adopting.one("AWS::ECS::Service"), described.adopt
    assert service["Cluster"] == described.names.cluster
    assert service["NetworkConfiguration"]["AwsvpcConfiguration"] == {
        "AssignPublicIp": "DISABLED",
        "SecurityGroups": [adopt.tasks_security_group],
        "Subnets": list(adopt.private_subnets),
    }
    (target,) = service["LoadBalancers"]
    assert target["TargetGroupArn"] == adopt.blue_target_group
    (listener,) = adopting.of("AWS::ElasticLoadBalancingV2::Listener")
    (whole,) = [each for each in adopting.resources.values() if each["Type"] == "AWS::ECS::Service"]
    assert listener in whole["DependsOn"], "ECS refuses a target group that no listener knows"


def test_the_functions_reach_nodes_from_the_same_subnets(
    adopting: Template, described: Configuration
) -> None:
    places = [
        each["VpcConfig"]
        for each in adopting.of("AWS::Lambda::Function").values()
        if "VpcConfig" in each
    ]
    assert places
    (group,) = adopting.of("AWS::EC2::SecurityGroup")
    for place in places:
        assert place["SubnetIds"] == list(described.adopt.private_subnets)
        assert [adopting.target(each) for each in place["SecurityGroupIds"]] == [group]


def test_rules_are_made_where_one_end_is(adopting: Template, described: Configuration) -> None:
    adopt = described.adopt
    (functions,) = adopting.of("AWS::EC2::SecurityGroup")
    seen = {
        (
            adopting.target(rule["GroupId"]),
            adopting.target(rule["SourceSecurityGroupId"])
            if "SourceSecurityGroupId" in rule
            else rule["CidrIp"],
            rule["FromPort"],
        )
        for rule in adopting.of("AWS::EC2::SecurityGroupIngress").values()
    }
    tasks, balancer = adopt.tasks_security_group, adopt.load_balancer_security_group
    # Not among them: from the load balancer to the tasks, and between tasks. Both ends are there
    # already, and so may the rule be, which EC2 refuses a second time.
    assert seen == {
        *((tasks, functions, port) for port in (8080, 3001, 50051)),
        (balancer, functions, 9090),
        *((balancer, f"{address}/32", 9090) for address in adopt.outgoing_addresses),
    }
    assert not adopting.of("AWS::EC2::SecurityGroupEgress")


def test_code_deploy_and_the_alarms_are_told_the_adopted_names(
    adopting: Template, described: Configuration
) -> None:
    group = adopting.one("AWS::CodeDeploy::DeploymentGroup")
    (pair,) = group["LoadBalancerInfo"]["TargetGroupPairInfoList"]
    assert [each["Name"] for each in pair["TargetGroups"]] == [
        "snaketron-staging-a",
        "snaketron-staging-b",
    ]
    assert pair["ProdTrafficRoute"]["ListenerArns"] == [described.adopt.production_listener]
    (made,) = adopting.of("AWS::ElasticLoadBalancingV2::Listener")
    assert [adopting.target(each) for each in pair["TestTrafficRoute"]["ListenerArns"]] == [made]
    dimensions = {
        each["Value"]
        for alarm in adopting.of("AWS::CloudWatch::Alarm").values()
        if alarm["Namespace"] == "AWS/ApplicationELB"
        for each in alarm["Dimensions"]
    }
    assert dimensions == {
        "app/snaketron-staging-alb/50dc6c495c0c9188",
        "targetgroup/snaketron-staging-a/73e2d6bc24d8a067",
        "targetgroup/snaketron-staging-b/0467ef3c8400ae65",
    }
    allowed = adopting.granted(adopting.target(group["ServiceRoleArn"]))
    assert allowed["elasticloadbalancing:ModifyListener"] == [
        described.adopt.production_listener,
        f"<{made}>",
    ]


def test_a_secret_that_is_there_reaches_the_container_by_its_key(adopting: Template) -> None:
    (container,) = adopting.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    secrets = {each["Name"]: adopting.text(each["ValueFrom"]) for each in container["Secrets"]}
    which = "arn:aws:secretsmanager:us-east-1:123456789012:secret:snaketron-staging/tokens"
    assert secrets["SNAKETRON_JWT_SECRET"] == f"{which}:jwt::"
    readers = {
        name
        for name, statement in adopting.statements()
        if f"{which}-??????" in map(adopting.text, as_list(statement["Resource"]))
    }
    (reader,) = readers
    assert "ExecutionRole" in reader


def test_the_functions_try_green_through_the_adopted_load_balancer(adopting: Template) -> None:
    function = next(iter(adopting.of("AWS::Lambda::Function").values()))
    variables = function["Environment"]["Variables"].items()
    settings = Settings.read(
        {name: adopting.text(value) for name, value in variables if name.startswith(PREFIX)}
    )
    assert settings.test_url == (
        "https://snaketron-staging-alb-1234567890.us-east-1.elb.amazonaws.com:9090"
    )
    assert settings.host == "staging.snaketron.example.com"
    assert settings.listener.endswith("/f2f7dc8efc522ab2")


def test_a_service_that_is_there_gets_its_deployments_alone(with_everything: Path) -> None:
    (name,) = stacks(with_everything)
    assert name == "sample-deployment"
    template = Template(stacks(with_everything)[name])
    assert not [
        each["Type"]
        for each in template.resources.values()
        if each["Type"].startswith(("AWS::EC2::", "AWS::ECS::", "AWS::ElasticLoadBalancingV2::"))
    ]
    group = template.one("AWS::CodeDeploy::DeploymentGroup")
    assert group["ECSServices"] == [{"ClusterName": "sample-cluster", "ServiceName": "sample"}]
    passed = template.granted(template.target(group["ServiceRoleArn"]))["iam:PassRole"]
    assert passed == [ALL["task_role"], ALL["execution_role"]]


@pytest.mark.parametrize("which", ["cloud_assembly", "snaketron_assembly"])
def test_what_a_stack_exports_does_not_change_with_what_is_switched_on(
    which: str, request: pytest.FixtureRequest
) -> None:
    """An export that is in use can neither change nor go, so nothing optional may be one."""
    exports = {
        name.rpartition("-")[2]: sorted(
            output["Export"]["Name"].partition(":")[2]
            for output in document.get("Outputs", {}).values()
            if "Export" in output
        )
        for name, document in stacks(request.getfixturevalue(which)).items()
    }
    assert {name: len(found) for name, found in exports.items()} == {
        "network": 10,
        "service": 8,
        "deployment": 0,
    }
