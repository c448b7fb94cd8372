"""CodeDeploy: the application, the deployment group and what it may do."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.grants import Arns, allow
from infra.parts import ServiceParts, TrafficParts
from infra.roles import exact_role
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
        service: ServiceParts,
        traffic: TrafficParts,
        alarms: Iterable[cloudwatch.Alarm],
    ) -> None:
        super().__init__(scope, "Deployment")
        application = codedeploy.EcsApplication(
            self, "Application", application_name=names.application
        )
        group = codedeploy.CfnDeploymentGroup
        group(
            self,
            "Group",
            application_name=application.application_name,
            deployment_group_name=names.deployment_group,
            service_role_arn=self._role(arns, traffic, service.task_roles).role_arn,
            deployment_config_name=configuration.deployment.config,
            deployment_style=group.DeploymentStyleProperty(
                deployment_type="BLUE_GREEN", deployment_option="WITH_TRAFFIC_CONTROL"
            ),
            ecs_services=[
                group.ECSServiceProperty(cluster_name=names.cluster, service_name=names.service)
            ],
            load_balancer_info=group.LoadBalancerInfoProperty(
                target_group_pair_info_list=[_pair(traffic)]
            ),
            blue_green_deployment_configuration=_blue_green(
                configuration.deployment.termination_wait_minutes
            ),
            alarm_configuration=group.AlarmConfigurationProperty(
                enabled=True,
                alarms=[group.AlarmProperty(name=each.alarm_name) for each in alarms],
            ),
            auto_rollback_configuration=group.AutoRollbackConfigurationProperty(
                enabled=True,
                events=[
                    "DEPLOYMENT_FAILURE",
                    "DEPLOYMENT_STOP_ON_ALARM",
                    "DEPLOYMENT_STOP_ON_REQUEST",
                ],
            ),
        )

    def _role(self, arns: Arns, traffic: TrafficParts, task_roles: Iterable[str]) -> iam.IRole:
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
                traffic.production_listener,
                traffic.test_listener,
            ),
            allow("cloudwatch:DescribeAlarms", arns.alarms()),
            allow("lambda:InvokeFunction", *(arns.function(hook) for hook in HOOKS)),
            allow("iam:PassRole", *task_roles)
            | {"Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}},
        ]
        return exact_role(
            self,
            "Role",
            service="codedeploy",
            source=arns.deployment_group(),
            description="CodeDeploy: task sets, listeners, alarms and hooks of one service",
            statements=statements,
        )


def _pair(traffic: TrafficParts) -> codedeploy.CfnDeploymentGroup.TargetGroupPairInfoProperty:
    group = codedeploy.CfnDeploymentGroup
    return group.TargetGroupPairInfoProperty(
        target_groups=[
            group.TargetGroupInfoProperty(name=each.name) for each in (traffic.blue, traffic.green)
        ],
        prod_traffic_route=group.TrafficRouteProperty(listener_arns=[traffic.production_listener]),
        test_traffic_route=group.TrafficRouteProperty(listener_arns=[traffic.test_listener]),
    )


def _blue_green(
    minutes: int,
) -> codedeploy.CfnDeploymentGroup.BlueGreenDeploymentConfigurationProperty:
    """Blue ends ``minutes`` after the traffic has moved."""
    group = codedeploy.CfnDeploymentGroup
    return group.BlueGreenDeploymentConfigurationProperty(
        deployment_ready_option=group.DeploymentReadyOptionProperty(
            action_on_timeout="CONTINUE_DEPLOYMENT", wait_time_in_minutes=0
        ),
        terminate_blue_instances_on_deployment_success=group.BlueInstanceTerminationOptionProperty(
            action="TERMINATE", termination_wait_time_in_minutes=minutes
        ),
    )
