"""Who may talk to whom.

A rule is made where one of its two ends is made here. Where both are adopted it may be there
already, and EC2 refuses the same rule a second time (InvalidPermission.Duplicate), at the cost of
the whole stack: that rule is for who owns the groups (docs/deploying.md lists what must be open).
"""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.acknowledged import accept
from quorumshift.config import Configuration


class SecurityGroups(Construct):
    """Of the load balancer, the tasks and the functions; adopted, or made in ``vpc``.
    ``outgoing``: the public addresses of what runs in it."""

    def __init__(
        self,
        scope: Construct,
        configuration: Configuration,
        vpc: ec2.IVpc,
        outgoing: Iterable[str],
    ) -> None:
        super().__init__(scope, "Groups")
        self._vpc = vpc
        self.made: set[str] = set()
        adopt = configuration.adopt
        self.balancer = self._group(
            "Balancer", adopt.load_balancer_security_group, "load balancer", outbound=False
        )
        self.tasks = self._group("Tasks", adopt.tasks_security_group, "tasks")
        self.functions = self._group(
            "Functions", adopt.functions_security_group, "functions of the deployment"
        )
        self._open_tasks(configuration)
        self._open_listeners(configuration, outgoing)

    def _group(
        self, name: str, adopted: str, what: str, *, outbound: bool = True
    ) -> ec2.ISecurityGroup:
        if adopted:
            return ec2.SecurityGroup.from_security_group_id(self, name, adopted, mutable=True)
        group = ec2.SecurityGroup(
            self,
            name,
            vpc=self._vpc,
            description=f"{Stack.of(self).stack_name}: {what}",
            allow_all_outbound=outbound,
        )
        self.made.add(group.node.id)
        return group

    def _open_tasks(self, configuration: Configuration) -> None:
        service, raft = configuration.service, configuration.raft
        for port in sorted({service.port, service.health[0]}):
            self._allow(self.balancer, self.tasks, port, "load balancer")
            self._allow(self.functions, self.tasks, port, "health checks of hooks")
        for port in (raft.port, raft.peer_port):
            self._allow(self.tasks, self.tasks, port, "Raft between tasks")
        self._allow(self.functions, self.tasks, raft.port, "Raft observation and hand-over")

    def _open_listeners(self, configuration: Configuration, outgoing: Iterable[str]) -> None:
        """Users reach the production listener of a load balancer that is made; who reaches that of
        another is its owner's to say. The test listener is for the functions alone: green is not
        for users before its checks have passed."""
        ports = configuration.load_balancer
        if self._is_made(self.balancer):
            for port in (ports.listener_port, configuration.redirecting_port):
                if port:
                    self.balancer.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "users")
            accept(self.balancer, "EC23", "users come from anywhere; the test listener is closed")
        else:
            # An internal load balancer sees the functions' own addresses.
            what = "the checks before traffic moves"
            self._allow(self.functions, self.balancer, ports.test_listener_port, what)
        # The name of one that faces the internet resolves to public addresses inside the VPC too,
        # so the functions come from the NAT gateways' addresses.
        for address in outgoing:
            self.balancer.add_ingress_rule(
                ec2.Peer.ipv4(f"{address}/32"),
                ec2.Port.tcp(ports.test_listener_port),
                "the checks before traffic moves",
            )

    def _is_made(self, group: ec2.ISecurityGroup) -> bool:
        return group.node.id in self.made

    def _allow(
        self, source: ec2.ISecurityGroup, target: ec2.ISecurityGroup, port: int, what: str
    ) -> None:
        if self._is_made(source) or self._is_made(target):
            target.connections.allow_from(source, ec2.Port.tcp(port), what)
