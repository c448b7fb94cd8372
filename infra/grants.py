"""Which resource each action is granted on.

A role lists actions (``infra/functions.py``); this catalogue, and nothing else, says on what. An
action that AWS's service authorization reference gives no resource type for can only be granted
on ``*``; those stand in ``WITHOUT_RESOURCE``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import ArnFormat, Stack

from infra.function_specs import TAG_A_TASK, action_of
from quorumshift.domain.lock_record import TAG as LOCK_TAG
from quorumshift.domain.suspension import TAG as SUSPENDED_TAG
from quorumshift.names import Names
from quorumshift.settings import evidence_group

# https://docs.aws.amazon.com/service-authorization/latest/reference/: no resource type is
# listed for these.
WITHOUT_RESOURCE = frozenset(
    {
        "application-autoscaling:DescribeScalableTargets",
        "codedeploy:GetDeploymentTarget",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "codedeploy:StopDeployment",
        "ecr:GetAuthorizationToken",
        "ecs:DescribeTaskDefinition",
        "ecs:ListTaskDefinitions",
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeRules",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
        # Of Step Functions' own log delivery.
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
        # Lambda checks that a function's role may do these on any network interface before it
        # puts the function into a VPC (AWS Lambda Developer Guide, "Giving Lambda functions
        # access to resources in an Amazon VPC").
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    }
)

TRACING = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
SAMPLED_TRACING = (*TRACING, "xray:GetSamplingRules", "xray:GetSamplingTargets")
LOG_DELIVERY = tuple(
    f"logs:{verb}"
    for verb in (
        "CreateLogDelivery",
        "GetLogDelivery",
        "UpdateLogDelivery",
        "DeleteLogDelivery",
        "ListLogDeliveries",
        "PutResourcePolicy",
        "DescribeResourcePolicies",
        "DescribeLogGroups",
    )
)
NETWORK_INTERFACES = tuple(
    f"ec2:{verb}"
    for verb in (
        "CreateNetworkInterface",
        "DescribeNetworkInterfaces",
        "DescribeSubnets",
        "DeleteNetworkInterface",
        "AssignPrivateIpAddresses",
        "UnassignPrivateIpAddresses",
    )
)


@dataclass(frozen=True, slots=True)
class Arns:
    """ARNs of one service's resources, made from names, so that no two resources wait for each
    other."""

    stack: Stack
    names: Names

    def state_machine(self, name: str) -> str:
        """A state machine."""
        return self._arn("states", "stateMachine", name, ArnFormat.COLON_RESOURCE_NAME)

    def executions(self, name: str) -> str:
        """All executions of a state machine."""
        return self._arn("states", "execution", f"{name}:*", ArnFormat.COLON_RESOURCE_NAME)

    def service(self) -> str:
        """The ECS service."""
        return self._arn("ecs", "service", f"{self.names.cluster}/{self.names.service}")

    def task_sets(self) -> str:
        """The service's task sets."""
        return self._arn("ecs", "task-set", f"{self.names.cluster}/{self.names.service}/*")

    def cluster(self) -> str:
        """The ECS cluster."""
        return self._arn("ecs", "cluster", self.names.cluster)

    def tasks(self) -> str:
        """The cluster's tasks."""
        return self._arn("ecs", "task", f"{self.names.cluster}/*")

    def task_definitions(self) -> str:
        """All revisions of the service's family."""
        return self._arn("ecs", "task-definition", f"{self.names.family}:*")

    def deployment_group(self) -> str:
        """The CodeDeploy deployment group."""
        name = f"{self.names.application}/{self.names.deployment_group}"
        return self._arn("codedeploy", "deploymentgroup", name, ArnFormat.COLON_RESOURCE_NAME)

    def application(self) -> str:
        """The CodeDeploy application."""
        return self._arn(
            "codedeploy", "application", self.names.application, ArnFormat.COLON_RESOURCE_NAME
        )

    def scalable_targets(self) -> str:
        """All scalable targets: their ids are made by AWS."""
        return self._arn("application-autoscaling", "scalable-target", "*")

    def deployment_configs(self) -> str:
        """Any CodeDeploy configuration: a request may name one."""
        return self._arn("codedeploy", "deploymentconfig", "*", ArnFormat.COLON_RESOURCE_NAME)

    def alarms(self) -> str:
        """The service's alarms."""
        name = f"{self.names.root}-*"
        return self._arn("cloudwatch", "alarm", name, ArnFormat.COLON_RESOURCE_NAME)

    def function(self, state: str) -> str:
        """The function of a state or hook."""
        return self._arn(
            "lambda", "function", self.names.function(state), ArnFormat.COLON_RESOURCE_NAME
        )

    def repository(self) -> str:
        """The ECR repository."""
        return self._arn("ecr", "repository", self.names.repository)

    def project(self) -> str:
        """The CodeBuild project."""
        return self._arn("codebuild", "project", self.names.project)

    def topic(self) -> str:
        """The SNS topic."""
        return self.stack.format_arn(service="sns", resource=self.names.topic)

    def schedule_group(self) -> str:
        """The group that a schedule is in which names none."""
        return self._arn("scheduler", "schedule-group", "default")

    def undelivered(self) -> str:
        """The queue of events that could not be delivered."""
        return self.stack.format_arn(service="sqs", resource=self.names.undelivered)

    def log_streams(self, group: str) -> str:
        """The streams of a log group."""
        return self._arn("logs", "log-group", f"{group}:*", ArnFormat.COLON_RESOURCE_NAME)

    def secret(self, which: str) -> str:
        """A secret, from its name or its whole ARN. A name's ARN ends in a hyphen and six
        characters that nobody knows before (AWS Secrets Manager User Guide, "Example: Permission
        to read one secret")."""
        if which.startswith("arn:"):
            return which
        ending = f"{which}-??????"
        return self._arn("secretsmanager", "secret", ending, ArnFormat.COLON_RESOURCE_NAME)

    def _arn(self, service: str, resource: str, name: str, form: ArnFormat | None = None) -> str:
        return self.stack.format_arn(
            service=service,
            resource=resource,
            resource_name=name,
            arn_format=form or ArnFormat.SLASH_RESOURCE_NAME,
        )


