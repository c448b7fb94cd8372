"""``<name>-deployment``: what deploys the service, put together from constructs that each own one
thing."""

from __future__ import annotations

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.alarms import DeploymentAlarms
from infra.build import ImageBuild, registry
from infra.dashboard import Dashboard
from infra.dead_letters import DeadLetters
from infra.deployment import Deployment
from infra.functions import Functions
from infra.github import GitHub
from infra.grants import Arns, Grants
from infra.keeping import KeeperSchedule
from infra.notifications import Notifications
from infra.operating_alarms import OperatingAlarms
from infra.packaging import DATABASE_CA
from infra.parts import NetworkParts, ServiceParts, TrafficParts
from infra.reconciling import Reconciliation
from infra.schedule import CanarySchedule
from infra.sources import Sources
from infra.stack_properties import stack_properties
from infra.watchdog import Watchdog
from infra.workflow import Workflows
from quorumshift.config import Configuration
from quorumshift.names import KEEP, RECONCILE, SLACK, WATCHDOG, Names
from quorumshift.settings import Settings, evidence_group


class DeploymentStack(Stack):
    """CodeDeploy's group, the state machines and their functions, and who is told."""

    def __init__(
        self,
        scope: Construct,
        configuration: Configuration,
        network: NetworkParts,
        traffic: TrafficParts,
        service: ServiceParts,
        sources: Sources,
    ) -> None:
        super().__init__(
            scope,
            f"{configuration.service.name}-deployment",
            **stack_properties(configuration, "its blue/green deployments"),
        )
        names = configuration.names
        arns = Arns(self, names)
        undelivered = DeadLetters(self, names).queue
        notifications = Notifications(self, configuration, names)
        alarms = DeploymentAlarms(self, configuration, traffic, notifications.topic)
        Deployment(self, configuration, names, arns, service, traffic, alarms.all)
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
        settings = _settings(configuration, names, arns, traffic)
        functions = Functions(
            self,
            configuration,
            names,
            network,
            Grants(arns, service.task_roles, configuration.database.secret_of_functions),
            sources.code,
            settings.environment(),
            sources.libraries,
            undelivered=undelivered,
        )
        if SLACK in functions.by_state:
            notifications.post_to(functions.by_state[SLACK], undelivered)
        Workflows(self, names, sources.workflows, functions.by_state)
        Watchdog(self, names, arns, functions.by_state[WATCHDOG], undelivered)
        if configuration.raft.reconcile:
            Reconciliation(self, names, arns, functions.by_state[RECONCILE], undelivered)
        KeeperSchedule(self, names, arns, functions.by_state[KEEP], undelivered)
        CanarySchedule(self, configuration, names, arns, undelivered)
        Dashboard(self, names, arns, traffic)
        OperatingAlarms(self, names, arns, undelivered, notifications.topic)
        self._outputs(names, arns)

    def _outputs(self, names: Names, arns: Arns) -> None:
        values = {
            "Deploy": arns.state_machine(names.deploy),
            "HandOver": arns.state_machine(names.hand_over),
            "Topic": arns.topic(),
        }
        for name, value in values.items():
            CfnOutput(self, name, value=value)


def _settings(
    configuration: Configuration,
    names: Names,
    arns: Arns,
    traffic: TrafficParts,
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
        test_url=traffic.test_url(configuration),
        hook_prefix=names.hook_prefix,
        deploy=arns.state_machine(names.deploy),
        hand_over=arns.state_machine(names.hand_over),
        topic=arns.topic(),
        project=names.project if configuration.build.repository else "",
        repository=f"{registry()}/{names.repository}",
        dialect=configuration.raft.dialect,
        raft_port=configuration.raft.port,
        policy=configuration.raft.policy,
        deployment_config=configuration.deployment.config,
        poll_seconds=configuration.deployment.poll_seconds,
        deadline_minutes=configuration.deployment.deadline_minutes,
        listener=traffic.production_listener,
        raft_peer_port=configuration.raft.peer_port,
        slack_secret=configuration.notifications.slack_secret,
        host=configuration.load_balancer.host,
        images_allow=" ".join(configuration.images.allow),
        reconcile="on" if configuration.raft.reconcile else "off",
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
