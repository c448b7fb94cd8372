"""What one stack gives the next: ids, ARNs and names, made by the stack that owns them or adopted.

Text, and no constructs: whoever holds a construct of another stack can change it there, and a
security group's rule or a listener's target group would stand where nobody looks for it. What is
made becomes a CloudFormation export by being used in another stack.
"""

from __future__ import annotations

from dataclasses import dataclass

from quorumshift.config import Configuration


@dataclass(frozen=True, slots=True)
class NetworkParts:
    """Ids. ``private_subnets``: of tasks and functions; ``public_subnets``: of a load balancer that
    is made. The last three are security groups."""

    vpc: str
    private_subnets: tuple[str, ...]
    public_subnets: tuple[str, ...]
    balancer: str
    tasks: str
    functions: str

    @classmethod
    def adopted(cls, configuration: Configuration) -> NetworkParts:
        """As the configuration says it, where nothing is left to make."""
        adopt = configuration.adopt
        return cls(
            vpc=adopt.vpc,
            private_subnets=adopt.private_subnets,
            public_subnets=adopt.public_subnets,
            balancer=adopt.load_balancer_security_group,
            tasks=adopt.tasks_security_group,
            functions=adopt.functions_security_group,
        )


@dataclass(frozen=True, slots=True)
class TargetGroupParts:
    """``full_name``: ``targetgroup/<name>/<id>``, as its metrics have it."""

    name: str
    full_name: str

    @classmethod
    def adopted(cls, arn: str) -> TargetGroupParts:
        """Both stand in its ARN."""
        full_name = arn.rpartition(":")[2]
        return cls(name=full_name.split("/")[1], full_name=full_name)


@dataclass(frozen=True, slots=True)
class TrafficParts:
    """``balancer``: ``app/<name>/<id>``, as its metrics have it. The listeners are ARNs."""

    balancer: str
    dns_name: str
    blue: TargetGroupParts
    green: TargetGroupParts
    production_listener: str
    test_listener: str

    @classmethod
    def adopted(cls, configuration: Configuration) -> TrafficParts:
        """As the configuration says it, where nothing is left to make."""
        adopt = configuration.adopt
        return cls(
            balancer=balancer_name(adopt.load_balancer),
            dns_name=adopt.load_balancer_dns_name,
            blue=TargetGroupParts.adopted(adopt.blue_target_group),
            green=TargetGroupParts.adopted(adopt.green_target_group),
            production_listener=adopt.production_listener,
            test_listener=adopt.test_listener,
        )

    def test_url(self, configuration: Configuration) -> str:
        """Where the functions try green before users see it."""
        balancer = configuration.load_balancer
        return f"{balancer.scheme}://{self.dns_name}:{balancer.test_listener_port}"


def balancer_name(arn: str) -> str:
    """``app/<name>/<id>``, as the metrics of a load balancer have it, from its ARN."""
    return arn.partition(":loadbalancer/")[2]


@dataclass(frozen=True, slots=True)
class ServiceParts:
    """``task_roles``: the ARNs of the roles that ECS gives to tasks, which a deployment passes."""

    task_roles: tuple[str, ...]

    @classmethod
    def adopted(cls, configuration: Configuration) -> ServiceParts:
        """As the configuration says it; the tasks need not have a role of their own."""
        adopt = configuration.adopt
        roles = (adopt.task_role, adopt.execution_role)
        return cls(task_roles=tuple(role for role in roles if role))
