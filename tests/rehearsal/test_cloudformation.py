"""Templates come up as they are, or not at all."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from quorumshift.rehearsal.aws.cloudformation_kinds import MADE, NATIVE, RECORDED
from quorumshift.rehearsal.aws.cloudformation_shapes import parameters
from quorumshift.rehearsal.aws.loud import NotRehearsed
from quorumshift.rehearsal.world import World

Create = Callable[..., dict[str, str]]


@pytest.fixture
def create(world: World) -> Create:
    """``create(resources, outputs)``: the outputs of a stack with these resources."""

    def make(resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> dict[str, str]:
        client = world.client("cloudformation")
        stack = f"stack-{uuid.uuid4().hex[:8]}"
        template = {
            "Resources": resources,
            "Outputs": {key: {"Value": value} for key, value in (outputs or {}).items()},
        }
        client.create_stack(StackName=stack, TemplateBody=json.dumps(template))
        (made,) = client.describe_stacks(StackName=stack)["Stacks"]
        assert made["StackStatus"] == "CREATE_COMPLETE"
        return {out["OutputKey"]: out["OutputValue"] for out in made.get("Outputs", [])}

    return make


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def att(name: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


def refused(create: Create, resources: dict[str, Any]) -> str:
    with pytest.raises(ClientError) as caught:
        create(resources)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(caught.value.response["Error"]["Message"])


def test_an_unknown_type_names_its_logical_id(create: Create) -> None:
    said = refused(create, {"Cache": resource("ElastiCache::CacheCluster", Engine="redis")})
    assert "Cache (AWS::ElastiCache::CacheCluster): the rehearsal does not know" in said


def test_a_property_that_moto_would_drop(create: Create) -> None:
    said = refused(create, {"Group": resource("Logs::LogGroup", LogGroupClass="DELIVERY")})
    assert "Group (AWS::Logs::LogGroup): the rehearsal would ignore the properties" in said
    assert "LogGroupClass" in said


def test_a_property_that_the_api_does_not_know(create: Create) -> None:
    said = refused(create, {"App": resource("CodeDeploy::Application", Colour="green")})
    assert "App (AWS::CodeDeploy::Application): property .Colour" in said


def test_an_attribute_that_is_not_there(create: Create) -> None:
    said = refused(
        create,
        {
            "App": resource("CodeDeploy::Application", ComputePlatform="ECS"),
            "Topic": resource("SNS::Topic", DisplayName=att("App", "Arn")),
        },
    )
    assert "Topic (AWS::SNS::Topic): Fn::GetAtt Arn of AWS::CodeDeploy::Application" in said


def test_a_call_that_fails_names_its_resource(create: Create) -> None:
    rule = resource(
        "ElasticLoadBalancingV2::Listener",
        LoadBalancerArn="arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/x/0",
        Port=1,
        Protocol="HTTP",
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )
    said = refused(create, {"Web": rule})
    assert said.startswith("Web (AWS::ElasticLoadBalancingV2::Listener): An error occurred")


def test_alarms(world: World, create: Create) -> None:
    name = unique("alarm")
    alarm = resource(
        "CloudWatch::Alarm",
        AlarmName=name,
        Namespace="AWS/ApplicationELB",
        MetricName="TargetResponseTime",
        Dimensions=[{"Name": "TargetGroup", "Value": "targetgroup/x/1"}],
        Statistic="Average",
        Period="60",
        EvaluationPeriods=2,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    outputs = create({"Slow": alarm}, {"Name": ref("Slow"), "Arn": att("Slow", "Arn")})
    assert outputs["Name"] == name
    (made,) = world.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert outputs["Arn"] == made["AlarmArn"]
    assert (made["Period"], made["EvaluationPeriods"], made["Threshold"]) == (60, 2, 1.0)
    assert made["TreatMissingData"] == "notBreaching"


def test_a_topic_with_an_address_to_write_to(world: World, create: Create) -> None:
    address = "someone@example.com"
    made = create(
        {
            "Topic": resource("SNS::Topic", TopicName=unique("topic")),
            "Mail": resource(
                "SNS::Subscription", TopicArn=ref("Topic"), Protocol="email", Endpoint=address
            ),
        },
        {"topic": ref("Topic"), "mail": ref("Mail")},
    )
    told = world.client("sns").list_subscriptions_by_topic(TopicArn=made["topic"])
    (mail,) = told["Subscriptions"]
    assert (mail["SubscriptionArn"], mail["Endpoint"]) == (made["mail"], address)


def test_secrets_are_made_up(world: World, create: Create) -> None:
    generated = {"PasswordLength": 40, "ExcludePunctuation": True}
    keyed = {"SecretStringTemplate": '{"user": "app"}', "GenerateStringKey": "password"}
    outputs = create(
        {
            "Plain": resource("SecretsManager::Secret", GenerateSecretString=generated),
            "Keyed": resource("SecretsManager::Secret", GenerateSecretString=keyed),
        },
        {"Plain": ref("Plain"), "Keyed": ref("Keyed")},
    )
    client = world.client("secretsmanager")
    plain = client.get_secret_value(SecretId=outputs["Plain"])["SecretString"]
    assert len(plain) == 40
    assert plain.isalnum()
    value = json.loads(client.get_secret_value(SecretId=outputs["Keyed"])["SecretString"])
    assert value["user"] == "app"
    assert len(value["password"]) == 32


def test_a_machine_with_substitutions_runs(world: World, create: Create, role: str) -> None:
    source = "def handler(event, context): return event"
    name = unique("echo")
    function = resource(
        "Lambda::Function",
        FunctionName=name,
        Runtime="python3.12",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": source},
        Timeout=3,
        LoggingConfig={"LogGroup": f"/aws/lambda/{name}"},
    )
    states = {"Echo": {"Type": "Task", "Resource": "${Echo}", "End": True}}
    machine = resource(
        "StepFunctions::StateMachine",
        StateMachineName=unique("machine"),
        StateMachineType="STANDARD",
        RoleArn=role,
        DefinitionString=json.dumps({"StartAt": "Echo", "States": states}),
        DefinitionSubstitutions={"Echo": att("Function", "Arn")},
        TracingConfiguration={"Enabled": True},
    )
    outputs = create({"Machine": machine, "Function": function}, {"Arn": ref("Machine")})
    client = world.client("stepfunctions")
    execution = client.start_execution(stateMachineArn=outputs["Arn"], input='{"a": 1}')
    while True:
        result = client.describe_execution(executionArn=execution["executionArn"])
        if result["status"] != "RUNNING":
            break
    assert json.loads(result["output"]) == {"a": 1}


def test_a_log_group_that_would_stay_empty(create: Create, role: str) -> None:
    function = resource(
        "Lambda::Function",
        Handler="index.handler",
        Role=role,
        Runtime="python3.12",
        Code={"ZipFile": "x = 1"},
        LoggingConfig={"LogGroup": "/somewhere/else"},
    )
    assert "logs to /somewhere/else" in refused(create, {"Function": function})


def test_a_layer_and_the_function_that_uses_it(world: World, create: Create, role: str) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("python/README", "nothing")
    bucket = unique("assets")
    world.client("s3").create_bucket(Bucket=bucket)
    world.client("s3").put_object(Bucket=bucket, Key="layer.zip", Body=package.getvalue())
    name = unique("function")
    layer = resource(
        "Lambda::LayerVersion",
        LayerName=unique("layer"),
        Description="what it needs",
        CompatibleArchitectures=["arm64"],
        CompatibleRuntimes=["python3.12"],
        Content={"S3Bucket": bucket, "S3Key": "layer.zip"},
    )
    function = resource(
        "Lambda::Function",
        FunctionName=name,
        Handler="index.handler",
        Role=role,
        Runtime="python3.12",
        Architectures=["arm64"],
        Code={"ZipFile": "def handler(event, context): return 1"},
        Layers=[ref("Layer")],
    )
    outputs = create({"Layer": layer, "Function": function}, {"Arn": ref("Layer")})
    made = world.client("lambda").get_function_configuration(FunctionName=name)
    assert [each["Arn"] for each in made["Layers"]] == [outputs["Arn"]]
    assert outputs["Arn"].endswith(":1")


def test_zones_of_the_region(create: Create) -> None:
    zones = {"Fn::GetAZs": {"Ref": "AWS::Region"}}
    outputs = create(
        {"Topic": resource("SNS::Topic")},
        {"Second": {"Fn::Select": [1, zones]}, "All": {"Fn::Join": [",", zones]}},
    )
    assert outputs == {"Second": "us-east-1b", "All": "us-east-1a,us-east-1b,us-east-1c"}


def test_what_a_rule_delivers_to_is_checked(create: Create) -> None:
    target = {"Arn": "arn:aws:kinesis:us-east-1:123456789012:stream/x", "Id": "1"}
    rule = resource("Events::Rule", EventPattern={"source": ["x"]}, Targets=[target])
    assert "Rule (AWS::Events::Rule): events for arn:aws:kinesis" in refused(create, {"Rule": rule})


def test_every_kind_names_an_operation_that_exists() -> None:
    session = botocore.session.get_session()
    for kind in MADE.values():
        session.get_service_model(kind.service).operation_model(kind.operation)
    assert not MADE.keys() & NATIVE.keys()
    assert not RECORDED.keys() & (MADE.keys() | NATIVE.keys())


def test_parameters_get_the_apis_spelling_and_types() -> None:
    model = botocore.session.get_session().get_service_model("ecs")
    shape = model.operation_model("CreateService").input_shape
    given = {
        "ServiceName": "sample",
        "DesiredCount": "3",
        "EnableECSManagedTags": "false",
        "LoadBalancers": [{"ContainerPort": "8080", "ContainerName": "app"}],
    }
    assert parameters(given, shape) == {
        "serviceName": "sample",
        "desiredCount": 3,
        "enableECSManagedTags": False,
        "loadBalancers": [{"containerPort": 8080, "containerName": "app"}],
    }
    with pytest.raises(NotRehearsed, match=r"property \.LoadBalancers\[0\]\.Colour"):
        parameters({"LoadBalancers": [{"Colour": "blue"}]}, shape)


def test_documents_and_maps_are_kept() -> None:
    session = botocore.session.get_session()
    sns = session.get_service_model("sns").operation_model("SetTopicAttributes").input_shape
    policy = parameters({"AttributeValue": {"Statement": [{"Sid": "A"}]}}, sns)
    assert json.loads(policy["AttributeValue"]) == {"Statement": [{"Sid": "A"}]}
    ecs = session.get_service_model("ecs").operation_model("RegisterTaskDefinition").input_shape
    options = {"awslogs-group": "/ecs/sample"}
    containers = [{"LogConfiguration": {"LogDriver": "awslogs", "Options": options}}]
    made = parameters({"ContainerDefinitions": containers}, ecs)
    assert made["containerDefinitions"][0]["logConfiguration"]["options"] == options
