"""What keeps the stack safe that no linter asks for."""

from __future__ import annotations

import json

import pytest

from quorumshift.names import HOOKS, WATCHDOG, Names
from tests.infra.template import Template, as_list

NAMES = Names("sample")


def test_the_topic_is_encrypted_with_a_key_that_lets_its_publishers_in(template: Template) -> None:
    topic = template.one("AWS::SNS::Topic")
    key = template.of("AWS::KMS::Key")[template.target(topic["KmsMasterKeyId"])]
    assert key["EnableKeyRotation"] is True
    statements = {each.get("Sid", ""): each for each in key["KeyPolicy"]["Statement"]}
    publishers = statements["Publishers"]
    assert publishers["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert "Condition" not in publishers
    through = statements["ThroughTheTopic"]["Condition"]["StringEquals"]
    assert {name: template.text(value) for name, value in through.items()} == {
        "kms:CallerAccount": "123456789012",
        "kms:ViaService": "sns.us-east-1.amazonaws.com",
    }
    for each in (publishers, statements["ThroughTheTopic"]):
        assert as_list(each["Action"]) == ["kms:Decrypt", "kms:GenerateDataKey*"]


def test_the_load_balancer_logs_who_asked(template: Template) -> None:
    ((name, resource),) = [
        (name, each)
        for name, each in template.resources.items()
        if each["Type"] == "AWS::ElasticLoadBalancingV2::LoadBalancer"
    ]
    attributes = {
        each["Key"]: each["Value"] for each in resource["Properties"]["LoadBalancerAttributes"]
    }
    assert attributes["access_logs.s3.enabled"] == "true"
    bucket = template.target(attributes["access_logs.s3.bucket"])
    assert template.resources[bucket]["DeletionPolicy"] == "Retain"
    ((policy, properties),) = template.of("AWS::S3::BucketPolicy").items()
    assert policy in resource["DependsOn"], f"{name} would write before it may"
    (allowed,) = [
        each for each in properties["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"
    ]
    assert allowed["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert template.text(allowed["Resource"]) == f"<{bucket}.Arn>/AWSLogs/123456789012/*"


def test_what_is_refused_in_the_network_is_logged(template: Template) -> None:
    log = template.one("AWS::EC2::FlowLog")
    assert (log["TrafficType"], log["LogDestinationType"]) == ("REJECT", "cloud-watch-logs")


def undelivered(template: Template) -> str:
    (queue,) = template.of("AWS::SQS::Queue")
    return queue


def test_what_cannot_be_delivered_is_kept(template: Template) -> None:
    queue = undelivered(template)
    assert template.of("AWS::SQS::Queue")[queue] == {
        "QueueName": "sample-undelivered",
        "MessageRetentionPeriod": 14 * 86400,
        "SqsManagedSseEnabled": True,
    }
    rules = template.of("AWS::Events::Rule")
    assert len(rules) == 5
    for name, rule in rules.items():
        for target in rule["Targets"]:
            assert template.target(target["DeadLetterConfig"]["Arn"]) == queue, name


def test_what_the_watchdog_cannot_do_is_kept(template: Template) -> None:
    functions = template.of("AWS::Lambda::Function")
    (own,) = [
        each
        for each in template.of("AWS::Lambda::EventInvokeConfig").values()
        if functions[template.target(each["FunctionName"])]["FunctionName"]
        == NAMES.function(WATCHDOG)
    ]
    destination = own["DestinationConfig"]["OnFailure"]["Destination"]
    assert template.target(destination) == undelivered(template)
    assert "MaximumRetryAttempts" not in own, "Lambda's two further tries are wanted here"
    (role,) = [
        template.target(each["Role"])
        for each in functions.values()
        if each["FunctionName"] == NAMES.function(WATCHDOG)
    ]
    assert template.granted(role)["sqs:SendMessage"] == [
        "arn:aws:sqs:us-east-1:123456789012:sample-undelivered"
    ]


def test_people_are_called_when_an_execution_ends_badly_or_an_event_is_lost(
    template: Template,
) -> None:
    seen = set()
    for alarm in template.of("AWS::CloudWatch::Alarm").values():
        if alarm["Namespace"] == "AWS/ApplicationELB":
            assert "AlarmActions" not in alarm
            continue
        (topic,) = alarm["AlarmActions"]
        assert template.target(topic) in template.of("AWS::SNS::Topic")
        assert alarm["TreatMissingData"] == "notBreaching"
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
        (dimension,) = alarm["Dimensions"]
        seen.add((alarm["MetricName"], template.text(dimension["Value"]).rpartition(":")[2]))
    assert seen == {
        ("ExecutionsFailed", "sample-deploy"),
        ("ExecutionsTimedOut", "sample-deploy"),
        ("ExecutionsFailed", "sample-hand-over"),
        ("ExecutionsTimedOut", "sample-hand-over"),
        ("ApproximateNumberOfMessagesVisible", f"<{undelivered(template)}.QueueName>"),
    }


@pytest.mark.parametrize(("which", "kept"), [("template", False), ("snaketron", True)])
def test_production_is_not_deleted_by_mistake(
    which: str, kept: bool, request: pytest.FixtureRequest
) -> None:
    template: Template = request.getfixturevalue(which)
    (balancer,) = template.of("AWS::ElasticLoadBalancingV2::LoadBalancer").values()
    attributes = {each["Key"]: each["Value"] for each in balancer["LoadBalancerAttributes"]}
    assert attributes["deletion_protection.enabled"] == str(kept).lower()
    outlive = {
        name
        for name, resource in template.resources.items()
        if resource.get("DeletionPolicy") == "Retain"
        and resource["Type"] in ("AWS::SecretsManager::Secret", "AWS::Logs::LogGroup")
    }
    secrets = set(template.of("AWS::SecretsManager::Secret"))
    evidence = {name for name in template.of("AWS::Logs::LogGroup") if name.startswith("Evidence")}
    assert len(evidence) == 1
    assert outlive == ((secrets | evidence) if kept else set())


def test_a_service_scales_where_the_configuration_says_so(
    template: Template, snaketron: Template
) -> None:
    assert not template.of("AWS::ApplicationAutoScaling::ScalableTarget")
    target = snaketron.one("AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (3, 9)
    assert target["ScalableDimension"] == "ecs:service:DesiredCount"
    aims = {
        (
            each["PredefinedMetricSpecification"]["PredefinedMetricType"],
            each["TargetValue"],
            each["ScaleOutCooldown"],
            each["ScaleInCooldown"],
        )
        for policy in snaketron.of("AWS::ApplicationAutoScaling::ScalingPolicy").values()
        for each in [policy["TargetTrackingScalingPolicyConfiguration"]]
    }
    assert aims == {
        ("ECSServiceAverageCPUUtilization", 70, 60, 300),
        ("ECSServiceAverageMemoryUtilization", 80, 60, 300),
    }


@pytest.mark.parametrize(
    ("which", "service", "environment"),
    [
        ("cloud_assembly", "sample", "staging"),
        ("snaketron_assembly", "snaketron-prod", "prod"),
        ("adopting_assembly", "snaketron-staging", "staging"),
    ],
)
def test_each_stack_says_whose_it_is_and_is_kept_in_production(
    which: str, service: str, environment: str, request: pytest.FixtureRequest
) -> None:
    manifest = json.loads((request.getfixturevalue(which) / "manifest.json").read_text())
    made = {
        name: artifact["properties"]
        for name, artifact in manifest["artifacts"].items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    assert set(made) == {f"{service}-{part}" for part in ("network", "service", "deployment")}
    for name, properties in made.items():
        assert properties["tags"] == {"service": service, "environment": environment}
        assert properties["terminationProtection"] is (environment == "prod"), name


_SOURCES = {
    "codebuild": "arn:aws:codebuild:us-east-1:123456789012:project/snaketron-prod-build",
    "codedeploy": "arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:snaketron-prod-app/"
    "snaketron-prod-ecs-dg",
    "ecs-tasks": "arn:aws:ecs:us-east-1:123456789012:*",
    "lambda": None,  # AWS documents no form of it
    "scheduler": "arn:aws:scheduler:us-east-1:123456789012:schedule-group/default",
    "states": "arn:aws:states:us-east-1:123456789012:*",
    "vpc-flow-logs": "arn:aws:ec2:us-east-1:123456789012:*",
}


def test_services_take_roles_for_this_account_alone(snaketron: Template) -> None:
    seen = set()
    for name, role in snaketron.of("AWS::IAM::Role").items():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        service = statement["Principal"]["Service"].removesuffix(".amazonaws.com")
        asked = statement["Condition"]
        assert snaketron.text(asked["StringEquals"]["aws:SourceAccount"]) == "123456789012", name
        source = asked.get("ArnLike", {}).get("aws:SourceArn")
        assert (source and snaketron.text(source)) == _SOURCES[service], name
        seen.add(service)
    assert seen == set(_SOURCES)


@pytest.mark.parametrize("which", ["template", "adopting"])
def test_no_role_trusts_a_service_for_anybody(which: str, request: pytest.FixtureRequest) -> None:
    template: Template = request.getfixturevalue(which)
    for name, role in template.of("AWS::IAM::Role").items():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert "aws:SourceAccount" in statement["Condition"]["StringEquals"], name


def test_hooks_and_the_watchdog_have_executions_to_themselves(template: Template) -> None:
    reserved = {
        each["FunctionName"]: each["ReservedConcurrentExecutions"]
        for each in template.of("AWS::Lambda::Function").values()
        if "ReservedConcurrentExecutions" in each
    }
    wanted = {NAMES.function(state) for state in (*HOOKS, WATCHDOG)}
    assert wanted <= reserved.keys()
    assert {reserved[name] for name in wanted} == {2}
