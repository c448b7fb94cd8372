"""What becomes of each resource type.

``MADE``: types made with the API call that AWS too ends in. ``NATIVE``: types that moto makes well
enough by itself, with the properties that it honours, or that cannot matter on one machine.
``RECORDED``: types of which nothing but the logical id is kept. Anything else is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from quorumshift.rehearsal.aws import cloudformation_prepare as prepared
from quorumshift.rehearsal.world import ACCOUNT, REGION

Attributes = dict[str, Any]
Made = tuple[str, Attributes]


@dataclass(frozen=True, slots=True)
class Kind:
    """``service``, ``operation``: the call (botocore's names). ``made``: the physical id (what
    ``Ref`` gives) and the attributes, from the answer and the parameters. ``name``: the property
    that names the resource, made up when the template leaves it out. ``prepare``: properties
    rewritten before they become parameters; it gets a client factory. ``after``: further calls,
    with the client, the answer and the properties."""

    service: str
    operation: str
    made: Callable[[dict[str, Any], dict[str, Any]], Made]
    name: str = ""
    prepare: Callable[[dict[str, Any], Callable[[str], Any]], dict[str, Any]] | None = None
    after: Callable[[Any, dict[str, Any], dict[str, Any]], None] | None = None
    separate: frozenset[str] = field(default_factory=frozenset)
    """Properties that ``after`` takes care of."""


def _balancer(answer: dict[str, Any], _: Any) -> Made:
    made = answer["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]
    return arn, {
        "CanonicalHostedZoneID": made.get("CanonicalHostedZoneId", ""),
        "DNSName": made["DNSName"],
        "LoadBalancerArn": arn,
        "LoadBalancerFullName": arn.partition(":loadbalancer/")[2],
        "LoadBalancerName": made["LoadBalancerName"],
        "SecurityGroups": made.get("SecurityGroups", []),
    }


def _group(answer: dict[str, Any], _: Any) -> Made:
    made = answer["TargetGroups"][0]
    arn = made["TargetGroupArn"]
    return arn, {
        "TargetGroupArn": arn,
        "TargetGroupFullName": arn.rpartition(":")[2],
        "TargetGroupName": made["TargetGroupName"],
    }


def _listener(answer: dict[str, Any], _: Any) -> Made:
    arn = answer["Listeners"][0]["ListenerArn"]
    return arn, {"ListenerArn": arn}


def _rule(answer: dict[str, Any], _: Any) -> Made:
    arn = answer["Rules"][0]["RuleArn"]
    return arn, {"RuleArn": arn, "IsDefault": answer["Rules"][0].get("IsDefault", False)}


def _cluster(answer: dict[str, Any], _: Any) -> Made:
    made = answer["cluster"]
    return made["clusterName"], {"Arn": made["clusterArn"]}


def _task_definition(answer: dict[str, Any], _: Any) -> Made:
    arn = answer["taskDefinition"]["taskDefinitionArn"]
    return arn, {"TaskDefinitionArn": arn}


def _service(answer: dict[str, Any], _: Any) -> Made:
    made = answer["service"]
    return made["serviceArn"], {"Name": made["serviceName"], "ServiceArn": made["serviceArn"]}


def _repository(answer: dict[str, Any], _: Any) -> Made:
    made = answer["repository"]
    uri = made["repositoryUri"]
    return made["repositoryName"], {"Arn": made["repositoryArn"], "RepositoryUri": uri}


def _function(answer: dict[str, Any], _: Any) -> Made:
    return answer["FunctionName"], {"Arn": answer["FunctionArn"]}


def _named(key: str, arn: str = "") -> Callable[[dict[str, Any], dict[str, Any]], Made]:
    """``Ref`` is the parameter ``key``; ``arn``: the rest of the ARN after the account."""

    def made(_: dict[str, Any], given: dict[str, Any]) -> Made:
        name = given[key]
        if not arn:
            return name, {}
        service, rest = arn.split("|")
        return name, {"Arn": f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}{name}"}

    return made


MADE: dict[str, Kind] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": Kind(
        "application-autoscaling", "RegisterScalableTarget", prepared.scalable_target
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": Kind(
        "application-autoscaling",
        "PutScalingPolicy",
        lambda answer, _: (answer["PolicyARN"], {"Arn": answer["PolicyARN"]}),
        prepare=prepared.scaling_policy,
    ),
    "AWS::CloudWatch::Alarm": Kind(
        "cloudwatch", "PutMetricAlarm", _named("AlarmName", "cloudwatch|alarm:"), name="AlarmName"
    ),
    "AWS::CloudWatch::Dashboard": Kind(
        "cloudwatch", "PutDashboard", _named("DashboardName"), name="DashboardName"
    ),
    "AWS::CodeBuild::Project": Kind(
        "codebuild",
        "CreateProject",
        lambda answer, _: (answer["project"]["name"], {"Arn": answer["project"]["arn"]}),
        name="Name",
        prepare=prepared.project_source,
    ),
    "AWS::CodeDeploy::Application": Kind(
        "codedeploy", "CreateApplication", _named("applicationName"), name="ApplicationName"
    ),
    "AWS::CodeDeploy::DeploymentGroup": Kind(
        "codedeploy",
        "CreateDeploymentGroup",
        _named("deploymentGroupName"),
        name="DeploymentGroupName",
    ),
    # moto makes an association of its own accord too, and then no route table tells of it.
    "AWS::EC2::SubnetRouteTableAssociation": Kind(
        "ec2",
        "AssociateRouteTable",
        lambda answer, _: (answer["AssociationId"], {"Id": answer["AssociationId"]}),
    ),
    "AWS::ECR::Repository": Kind("ecr", "CreateRepository", _repository, name="RepositoryName"),
    "AWS::ECS::Cluster": Kind(
        "ecs",
        "CreateCluster",
        _cluster,
        name="ClusterName",
        prepare=prepared.renamed(ClusterSettings="Settings"),
    ),
    "AWS::ECS::ClusterCapacityProviderAssociations": Kind(
        "ecs", "PutClusterCapacityProviders", _named("cluster"), prepare=prepared.capacity_providers
    ),
    "AWS::ECS::Service": Kind("ecs", "CreateService", _service, name="ServiceName"),
    "AWS::ECS::TaskDefinition": Kind(
        "ecs", "RegisterTaskDefinition", _task_definition, name="Family"
    ),
    "AWS::ElasticLoadBalancingV2::Listener": Kind("elbv2", "CreateListener", _listener),
    "AWS::ElasticLoadBalancingV2::ListenerRule": Kind("elbv2", "CreateRule", _rule),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Kind(
        "elbv2",
        "CreateLoadBalancer",
        _balancer,
        name="Name",
        after=prepared.balancer_attributes,
        separate=frozenset({"LoadBalancerAttributes"}),
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": Kind(
        "elbv2",
        "CreateTargetGroup",
        _group,
        name="Name",
        after=prepared.group_attributes,
        separate=frozenset({"TargetGroupAttributes"}),
    ),
    "AWS::Lambda::EventInvokeConfig": Kind(
        "lambda",
        "PutFunctionEventInvokeConfig",
        lambda answer, _: (answer["FunctionArn"], {}),
    ),
    "AWS::Lambda::Function": Kind(
        "lambda",
        "CreateFunction",
        _function,
        name="FunctionName",
        prepare=prepared.function_code,
        after=prepared.function_concurrency,
        separate=frozenset({"ReservedConcurrentExecutions"}),
    ),
    "AWS::Lambda::LayerVersion": Kind(
        "lambda",
        "PublishLayerVersion",
        lambda answer, _: (
            answer["LayerVersionArn"],
            {"LayerVersionArn": answer["LayerVersionArn"]},
        ),
        name="LayerName",
    ),
    "AWS::S3::BucketPolicy": Kind(
        "s3", "PutBucketPolicy", _named("Bucket"), prepare=prepared.renamed(PolicyDocument="Policy")
    ),
    "AWS::Scheduler::Schedule": Kind(
        "scheduler",
        "CreateSchedule",
        lambda answer, given: (given["Name"], {"Arn": answer["ScheduleArn"]}),
        name="Name",
    ),
    "AWS::SecretsManager::Secret": Kind(
        "secretsmanager",
        "CreateSecret",
        lambda answer, _: (answer["ARN"], {"Id": answer["ARN"]}),
        name="Name",
        prepare=prepared.secret_value,
    ),
    "AWS::SNS::Subscription": Kind(
        "sns", "Subscribe", lambda answer, _: (answer["SubscriptionArn"], {})
    ),
    "AWS::SNS::TopicPolicy": Kind(
        "sns", "SetTopicAttributes", _named("TopicArn"), prepare=prepared.topic_policy
    ),
    "AWS::SQS::QueuePolicy": Kind(
        "sqs", "SetQueueAttributes", _named("QueueUrl"), prepare=prepared.queue_policy
    ),
    "AWS::StepFunctions::StateMachine": Kind(
        "stepfunctions",
        "CreateStateMachine",
        lambda answer, given: (
            answer["stateMachineArn"],
            {"Arn": answer["stateMachineArn"], "Name": given["name"]},
        ),
        name="StateMachineName",
        prepare=prepared.machine_definition,
    ),
}

# Known, and nothing to make of it on one machine.
RECORDED: dict[str, frozenset[str]] = {
    "AWS::CDK::Metadata": frozenset({"Analytics"}),
    "AWS::EC2::FlowLog": frozenset(
        {
            *("DeliverLogsPermissionArn", "LogDestinationType", "LogGroupName"),
            *("ResourceId", "ResourceType", "Tags", "TrafficType"),
        }
    ),
    "AWS::EC2::SecurityGroupEgress": frozenset(
        {
            *("CidrIp", "Description", "DestinationSecurityGroupId"),
            *("FromPort", "GroupId", "IpProtocol", "ToPort"),
        }
    ),
}

# The network is loopback here: addresses, routes and security groups are kept, and mean nothing.
NATIVE: dict[str, frozenset[str]] = {
    name: frozenset(properties.split())
    for name, properties in {
        "AWS::EC2::EIP": "Domain InstanceId Tags",
        "AWS::EC2::InternetGateway": "Tags",
        "AWS::EC2::NatGateway": "AllocationId ConnectivityType SubnetId Tags",
        "AWS::EC2::Route": "DestinationCidrBlock GatewayId NatGatewayId RouteTableId",
        "AWS::EC2::RouteTable": "Tags VpcId",
        "AWS::EC2::SecurityGroup": "GroupDescription GroupName SecurityGroupEgress"
        " SecurityGroupIngress Tags VpcId",
        "AWS::EC2::SecurityGroupIngress": "CidrIp Description FromPort GroupId IpProtocol"
        " SourceSecurityGroupId ToPort",
        "AWS::EC2::Subnet": "AvailabilityZone CidrBlock MapPublicIpOnLaunch Tags VpcId",
        "AWS::EC2::VPC": "CidrBlock EnableDnsHostnames EnableDnsSupport InstanceTenancy Tags",
        "AWS::EC2::VPCGatewayAttachment": "InternetGatewayId VpcId",
        "AWS::Events::Rule": "Description EventBusName EventPattern Name State Targets",
        "AWS::IAM::ManagedPolicy": "Description Groups ManagedPolicyName Path PolicyDocument"
        " Roles Tags Users",
        "AWS::IAM::Policy": "PolicyDocument PolicyName Roles",
        "AWS::IAM::Role": "AssumeRolePolicyDocument Description MaxSessionDuration Path"
        " PermissionsBoundary Policies RoleName Tags",
        "AWS::KMS::Alias": "AliasName TargetKeyId",
        "AWS::KMS::Key": "Description Enabled EnableKeyRotation KeyPolicy KeySpec KeyUsage Tags"
        " PendingWindowInDays",
        "AWS::Lambda::Permission": "Action FunctionName Principal SourceAccount SourceArn",
        "AWS::Logs::LogGroup": "KmsKeyId LogGroupName RetentionInDays Tags",
        "AWS::Logs::ResourcePolicy": "PolicyDocument PolicyName",
        "AWS::S3::Bucket": "BucketEncryption BucketName LifecycleConfiguration"
        " PublicAccessBlockConfiguration Tags",
        "AWS::SNS::Topic": "DisplayName KmsMasterKeyId Subscription Tags TopicName",
        "AWS::SQS::Queue": "KmsMasterKeyId MessageRetentionPeriod QueueName RedrivePolicy"
        " SqsManagedSseEnabled Tags VisibilityTimeout",
        "AWS::SSM::Parameter": "AllowedPattern Description Name Tags Type Value",
    }.items()
}
