"""The load balancer, its two listeners and its two target groups.

The listeners say here what they forward to when the stack is created; from then on CodeDeploy
moves the weights, and the two groups swap roles with every deployment. CloudFormation leaves them
alone as long as these lines stay as they are, so keep them free of anything that changes.
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from infra.access_logs import AccessLogs
from infra.network import Network
from quorumshift.config import Configuration


class LoadBalancing(Construct):
    """``blue`` serves when the stack is created; ``production`` and ``test`` are listeners."""

    def __init__(self, scope: Construct, configuration: Configuration, network: Network) -> None:
        super().__init__(scope, "LoadBalancing")
        name, ports = configuration.service.name, configuration.load_balancer
        self.balancer = elb.ApplicationLoadBalancer(
            self,
            "Balancer",
            load_balancer_name=name,
            vpc=network.vpc,
            internet_facing=True,
            security_group=network.balancer,
            drop_invalid_header_fields=True,
            deletion_protection=configuration.environment.is_kept,
        )
        AccessLogs(self).of(self.balancer)
        self.blue = self._group("Blue", f"{name}-blue", configuration, network)
        self.green = self._group("Green", f"{name}-green", configuration, network)
        self.production = self._listener("Production", ports.listener_port)
        self.test = self._listener("Test", ports.test_listener_port)
        self.test_url = f"http://{self.balancer.load_balancer_dns_name}:{ports.test_listener_port}"
        self.production_url = f"http://{self.balancer.load_balancer_dns_name}:{ports.listener_port}"

    def _group(
        self, colour: str, name: str, configuration: Configuration, network: Network
    ) -> elb.ApplicationTargetGroup:
        settings = configuration.load_balancer
        port, path = configuration.service.health
        group = elb.ApplicationTargetGroup(
            self,
            colour,
            target_group_name=name,
            vpc=network.vpc,
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

    def _listener(self, name: str, port: int) -> elb.ApplicationListener:
        return self.balancer.add_listener(
            name,
            port=port,
            protocol=elb.ApplicationProtocol.HTTP,
            open=False,
            default_action=elb.ListenerAction.weighted_forward(
                [
                    elb.WeightedTargetGroup(target_group=self.blue, weight=100),
                    elb.WeightedTargetGroup(target_group=self.green, weight=0),
                ]
            ),
        )
