"""Load balancer, target groups, alarms and CodeDeploy's group."""

from __future__ import annotations

from typing import Any

import pytest

from quorumshift.config import load
from tests.infra.conftest import SNAKETRON
from tests.infra.template import Template


def groups(template: Template) -> dict[str, str]:
    """Name → logical id."""
    found = template.of("AWS::ElasticLoadBalancingV2::TargetGroup")
    return {properties["Name"]: name for name, properties in found.items()}


def listeners(template: Template) -> dict[int, tuple[str, dict[str, Any]]]:
    """Port → logical id, properties."""
    found = template.of("AWS::ElasticLoadBalancingV2::Listener")
    return {properties["Port"]: (name, properties) for name, properties in found.items()}


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """Logical id → properties, of the alarms on target groups."""
    found = template.of("AWS::CloudWatch::Alarm")
    return {
        name: properties
        for name, properties in found.items()
        if properties["Namespace"] == "AWS/ApplicationELB"
    }


@pytest.mark.parametrize("port", [8080, 9090])
def test_each_listener_forwards_to_both_groups_by_weight(template: Template, port: int) -> None:
    (action,) = listeners(template)[port][1]["DefaultActions"]
    weights = {
        template.target(each["TargetGroupArn"]): each["Weight"]
        for each in action["ForwardConfig"]["TargetGroups"]
    }
    names = groups(template)
    assert weights == {names["sample-blue"]: 100, names["sample-green"]: 0}
    assert "TargetGroupStickinessConfig" not in action["ForwardConfig"]


def test_both_target_groups_are_alike(template: Template) -> None:
    blue, green = (
        {key: value for key, value in properties.items() if key != "Name"}
        for properties in template.of("AWS::ElasticLoadBalancingV2::TargetGroup").values()
    )
    assert blue == green
    assert (blue["TargetType"], blue["Port"]) == ("ip", 8080)
    assert (blue["HealthCheckPath"], blue["HealthCheckPort"]) == ("/health", "8080")
    assert (
        blue["HealthCheckIntervalSeconds"],
        blue["HealthCheckTimeoutSeconds"],
        blue["HealthyThresholdCount"],
        blue["UnhealthyThresholdCount"],
    ) == (30, 5, 2, 3)
    attributes = {each["Key"]: each["Value"] for each in blue["TargetGroupAttributes"]}
    assert attributes["deregistration_delay.timeout_seconds"] == "30"
    assert attributes["stickiness.type"] == "lb_cookie"
    assert attributes["stickiness.lb_cookie.duration_seconds"] == "86400"


def test_the_test_listener_is_open_to_the_functions_way_out_alone(template: Template) -> None:
    (balancer,) = template.of("AWS::ElasticLoadBalancingV2::LoadBalancer").values()
    (group,) = (template.target(each) for each in balancer["SecurityGroups"])
    rules = template.of("AWS::EC2::SecurityGroup")[group]["SecurityGroupIngress"]
    sources = {rule["FromPort"]: template.text(rule["CidrIp"]) for rule in rules}
    (address,) = template.of("AWS::EC2::EIP")
    assert sources == {8080: "0.0.0.0/0", 9090: f"<{address}>/32"}
    (gateway,) = template.of("AWS::EC2::NatGateway").values()
    assert template.target(gateway["AllocationId"]) == address


def test_in_production_each_zone_has_a_way_out_of_its_own(snaketron: Template) -> None:
    addresses = set(snaketron.of("AWS::EC2::EIP"))
    gateways = snaketron.of("AWS::EC2::NatGateway").values()
    assert {snaketron.target(each["AllocationId"]) for each in gateways} == addresses
    assert len(gateways) == 3
    ways = [
        snaketron.target(route["NatGatewayId"])
        for route in snaketron.of("AWS::EC2::Route").values()
        if "NatGatewayId" in route
    ]
    assert len(ways) == len(set(ways)) == 3


