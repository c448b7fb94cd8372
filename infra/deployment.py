"""CodeDeploy: the application, the deployment group and what it may do."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.grants import Arns, allow
from infra.load_balancing import LoadBalancing
from infra.roles import exact_role
from infra.service import EcsService
from quorumshift.config import Configuration
from quorumshift.names import HOOKS, Names


class Deployment(Construct):
    """The hooks themselves are named in each deployment's AppSpec."""

    def __init__(
        self,
        scope: Construct,
        configuration: Configuration,
        names: Names,
        arns: Arns,
        service: EcsService,
        balancing: LoadBalancing,
        alarms: Iterable[cloudwatch.Alarm],
        task_roles: list[str],
    ) -> None:
        super().__init__(scope, "Deployment")
        application = codedeploy.EcsApplication(
            self, "Application", application_name=names.application
        )
        self.group = codedeploy.EcsDeploymentGroup(
            self,
            "Group",
            application=application,
            deployment_group_name=names.deployment_group,
            service=service.service,
            role=self._role(arns, balancing, task_roles),
            deployment_config=codedeploy.EcsDeploymentConfig.from_ecs_deployment_config_name(
                self, "Config", configuration.deployment.config
            ),
            blue_green_deployment_config=codedeploy.EcsBlueGreenDeploymentConfig(
                blue_target_group=balancing.blue,
                green_target_group=balancing.green,
                listener=balancing.production,
                test_listener=balancing.test,
                termination_wait_time=Duration.minutes(
                    configuration.deployment.termination_wait_minutes
                ),
            ),
            alarms=list(alarms),
            auto_rollback=codedeploy.AutoRollbackConfig(
                failed_deployment=True, stopped_deployment=True, deployment_in_alarm=True
            ),
        )

    def _role(self, arns: Arns, balancing: LoadBalancing, task_roles: list[str]) -> iam.IRole:
        """What AWSCodeDeployRoleForECS allows on everything, on our resources alone."""
        statements = [
            allow("ecs:DescribeServices", arns.service()),
            allow("ecs:UpdateServicePrimaryTaskSet", arns.service()),
            allow("ecs:CreateTaskSet", arns.task_sets()),
            allow("ecs:DeleteTaskSet", arns.task_sets()),
            allow("elasticloadbalancing:DescribeTargetGroups", "*"),
            allow("elasticloadbalancing:DescribeListeners", "*"),
            allow("elasticloadbalancing:DescribeRules", "*"),
            allow(
                "elasticloadbalancing:ModifyListener",
                balancing.production.listener_arn,
                balancing.test.listener_arn,
            ),
            allow("cloudwatch:DescribeAlarms", arns.alarms()),
            allow("lambda:InvokeFunction", *(arns.function(hook) for hook in HOOKS)),
            allow("iam:PassRole", *task_roles)
            | {"Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}},
        ]
        # The construct would attach the managed policy, which allows all of it on *.
        return exact_role(
            self,
            "Role",
            service="codedeploy",
            description="CodeDeploy: task sets, listeners, alarms and hooks of one service",
            statements=statements,
        )
