"""Provision an assembly into an embedded AWS of its own and print what came up, as JSON.

A process of its own: the stack has names and ports that other tests use too.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from quorumshift.rehearsal import images
from quorumshift.rehearsal.aws.codedeploy import CodeDeployEngine
from quorumshift.rehearsal.aws.ecs import EcsEngine
from quorumshift.rehearsal.aws.load_balancing import BalancerEngine
from quorumshift.rehearsal.aws.provision import ProvisionFailed, provision
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.world import World


def look(world: World) -> dict[str, Any]:
    """What the APIs say is there."""
    elb, codedeploy = world.client("elbv2"), world.client("codedeploy")
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    arn = balancer["LoadBalancerArn"]
    group = codedeploy.get_deployment_group(applicationName="sample", deploymentGroupName="sample")
    described = world.client("ecs").describe_services(cluster="sample-cluster", services=["sample"])
    definition = world.client("ecs").describe_task_definition(taskDefinition="sample")
    return {
        "listeners": elb.describe_listeners(LoadBalancerArn=arn)["Listeners"],
        "dns": balancer["DNSName"],
        "balancer": world.block.balancer,
        "attributes": elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"],
        "groups": [
            {**found, "Attributes": _attributes(elb, found["TargetGroupArn"])}
            for found in elb.describe_target_groups()["TargetGroups"]
        ],
        "group": group["deploymentGroupInfo"],
        "service": described["services"][0],
        "taskDefinition": definition["taskDefinition"],
        "machines": world.client("stepfunctions").list_state_machines()["stateMachines"],
        "functions": [
            {**function, "Policy": None}
            for page in world.client("lambda").get_paginator("list_functions").paginate()
            for function in page["Functions"]
        ],
        "alarms": world.client("cloudwatch").describe_alarms()["MetricAlarms"],
        "rules": world.client("events").list_rules()["Rules"],
        "errors": [event.text for event in world.events.all("error")],
    }


def _attributes(elb: Any, arn: str) -> dict[str, str]:
    found = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    return {attribute["Key"]: attribute["Value"] for attribute in found}


def main(assembly: Path) -> None:
    """Print ``{"outputs", "found"}``, or ``{"failed"}``."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(block=take_block(), speed=60, directory=Path(folder))
        aws = EmbeddedAws(world, [BalancerEngine(world), EcsEngine(world), CodeDeployEngine(world)])
        try:
            aws.start()
            images.push(world, "sample", "v1", version="1", behaviour="exit")
            try:
                outputs = provision(world, assembly)
            except ProvisionFailed as error:
                print(json.dumps({"failed": str(error)}))
                return
            print(json.dumps({"outputs": outputs, "found": look(world)}, default=str))
        finally:
            aws.stop()
            world.processes.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
