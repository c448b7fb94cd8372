"""Cluster, task definition and service; the cluster may be another's.

The service is under the CODE_DEPLOY controller: after the first deployment its task definition,
load balancers and network configuration are CodeDeploy's, and ECS refuses to change them through
CloudFormation. The template therefore names the task definition by its family (a new revision is
no change of the service) and nothing here depends on which colour serves.
"""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra import references
from infra.acknowledged import WITHOUT_RESOURCE_REASON, accept
from infra.load_balancing import LoadBalancing
from infra.parts import NetworkParts, ServiceParts
from infra.roles import narrow
from infra.scaling import scale
from quorumshift.config import Configuration
from quorumshift.names import Names


class EcsService(Construct):
    """The first revision runs the tag of the configuration; later ones come from deployments.
    ``parts``: what the other stack needs."""

    def __init__(
        self,
        scope: Construct,
        configuration: Configuration,
        names: Names,
        network: NetworkParts,
        vpc: ec2.IVpc,
        balancing: LoadBalancing,
    ) -> None:
        super().__init__(scope, "Service")
        self._configuration = configuration
        self._names = names
        definition = self._task_definition()
        service = self._service(self._cluster(vpc), definition, network)
        service.attach_to_application_target_group(balancing.blue)
        # ECS takes a target group once a listener forwards to it. The CDK sees that by itself where
        # both are made, and not where the group is adopted.
        service.node.add_dependency(*balancing.listeners)
        scale(service, configuration)
        self.parts = ServiceParts(
            task_roles=(
                definition.task_role.role_arn,
                definition.obtain_execution_role().role_arn,
            )
        )

    def _cluster(self, vpc: ec2.IVpc) -> ecs.ICluster:
        name = self._names.cluster
        if self._configuration.adopt.cluster:
            return ecs.Cluster.from_cluster_attributes(self, "Cluster", cluster_name=name, vpc=vpc)
        return ecs.Cluster(
            self,
            "Cluster",
            cluster_name=name,
            vpc=vpc,
            enable_fargate_capacity_providers=True,
            container_insights_v2=ecs.ContainerInsights.ENABLED,
        )

    def _task_definition(self) -> ecs.FargateTaskDefinition:
        service, raft = self._configuration.service, self._configuration.raft
        definition = ecs.FargateTaskDefinition(
            self,
            "TaskDefinition",
            family=self._names.family,
            cpu=service.cpu,
            memory_limit_mib=service.memory,
        )
        accept(
            definition,
            "ECS2",
            "what is plain here is no secret: the configuration refuses a variable that looks "
            "like one, and the image is all that a deployment changes",
        )
        port, path = service.health
        ports = dict.fromkeys((service.port, port, raft.port, raft.peer_port))
        definition.add_container(
            service.container,
            image=ecs.ContainerImage.from_ecr_repository(
                ecr.Repository.from_repository_name(self, "Images", self._names.repository),
                service.image_tag,
            ),
            essential=True,
            environment=dict(service.environment),
            secrets={**self._generated(), **self._adopted(), **self._of_database()},
            port_mappings=[ecs.PortMapping(container_port=each) for each in ports],
            stop_timeout=Duration.seconds(service.stop_timeout_seconds),
            health_check=ecs.HealthCheck(
                command=["CMD-SHELL", f"curl -f http://localhost:{port}{path} || exit 1"],
                interval=Duration.seconds(30),
                timeout=Duration.seconds(5),
                retries=3,
                start_period=Duration.seconds(60),
            ),
            logging=ecs.LogDrivers.aws_logs(
                stream_prefix="task",
                log_group=logs.LogGroup(
                    self,
                    "Logs",
                    log_group_name=f"/ecs/{service.name}",
                    retention=logs.RetentionDays.ONE_MONTH,
                    removal_policy=RemovalPolicy.DESTROY,
                ),
            ),
        )
        for role in (definition.task_role, definition.obtain_execution_role()):
            narrow(role, "ecs")
        accept(definition.obtain_execution_role(), "IAM5[Resource::*]", WITHOUT_RESOURCE_REASON)
        return definition

    def _generated(self) -> dict[str, ecs.Secret]:
        """Each variable's value is made by Secrets Manager and never seen by this app."""
        return {
            variable: ecs.Secret.from_secrets_manager(self._generated_secret(variable, name))
            for variable, name in self._configuration.service.secrets.items()
        }

    def _generated_secret(self, variable: str, name: str) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            f"Secret{variable}",
            secret_name=self._names.secret(name),
            description=f"{variable} of {self._names.service}",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=48, exclude_punctuation=True
            ),
            removal_policy=RemovalPolicy.RETAIN
            if self._configuration.environment.is_kept
            else RemovalPolicy.DESTROY,
        )
        accept(
            secret,
            "SMG4",
            "only the service knows what a new value breaks (with a new key for tokens everybody "
            "is logged out); change it by hand, then deploy",
        )
        return secret

    def _adopted(self) -> dict[str, ecs.Secret]:
        """Each variable's value is a secret that is there already, or one key of its JSON."""
        adopt, there = self._configuration.adopt, dict[str, secretsmanager.ISecret]()
        found = {}
        for variable in adopt.secrets:
            which, part = adopt.secret(variable)
            if which not in there:
                there[which] = self._secret(f"Adopted{variable}", which)
            found[variable] = ecs.Secret.from_secrets_manager(there[which], part or None)
        return found

    def _of_database(self) -> dict[str, ecs.Secret]:
        """Each variable's value is one key of a secret that is there already."""
        database = self._configuration.database
        if not database.environment:
            return {}
        secret = self._secret("Database", database.secret)
        return {
            variable: ecs.Secret.from_secrets_manager(secret, key)
            for variable, key in database.environment.items()
        }

    def _secret(self, construct: str, which: str) -> secretsmanager.ISecret:
        """By its name ECS is told the ARN without its last seven characters, by which Secrets
        Manager finds a secret too (its User Guide, "Finding a secret from a partial ARN")."""
        if which.startswith("arn:"):
            return secretsmanager.Secret.from_secret_complete_arn(self, construct, which)
        return secretsmanager.Secret.from_secret_name_v2(self, construct, which)

    def _service(
        self, cluster: ecs.ICluster, definition: ecs.FargateTaskDefinition, network: NetworkParts
    ) -> ecs.FargateService:
        service = self._configuration.service
        return ecs.FargateService(
            self,
            "Service",
            service_name=self._names.service,
            cluster=cluster,
            task_definition=definition,
            desired_count=service.desired_count,
            min_healthy_percent=100,
            max_healthy_percent=200,
            deployment_controller=ecs.DeploymentController(
                type=ecs.DeploymentControllerType.CODE_DEPLOY
            ),
            capacity_provider_strategies=[
                ecs.CapacityProviderStrategy(capacity_provider=provider, weight=weight)
                for provider, weight in sorted(service.capacity_providers.items())
            ],
            security_groups=[references.security_group(self, "TasksGroup", network.tasks)],
            vpc_subnets=references.subnets(self, "Private", network.private_subnets),
            health_check_grace_period=Duration.seconds(service.health_grace_seconds),
        )
