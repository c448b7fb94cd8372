"""The network: three zones, and the addresses of what goes out."""

from __future__ import annotations

from aws_cdk import Fn, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.roles import narrow
from quorumshift.config import Configuration

# Three, so that losing a zone never costs three evenly spread voters their quorum.
ZONES = 3


class Network(Construct):
    """VPC, subnets and NAT gateways. ``outgoing``: the addresses that what is inside has outside,
    one a gateway."""

    def __init__(self, scope: Construct, configuration: Configuration) -> None:
        super().__init__(scope, "Network")
        gateways = configuration.environment.gateways(ZONES)
        addresses = [
            ec2.CfnEIP(self, f"OutgoingAddress{number or ''}", domain="vpc")
            for number in range(gateways)
        ]
        self.outgoing = [address.ref for address in addresses]
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            availability_zones=[
                Fn.select(zone, Fn.get_azs(Stack.of(self).region)) for zone in range(ZONES)
            ],
            nat_gateways=gateways,
            nat_gateway_provider=ec2.NatProvider.gateway(
                eip_allocation_ids=[address.attr_allocation_id for address in addresses]
            ),
            subnet_configuration=[
                ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC),
                ec2.SubnetConfiguration(
                    name="private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS
                ),
            ],
        )
        self._flow_log(configuration)

    def _flow_log(self, configuration: Configuration) -> None:
        """What was refused: that a node cannot reach its peers is seen here first. What was let
        through would cost by the gigabyte and say little."""
        group = logs.LogGroup(
            self,
            "FlowLogs",
            log_group_name=f"/quorumshift/{configuration.service.name}/refused-packets",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        log = self.vpc.add_flow_log(
            "Refused",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )
        narrow(log.node.find_child("IAMRole"), "ec2")  # type: ignore[arg-type] # its destination's