class Grants:
    """Statements for actions. ``task_roles``: the roles that ECS gives to tasks. ``database``: the
    name or ARN of the secret that tells how to get to it."""

    def __init__(self, arns: Arns, task_roles: Iterable[str], database: str = "") -> None:
        self.arns = arns
        group = [arns.deployment_group()]
        evidence = evidence_group(arns.names.service)
        self._resources: Mapping[str, list[str]] = {
            "application-autoscaling:ListTagsForResource": [arns.scalable_targets()],
            "application-autoscaling:RegisterScalableTarget": [arns.scalable_targets()],
            "application-autoscaling:TagResource": [arns.scalable_targets()],
            "application-autoscaling:UntagResource": [arns.scalable_targets()],
            "cloudwatch:DescribeAlarms": [arns.alarms()],
            "codebuild:BatchGetBuilds": [arns.project()],
            "codebuild:BatchGetProjects": [arns.project()],
            "codebuild:ListBuildsForProject": [arns.project()],
            "codebuild:StartBuild": [arns.project()],
            "codebuild:StopBuild": [arns.project()],
            "codedeploy:BatchGetDeployments": group,
            "codedeploy:CreateDeployment": group,
            "codedeploy:GetApplicationRevision": [arns.application()],
            "codedeploy:GetDeployment": group,
            "codedeploy:GetDeploymentConfig": [arns.deployment_configs()],
            "codedeploy:GetDeploymentGroup": group,
            "codedeploy:ListDeployments": group,
            "codedeploy:RegisterApplicationRevision": [arns.application()],
            "codedeploy:UpdateDeploymentGroup": group,
            "ecr:BatchGetImage": [arns.repository()],
            "ecr:DescribeImages": [arns.repository()],
            "ecs:DescribeServices": [arns.service()],
            "ecs:DescribeTaskSets": [arns.task_sets()],
            "ecs:DescribeTasks": [arns.tasks()],
            "ecs:GetTaskProtection": [arns.tasks()],
            "ecs:ListTasks": ["*"],
            "ecs:RegisterTaskDefinition": [arns.task_definitions()],
            "ecs:TagResource": [arns.task_definitions()],
            TAG_A_TASK: [arns.tasks()],
            "ecs:UntagResource": [arns.tasks()],
            "ecs:UpdateService": [arns.service()],
            "ecs:UpdateTaskProtection": [arns.tasks()],
            "iam:PassRole": list(task_roles),
            "logs:CreateLogStream": [arns.log_streams(evidence)],
            "logs:GetLogEvents": [arns.log_streams(evidence)],
            "logs:PutLogEvents": [arns.log_streams(evidence)],
            "secretsmanager:GetSecretValue": [arns.secret(database)] if database else [],
            "sns:Publish": [arns.topic()],
            "states:DescribeExecution": [arns.executions(arns.names.hand_over)],
            "states:ListExecutions": [arns.state_machine(arns.names.hand_over)],
            "states:RedriveExecution": [arns.executions(arns.names.hand_over)],
            "states:StartExecution": [arns.state_machine(arns.names.hand_over)],
        }

        own_tag = {"ForAllValues:StringEquals": {"aws:TagKeys": [SUSPENDED_TAG]}}
        lock_tag = {"ForAllValues:StringEquals": {"aws:TagKeys": [LOCK_TAG]}}
        self._conditions = {
            TAG_A_TASK: lock_tag,
            "ecs:UntagResource": lock_tag,
            "application-autoscaling:TagResource": own_tag,
            "application-autoscaling:UntagResource": own_tag,
            "application-autoscaling:RegisterScalableTarget": {
                "StringEquals": {
                    "application-autoscaling:service-namespace": "ecs",
                    "application-autoscaling:scalable-dimension": "ecs:service:DesiredCount",
                }
            },
            # Its resource type is the container instance, which Fargate does not have; the
            # cluster is a condition (Amazon ECS Developer Guide, "Identity-based policy
            # examples", "List tasks in a cluster").
            "ecs:ListTasks": {"ArnEquals": {"ecs:cluster": arns.cluster()}},
            "ecs:TagResource": {"StringEquals": {"ecs:CreateAction": "RegisterTaskDefinition"}},
            "iam:PassRole": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        }

    def statements(self, actions: Iterable[str]) -> list[dict[str, Any]]:
        """One statement an action."""
        return [self._statement(action) for action in sorted(set(actions))]

    def _statement(self, action: str) -> dict[str, Any]:
        if action in WITHOUT_RESOURCE:
            return allow(action, "*")
        statement = allow(action_of(action), *self._resources[action])
        conditions = self._conditions.get(action)
        return statement | {"Condition": conditions} if conditions else statement


def allow(action: str, *resources: str) -> dict[str, Any]:
    """A statement that allows one action."""
    return {
        "Effect": "Allow",
        "Action": action,
        "Resource": resources[0] if len(resources) == 1 else list(resources),
    }
