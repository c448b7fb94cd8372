"""``<name>-network``: the network where it is made, and who may talk to whom in it."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra import references
from infra.network import Network
from infra.parts import NetworkParts
from infra.security_groups import SecurityGroups
from infra.stack_properties import stack_properties
from quorumshift.config import Configuration


def is_needed(configuration: Configuration) -> bool:
    """Whether anything is left to make: the network, a security group, or a rule."""
    adopt = configuration.adopt
    groups = (
        adopt.load_balancer_security_group,
        adopt.tasks_security_group,
        adopt.functions_security_group,
    )
    return not (adopt.vpc and all(groups)) or bool(adopt.outgoing_addresses)


class NetworkStack(Stack):
    """``parts``: what the other stacks need of it."""

    def __init__(self, scope: Construct, configuration: Configuration) -> None:
        super().__init__(
            scope,
            f"{configuration.service.name}-network",
            **stack_properties(configuration, "network and security groups"),
        )
        adopt = configuration.adopt
        made = None if adopt.vpc else Network(self, configuration)
        groups = SecurityGroups(
            self,
            configuration,
            made.vpc if made else references.vpc(self, adopt.vpc),
            made.outgoing if made else adopt.outgoing_addresses,
        )
        self.parts = NetworkParts(
            vpc=made.vpc.vpc_id if made else adopt.vpc,
            private_subnets=_ids(made.vpc.private_subnets) if made else adopt.private_subnets,
            public_subnets=_ids(made.vpc.public_subnets) if made else adopt.public_subnets,
            balancer=groups.balancer.security_group_id,
            tasks=groups.tasks.security_group_id,
            functions=groups.functions.security_group_id,
        )
        if made:
            self._output_for_others(made.outgoing)
        if configuration.database.secret:
            self._output_who_connects()

    def _output_for_others(self, outgoing: list[str]) -> None:
        """What ``[adopt]`` of another service in the same network asks for."""
        parts = self.parts
        values = {
            "Vpc": parts.vpc,
            "PrivateSubnets": ",".join(parts.private_subnets),
            "PublicSubnets": ",".join(parts.public_subnets),
            "OutgoingAddresses": ",".join(outgoing),
            "LoadBalancerSecurityGroup": parts.balancer,
        }
        for name, value in values.items():
            CfnOutput(self, name, value=value)

    def _output_who_connects(self) -> None:
        """The database is somebody else's, and so is the security group that lets these in."""
        groups = {"Tasks": self.parts.tasks, "Functions": self.parts.functions}
        for name, group in groups.items():
            CfnOutput(self, f"{name}SecurityGroup", value=group)


def _ids(subnets: list[ec2.ISubnet]) -> tuple[str, ...]:
    return tuple(subnet.subnet_id for subnet in subnets)