@pytest.mark.parametrize("port", [8080, 9090])
def test_a_listener_with_a_certificate_speaks_tls_as_aws_recommends(
    snaketron: Template, port: int
) -> None:
    _, listener = listeners(snaketron)[port]
    assert listener["Protocol"] == "HTTPS"
    assert listener["Certificates"] == [
        {"CertificateArn": load(SNAKETRON).load_balancer.certificate}
    ]
    assert listener["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"


def test_who_comes_by_http_is_sent_to_https(snaketron: Template) -> None:
    _, listener = listeners(snaketron)[80]
    (action,) = listener["DefaultActions"]
    assert (listener["Protocol"], action["Type"]) == ("HTTP", "redirect")
    assert action["RedirectConfig"] == {
        "Protocol": "HTTPS",
        "Port": "8080",
        "StatusCode": "HTTP_301",
    }


def test_users_reach_the_redirect_and_nobody_else_the_test_listener(snaketron: Template) -> None:
    (balancer,) = snaketron.of("AWS::ElasticLoadBalancingV2::LoadBalancer").values()
    (group,) = (snaketron.target(each) for each in balancer["SecurityGroups"])
    rules = snaketron.of("AWS::EC2::SecurityGroup")[group]["SecurityGroupIngress"]
    anybody = {rule["FromPort"] for rule in rules if rule["CidrIp"] == "0.0.0.0/0"}
    assert anybody == {80, 8080}


def test_the_functions_try_green_by_https_in_the_name_that_users_call(snaketron: Template) -> None:
    function = next(iter(snaketron.of("AWS::Lambda::Function").values()))
    variables = function["Environment"]["Variables"]
    assert snaketron.text(variables["QUORUMSHIFT_TEST_URL"]).startswith("https://")
    assert variables["QUORUMSHIFT_HOST"] == "snaketron.example.com"
    url = snaketron.text(snaketron.outputs["ProductionUrl"]["Value"])
    assert url == "https://snaketron.example.com:8080"


def test_plain_http_is_for_who_asks_for_it(template: Template) -> None:
    assert {port: each["Protocol"] for port, (_, each) in listeners(template).items()} == {
        8080: "HTTP",
        9090: "HTTP",
    }


def test_raft_ports_are_closed_to_the_load_balancer(template: Template) -> None:
    (balancer,) = template.of("AWS::ElasticLoadBalancingV2::LoadBalancer").values()
    (group,) = (template.target(each) for each in balancer["SecurityGroups"])
    ports = {
        rule["FromPort"]
        for rule in template.of("AWS::EC2::SecurityGroupIngress").values()
        if template.target(rule["SourceSecurityGroupId"]) == group
    }
    assert ports == {8080}


def test_each_colour_has_both_alarms_and_an_empty_colour_raises_none(template: Template) -> None:
    seen = set()
    for alarm in alarms(template).values():
        dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        assert set(dimensions) == {"LoadBalancer", "TargetGroup"}
        assert alarm["TreatMissingData"] == "notBreaching"
        assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, 2)
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
        group = template.target(dimensions["TargetGroup"])
        seen.add((group, alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]))
    assert seen == {
        (group, *rule)
        for group in groups(template).values()
        for rule in (
            ("TargetResponseTime", "Average", 1),
            ("UnHealthyHostCount", "Maximum", 0),
        )
    }


def test_the_deployment_group_knows_both_listeners_and_both_groups(template: Template) -> None:
    group = template.one("AWS::CodeDeploy::DeploymentGroup")
    (pair,) = group["LoadBalancerInfo"]["TargetGroupPairInfoList"]
    found = listeners(template)
    assert [template.target(each) for each in pair["ProdTrafficRoute"]["ListenerArns"]] == [
        found[8080][0]
    ]
    assert [template.target(each) for each in pair["TestTrafficRoute"]["ListenerArns"]] == [
        found[9090][0]
    ]
    assert {each["Name"] for each in pair["TargetGroups"]} == set(groups(template))


def test_the_deployment_group_rolls_back_and_watches_every_alarm(template: Template) -> None:
    group = template.one("AWS::CodeDeploy::DeploymentGroup")
    assert group["AutoRollbackConfiguration"]["Enabled"] is True
    assert set(group["AutoRollbackConfiguration"]["Events"]) == {
        "DEPLOYMENT_FAILURE",
        "DEPLOYMENT_STOP_ON_ALARM",
        "DEPLOYMENT_STOP_ON_REQUEST",
    }
    watched = {template.target(each["Name"]) for each in group["AlarmConfiguration"]["Alarms"]}
    assert group["AlarmConfiguration"]["Enabled"] is True
    assert watched == set(alarms(template))


def test_the_deployment_group_waits_before_blue_ends(template: Template) -> None:
    group = template.one("AWS::CodeDeploy::DeploymentGroup")
    configuration = group["BlueGreenDeploymentConfiguration"]
    assert configuration["TerminateBlueInstancesOnDeploymentSuccess"] == {
        "Action": "TERMINATE",
        "TerminationWaitTimeInMinutes": 5,
    }
    assert group["DeploymentConfigName"] == "CodeDeployDefault.ECSLinear10PercentEvery1Minutes"
    assert group["DeploymentStyle"] == {
        "DeploymentOption": "WITH_TRAFFIC_CONTROL",
        "DeploymentType": "BLUE_GREEN",
    }


def test_codedeploys_own_events_tell_nobody_what_an_execution_tells_better(
    template: Template,
) -> None:
    rules = template.of("AWS::Events::Rule").values()
    sources = {source for each in rules for source in each["EventPattern"]["source"]}
    assert sources == {"aws.ecs", "aws.states"}
    (policy,) = template.of("AWS::SNS::TopicPolicy").values()
    allowed = [
        statement["Principal"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    assert allowed == [{"Service": "cloudwatch.amazonaws.com"}]
