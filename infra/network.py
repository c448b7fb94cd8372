"""The network: three zones, one address for what goes out, who may talk to whom."""

from __future__ import annotations

from aws_cdk import Fn, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.acknowledged import accept
from quorumshift.config import Configuration

# Three, so that losing a zone never costs three evenly spread voters their quorum.
ZONES = 3


class Network(Construct):
    """VPC and security groups of the load balancer, the tasks and the functions."""

    def __init__(self, scope: Construct, configuration: Configuration) -> None:
        super().__init__(scope, "Network")
        outgoing = ec2.CfnEIP(self, "OutgoingAddress", domain="vpc")
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            availability_zones=[
                Fn.select(zone, Fn.get_azs(Stack.of(self).region)) for zone in range(ZONES)
            ],
            nat_gateways=1,
            nat_gateway_provider=ec2.NatProvider.gateway(
                eip_allocation_ids=[outgoing.attr_allocation_id]
            ),
            subnet_configuration=[
                ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC),
                ec2.SubnetConfiguration(
                    name="private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS
                ),
            ],
        )
        self._flow_log(configuration)
        self.balancer = self._group("Balancer", "load balancer", outbound=False)
        self.tasks = self._group("Tasks", "tasks", outbound=True)
        self.functions = self._group("Functions", "functions of the deployment", outbound=True)
        self._rules(configuration, f"{outgoing.ref}/32")
        accept(self.balancer, "EC23", "users come from anywhere; the test listener is closed")

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
        self.vpc.add_flow_log(
            "Refused",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )

    def _group(self, name: str, what: str, *, outbound: bool) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self,
            name,
            vpc=self.vpc,
            description=f"{Stack.of(self).stack_name}: {what}",
            allow_all_outbound=outbound,
        )

    def _rules(self, configuration: Configuration, outgoing: str) -> None:
        service, raft = configuration.service, configuration.raft
        self.balancer.add_ingress_rule(
            ec2.Peer.any_ipv4(), ec2.Port.tcp(configuration.load_balancer.listener_port), "users"
        )
        # The load balancer's name resolves to public addresses inside the VPC too, so the
        # functions reach the test listener from the NAT gateway's address. Nobody else does:
        # green is not for users before its checks have passed.
        self.balancer.add_ingress_rule(
            ec2.Peer.ipv4(outgoing),
            ec2.Port.tcp(configuration.load_balancer.test_listener_port),
            "the checks before traffic moves",
        )
        for port in sorted({service.port, service.health[0]}):
            what = ec2.Port.tcp(port)
            self.tasks.connections.allow_from(self.balancer, what, "load balancer")
            self.tasks.connections.allow_from(self.functions, what, "health checks of hooks")
        for port in (raft.port, raft.peer_port):
            self.tasks.connections.allow_internally(ec2.Port.tcp(port), "Raft between tasks")
        self.tasks.connections.allow_from(
            self.functions, ec2.Port.tcp(raft.port), "Raft observation and hand-over"
        )
