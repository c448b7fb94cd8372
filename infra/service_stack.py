"""``<name>-service``: what users reach: load balancer, target groups, cluster, tasks."""

from __future__ import annotations

from aws_cdk import Stack
from constructs import Construct

from infra import references
from infra.load_balancing import LoadBalancing
from infra.parts import NetworkParts
from infra.service import EcsService
from infra.stack_properties import stack_properties
from quorumshift.config import Configuration


class ServiceStack(Stack):
    """``traffic`` and ``service``: what the stack of deployments needs of it."""

    def __init__(
        self, scope: Construct, configuration: Configuration, network: NetworkParts
    ) -> None:
        super().__init__(
            scope,
            f"{configuration.service.name}-service",
            **stack_properties(configuration, "load balancer, cluster and tasks"),
        )
        vpc = references.vpc(self, network.vpc)
        balancing = LoadBalancing(self, configuration, network, vpc)
        service = EcsService(self, configuration, configuration.names, network, vpc, balancing)
        balancing.output()
        self.traffic, self.service = balancing.parts, service.parts
