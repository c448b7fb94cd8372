"""The load balancer, its listeners and its two target groups, each of them made or adopted.

Listeners that are made say here what they forward to when the stack is created; from then on
CodeDeploy moves the weights, and the two groups swap roles with every deployment. CloudFormation
leaves them alone as long as these lines stay as they are, so keep them free of anything that
changes.
"""

from __future__ import annotations

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from infra import references
from infra.access_logs import AccessLogs
from infra.parts import NetworkParts, TargetGroupParts, TrafficParts, balancer_name
from quorumshift.config import Configuration

TLS_POLICY = elb.SslPolicy.TLS13_12_RES_PQ
"""TLS 1.3 and 1.2, and a key exchange that a quantum computer does not break, where the client has
it: what AWS recommends and its console takes (Elastic Load Balancing User Guide, "Security
policies"). CloudFormation's own default lets TLS 1.0 in."""


class LoadBalancing(Construct):
    """``blue``: the target group that serves when the stack is created. ``listeners``: those that
    are made and forward to it. ``parts``: what the other stack needs."""

    def __init__(
        self, scope: Construct, configuration: Configuration, network: NetworkParts, vpc: ec2.IVpc
    ) -> None:
        super().__init__(scope, "LoadBalancing")
        self._configuration = configuration
        self.listeners: list[elb.ApplicationListener] = []
        names, adopt = configuration.names, configuration.adopt
        ports = configuration.load_balancer
        self._balancer, full_name = (
            self._adopted(vpc) if adopt.load_balancer else self._made(network, vpc)
        )
        self.blue, blue = self._group("Blue", names.blue, adopt.blue_target_group, vpc)
        self._green, green = self._group("Green", names.green, adopt.green_target_group, vpc)
        self.parts = TrafficParts(
            balancer=full_name,
            dns_name=adopt.load_balancer_dns_name or self._balancer.load_balancer_dns_name,
            blue=blue,
            green=green,
            production_listener=adopt.production_listener
            or self._listener("Production", ports.listener_port),
            test_listener=adopt.test_listener or self._listener("Test", ports.test_listener_port),
        )
        if configuration.redirecting_port:
            self._redirect(configuration.redirecting_port, ports.listener_port)

    def output(self) -> None:
        """What a person wants to call, and what another service asks for that adopts it."""
        configuration, parts = self._configuration, self.parts
        values = {
            "LoadBalancer": self._balancer.load_balancer_arn,
            "LoadBalancerDnsName": parts.dns_name,
            "BlueTargetGroup": self.blue.target_group_arn,
            "GreenTargetGroup": self._green.target_group_arn,
            "ProductionListener": parts.production_listener,
            "TestListener": parts.test_listener,
            "TestUrl": parts.test_url(configuration),
        }
        if not configuration.adopt.production_listener:  # of another's nobody knows the protocol
            balancer = configuration.load_balancer
            host = balancer.host or parts.dns_name
            values["ProductionUrl"] = f"{balancer.scheme}://{host}:{balancer.listener_port}"
        for name, value in values.items():
            CfnOutput(self, name, value=value).override_logical_id(name)

    def _made(
        self, network: NetworkParts, vpc: ec2.IVpc
    ) -> tuple[elb.IApplicationLoadBalancer, str]:
        balancer = elb.ApplicationLoadBalancer(
            self,
            "Balancer",
            load_balancer_name=self._configuration.names.balancer,
            vpc=vpc,
            vpc_subnets=references.subnets(self, "Public", network.public_subnets),
            internet_facing=True,
            security_group=references.security_group(self, "BalancerGroup", network.balancer),
            drop_invalid_header_fields=True,
            deletion_protection=self._configuration.environment.is_kept,
        )
        AccessLogs(self).of(balancer)
        return balancer, balancer.load_balancer_full_name

    def _adopted(self, vpc: ec2.IVpc) -> tuple[elb.IApplicationLoadBalancer, str]:
        adopt = self._configuration.adopt
        balancer = elb.ApplicationLoadBalancer.from_application_load_balancer_attributes(
            self,
            "Balancer",
            load_balancer_arn=adopt.load_balancer,
            load_balancer_dns_name=adopt.load_balancer_dns_name,
            security_group_id=adopt.load_balancer_security_group,
            vpc=vpc,
        )
        return balancer, balancer_name(adopt.load_balancer)

    def _group(
        self, colour: str, name: str, adopted: str, vpc: ec2.IVpc
    ) -> tuple[elb.IApplicationTargetGroup, TargetGroupParts]:
        if adopted:
            group = elb.ApplicationTargetGroup.from_target_group_attributes(
                self, colour, target_group_arn=adopted
            )
            return group, TargetGroupParts.adopted(adopted)
        made = self._made_group(colour, name, vpc)
        return made, TargetGroupParts(name, made.target_group_full_name)

    def _made_group(self, colour: str, name: str, vpc: ec2.IVpc) -> elb.ApplicationTargetGroup:
        configuration = self._configuration
        settings = configuration.load_balancer
        port, path = configuration.service.health
        group = elb.ApplicationTargetGroup(
            self,
            colour,
            target_group_name=name,
            vpc=vpc,
            target_type=elb.TargetType.IP,
            port=configuration.service.port,
            protocol=elb.ApplicationProtocol.HTTP,
            deregistration_delay=Duration.seconds(settings.deregistration_delay_seconds),
            health_check=elb.HealthCheck(
                path=path,
                port=str(port),
                interval=Duration.seconds(settings.health_interval_seconds),
                timeout=Duration.seconds(settings.health_timeout_seconds),
                healthy_threshold_count=settings.healthy_threshold,
                unhealthy_threshold_count=settings.unhealthy_threshold,
                healthy_http_codes="200",
            ),
        )
        if settings.stickiness_seconds:
            # The cookie names a target, not a colour: stickiness of the forward action would
            # hold clients on blue after the traffic has moved.
            group.enable_cookie_stickiness(Duration.seconds(settings.stickiness_seconds))
        return group

    def _listener(self, name: str, port: int) -> str:
        certificate = self._configuration.load_balancer.certificate
        secured = elb.ApplicationProtocol.HTTPS if certificate else elb.ApplicationProtocol.HTTP
        listener = elb.ApplicationListener(
            self,
            name,
            load_balancer=self._balancer,
            port=port,
            protocol=secured,
            certificates=[elb.ListenerCertificate.from_arn(certificate)] if certificate else None,
            ssl_policy=TLS_POLICY if certificate else None,
            open=False,
            default_action=elb.ListenerAction.weighted_forward(
                [
                    elb.WeightedTargetGroup(target_group=self.blue, weight=100),
                    elb.WeightedTargetGroup(target_group=self._green, weight=0),
                ]
            ),
        )
        self.listeners.append(listener)
        return listener.listener_arn

    def _redirect(self, port: int, target: int) -> None:
        """Who comes by HTTP is sent to the production listener, and remembers it."""
        elb.ApplicationListener(
            self,
            "Redirect",
            load_balancer=self._balancer,
            port=port,
            protocol=elb.ApplicationProtocol.HTTP,
            open=False,
            default_action=elb.ListenerAction.redirect(
                protocol="HTTPS", port=str(target), permanent=True
            ),
        )
