"""Provision an assembly into an embedded AWS of its own and print what came up, as JSON.

Arguments: the assembly's folder, the configuration that it was made from, and ``doctor`` where that
shall be asked too. A process of its own: the stack has names and ports that other tests use too.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from quorumshift.config import load
from quorumshift.names import Names
from quorumshift.rehearsal import images
from quorumshift.rehearsal.aws import task_environment
from quorumshift.rehearsal.aws.codedeploy import CodeDeployEngine
from quorumshift.rehearsal.aws.ecs import EcsEngine
from quorumshift.rehearsal.aws.load_balancing import BalancerEngine
from quorumshift.rehearsal.aws.provision import ProvisionFailed, provision
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.world import World
from tests.rehearsal.examined import examine, spoil

DATABASE = {"host": "127.0.0.9", "port": 5432, "username": "u", "password": "p", "dbname": "d"}
"""What the secret says that is there before the stack is."""


def look(world: World, names: Names) -> dict[str, Any]:
    """What the APIs say is there."""
    elb, codedeploy = world.client("elbv2"), world.client("codedeploy")
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    arn = balancer["LoadBalancerArn"]
    group = codedeploy.get_deployment_group(
        applicationName=names.application, deploymentGroupName=names.deployment_group
    )
    ecs = world.client("ecs")
    described = ecs.describe_services(cluster=names.cluster, services=[names.service])
    definition = ecs.describe_task_definition(taskDefinition=names.family)
    (container,) = definition["taskDefinition"]["containerDefinitions"]
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
        "secrets": {
            each["name"]: task_environment.secret(world, each["valueFrom"])
            for each in container["secrets"]
        },
        "layers": world.client("lambda").list_layers()["Layers"],
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


def main(assembly: Path, configuration: Path, is_examined: bool) -> None:
    """Print ``{"outputs", "found", "doctor"}``, or ``{"failed"}``. ``doctor``: what it says before
    the stack is there, when it is, and when some of it was spoilt, where it is asked at all."""
    described = load(configuration)
    names, database = described.names, described.database
    with tempfile.TemporaryDirectory() as folder:
        world = World(block=take_block(), speed=60, directory=Path(folder))
        aws = EmbeddedAws(world, [BalancerEngine(world), EcsEngine(world), CodeDeployEngine(world)])
        try:
            aws.start()
            images.push(world, names.repository, "v1", version="1", behaviour="exit")
            for secret in filter(None, (database.secret, database.reader_secret)):
                world.client("secretsmanager").create_secret(
                    Name=secret, SecretString=json.dumps(DATABASE)
                )
            doctor = {"bare": examine(world, configuration)} if is_examined else {}
            try:
                outputs = provision(world, assembly)
            except ProvisionFailed as error:
                print(json.dumps({"failed": str(error)}))
                return
            answer = {"outputs": outputs, "found": look(world, names), "doctor": doctor}
            if is_examined:
                doctor["fit"] = examine(world, configuration)
                spoil(world, names)
                doctor["spoilt"] = examine(world, configuration)
            print(json.dumps(answer, default=str))
        finally:
            aws.stop()
            world.processes.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), "doctor" in sys.argv[3:])
