"""A service with its load balancer on the embedded AWS, for the tests of the ECS and CodeDeploy
engines: names are new each time, so that one server serves all tests."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from quorumshift.rehearsal import images
from quorumshift.rehearsal.aws.ecs import EcsEngine
from quorumshift.rehearsal.world import World

MODULE = "tests.rehearsal.tiny_task"
PORT = 8080
_listener_ports = itertools.count(18080, 2)


def until(holds: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Wait until ``holds()`` is true and return it; fail loudly after ``seconds`` real ones."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"did not happen within {seconds} s: {holds}"
        time.sleep(0.03)
    return found


@dataclass
class Stage:
    """One service. ``blue``, ``green``: ARNs of the target groups; ``production``, ``test``: of
    the listeners."""

    world: World
    engine: EcsEngine
    name: str
    network: dict[str, Any]
    blue: str
    green: str
    production: str
    test: str

    @property
    def ecs(self) -> Any:
        return self.world.client("ecs")

    @property
    def elb(self) -> Any:
        return self.world.client("elbv2")

    def definition(self, behaviour: str = "normal", **container: Any) -> str:
        """Push an image and register a task definition with it; its ARN."""
        tag = uuid.uuid4().hex[:8]
        image = images.push(self.world, self.name, tag, tag, behaviour, MODULE)
        check = {
            "command": ["CMD-SHELL", f"curl -f http://localhost:{PORT}/health || exit 1"],
            "interval": 5,
            "retries": 2,
        }
        described = self.ecs.register_task_definition(
            family=self.name,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[
                {
                    "name": "app",
                    "image": image,
                    "portMappings": [{"containerPort": PORT}],
                    "healthCheck": check,
                    "stopTimeout": 2,
                    **container,
                }
            ],
        )
        return str(described["taskDefinition"]["taskDefinitionArn"])

    def create(self, desired: int = 1, **definition: Any) -> None:
        """Create the service; its first task set goes behind blue."""
        self.ecs.create_service(
            cluster=self.name,
            serviceName=self.name,
            taskDefinition=self.definition(**definition),
            desiredCount=desired,
            launchType="FARGATE",
            deploymentController={"type": "CODE_DEPLOY"},
            networkConfiguration=self.network,
            loadBalancers=[
                {"targetGroupArn": self.blue, "containerName": "app", "containerPort": PORT}
            ],
        )

    def steady(self) -> None:
        """Wait until all task sets are."""
        until(
            lambda: (
                (sets := self.task_sets())
                and all(s["stabilityStatus"] == "STEADY_STATE" for s in sets)
            )
        )

    def task_sets(self) -> list[dict[str, Any]]:
        described = self.ecs.describe_task_sets(cluster=self.name, service=self.name)
        return list(described["taskSets"])

    def tasks(self, **filters: Any) -> list[dict[str, Any]]:
        arns = self.ecs.list_tasks(cluster=self.name, serviceName=self.name, **filters)["taskArns"]
        if not arns:
            return []
        return list(self.ecs.describe_tasks(cluster=self.name, tasks=arns)["tasks"])

    def protect(self, tasks: list[str], on: bool = True, minutes: int = 240) -> dict[str, Any]:
        extra = {"expiresInMinutes": minutes} if on else {}
        return dict(
            self.ecs.update_task_protection(
                cluster=self.name, tasks=tasks, protectionEnabled=on, **extra
            )
        )

    def end(self) -> None:
        """Delete the service and wait until its tasks are gone."""
        self.ecs.delete_service(cluster=self.name, service=self.name, force=True)
        until(lambda: not self.task_sets())


def address(task: dict[str, Any]) -> str:
    """The private address of a described task."""
    return next(
        str(detail["value"])
        for detail in task["attachments"][0]["details"]
        if detail["name"] == "privateIPv4Address"
    )


def stage(world: World, engine: EcsEngine) -> Stage:
    """Network, load balancer, target groups, listeners, cluster and log; no service yet."""
    name = f"svc-{uuid.uuid4().hex[:6]}"
    ec2, elb = world.client("ec2"), world.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{z}")[
            "Subnet"
        ]["SubnetId"]
        for n, z in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    balancer = elb.create_load_balancer(Name=name, Subnets=subnets, Type="application")
    groups = [
        elb.create_target_group(
            Name=f"{name}-{colour}",
            Protocol="HTTP",
            Port=PORT,
            VpcId=vpc,
            TargetType="ip",
            HealthCheckPath="/health",
            HealthCheckIntervalSeconds=10,
            HealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        for colour in ("blue", "green")
    ]
    for arn in groups:
        elb.modify_target_group_attributes(
            TargetGroupArn=arn,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "5"}],
        )
    port = next(_listener_ports)
    listeners = [
        elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
            Protocol="HTTP",
            Port=port + n,
            DefaultActions=[
                {
                    "Type": "forward",
                    "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": groups[0], "Weight": 1}]},
                }
            ],
        )["Listeners"][0]["ListenerArn"]
        for n in (0, 1)
    ]
    world.client("ecs").create_cluster(clusterName=name)
    network = {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group]}}
    return Stage(world, engine, name, network, groups[0], groups[1], listeners[0], listeners[1])
