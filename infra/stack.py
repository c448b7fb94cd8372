"""One stack for one service, put together from constructs that each own one thing."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.alarms import DeploymentAlarms
from infra.build import ImageBuild
from infra.dashboard import Dashboard
from infra.dead_letters import DeadLetters
from infra.deployment import Deployment
from infra.functions import Functions
from infra.github import GitHub
from infra.grants import Arns, Grants
from infra.load_balancing import LoadBalancing
from infra.network import Network
from infra.notifications import Notifications
from infra.operating_alarms import OperatingAlarms
from infra.packaging import DATABASE_CA
from infra.reconciling import Reconciliation
from infra.schedule import CanarySchedule
from infra.service import EcsService
from infra.watchdog import Watchdog
from infra.workflow import Workflows
from quorumshift.config import Configuration
from quorumshift.names import RECONCILE, WATCHDOG, Names
from quorumshift.settings import Settings, evidence_group


class ServiceStack(Stack):
    """``code``: the folder of the functions' packages. ``workflows``: the rendered definitions.
    ``libraries``: the zip file that goes to Lambda as a layer, if there is one."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration: Configuration,
        code: Path,
        workflows: Path,
        libraries: Path | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"Service {configuration.service.name} and its blue/green deployments",
            termination_protection=configuration.environment.is_kept,
        )
        names = configuration.names
        arns = Arns(self, names)
        network = Network(self, configuration)
        undelivered = DeadLetters(self, names).queue
        notifications = Notifications(self, configuration, names, undelivered)
        balancing = LoadBalancing(self, configuration, network)
        service = EcsService(self, configuration, names, network, balancing.blue)
        alarms = DeploymentAlarms(self, configuration, balancing, notifications.topic)
        task_roles = _task_roles(service)
        Deployment(self, configuration, names, arns, service, balancing, alarms.all, task_roles)
        if configuration.build.repository:
            ImageBuild(self, configuration, names, arns)
        if configuration.github.repository:
            GitHub(self, configuration, names, arns)
        logs.LogGroup(
            self,
            "Evidence",
            log_group_name=evidence_group(names.service),
            retention=logs.RetentionDays.THREE_MONTHS,  # CodeDeploy keeps a deployment as long
            removal_policy=RemovalPolicy.RETAIN
            if configuration.environment.is_kept
            else RemovalPolicy.DESTROY,
        )
        settings = _settings(configuration, names, arns, balancing, service)
        functions = Functions(
            self,
            configuration,
            names,
            network,
            Grants(arns, task_roles, configuration.database.secret_of_functions),
            code,
            settings.environment(),
            libraries,
            undelivered=undelivered,
        )
        Workflows(self, names, workflows, functions.by_state)
        Watchdog(self, names, arns, functions.by_state[WATCHDOG], undelivered)
        Reconciliation(self, names, arns, functions.by_state[RECONCILE], undelivered)
        CanarySchedule(self, configuration, names, arns, undelivered)
        Dashboard(self, names, arns, balancing)
        OperatingAlarms(self, names, arns, undelivered, notifications.topic)
        self._outputs(names, arns, balancing)
        if configuration.database.secret:
            self._output_who_connects(network)

    def _outputs(self, names: Names, arns: Arns, balancing: LoadBalancing) -> None:
        values = {
            "BlueTargetGroup": balancing.blue.target_group_arn,
            "Deploy": arns.state_machine(names.deploy),
            "GreenTargetGroup": balancing.green.target_group_arn,
            "HandOver": arns.state_machine(names.hand_over),
            "LoadBalancer": balancing.balancer.load_balancer_arn,
            "ProductionListener": balancing.production.listener_arn,
            "ProductionUrl": balancing.production_url,
            "TestListener": balancing.test.listener_arn,
            "TestUrl": balancing.test_url,
            "Topic": arns.topic(),
        }
        for name, value in values.items():
            CfnOutput(self, name, value=value)

    def _output_who_connects(self, network: Network) -> None:
        """The database is somebody else's, and so is the security group that lets these in."""
        for name, group in (("Tasks", network.tasks), ("Functions", network.functions)):
            CfnOutput(self, f"{name}SecurityGroup", value=group.security_group_id)


def _task_roles(service: EcsService) -> list[str]:
    definition = service.task_definition
    execution = definition.obtain_execution_role()
    return [definition.task_role.role_arn, execution.role_arn]


def _settings(
    configuration: Configuration,
    names: Names,
    arns: Arns,
    balancing: LoadBalancing,
    service: EcsService,
) -> Settings:
    port, path = configuration.service.health
    return Settings(
        service=names.service,
        cluster=names.cluster,
        application=names.application,
        deployment_group=names.deployment_group,
        family=names.family,
        container=configuration.service.container,
        port=configuration.service.port,
        health_url=f":{port}{path}",
        trial_path=configuration.service.trial,
        websocket_path=configuration.service.websocket_path,
        test_url=balancing.test_url,
        hook_prefix=names.hook_prefix,
        deploy=arns.state_machine(names.deploy),
        hand_over=arns.state_machine(names.hand_over),
        topic=arns.topic(),
        project=names.project if configuration.build.repository else "",
        repository=service.repository.repository_uri,
        dialect=configuration.raft.dialect,
        raft_port=configuration.raft.port,
        policy=configuration.raft.policy,
        deployment_config=configuration.deployment.config,
        poll_seconds=configuration.deployment.poll_seconds,
        deadline_minutes=configuration.deployment.deadline_minutes,
        listener=balancing.production.listener_arn,
        raft_peer_port=configuration.raft.peer_port,
        **_database(configuration),
    )


def _database(configuration: Configuration) -> dict[str, str]:
    """Nothing of it where the functions have no business there."""
    database, kind = configuration.database, configuration.discovery.kind
    if kind != "postgres":
        return {}
    return {
        "discovery": kind,
        "database_secret": database.secret_of_functions,
        "database_tls": database.tls,
        "database_ca": DATABASE_CA if database.certificates else "",
        "database_region": database.region,
    }
