"""What ``quorumshift doctor`` says of an embedded AWS, asked as a person asks it."""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any

from quorumshift.cli.main import main
from quorumshift.names import Names
from quorumshift.rehearsal.world import REGION, World

Told = dict[str, Any]
FOR_LAMBDA = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


def examine(world: World, configuration: Path) -> Told:
    """``{"code", "ng", "skip"}``: the checks that are so, ``group/check`` → what they say."""
    os.environ |= {
        "AWS_ENDPOINT_URL": world.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "rehearsal",
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
    }
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = main(["doctor", "--output", "json", "--config", str(configuration)])
    told: Told = {"code": code, "ng": {}, "skip": {}}
    for group in json.loads(said.getvalue())["groups"]:
        for check in group["checks"]:
            if check["state"] in told:
                name = f"{group['name']}/{check['name']}"
                told[check["state"]][name] = f"{check['seen']} {check['fix']}".strip()
    return told


def spoil(world: World, names: Names) -> None:
    """Four things, each as a person does them by mistake."""
    elb = world.client("elbv2")
    (blue,) = elb.describe_target_groups(Names=[names.blue])["TargetGroups"]
    elb.modify_target_group(TargetGroupArn=blue["TargetGroupArn"], HealthCheckPath="/nope")
    (balancer,) = elb.describe_load_balancers(Names=[names.balancer])["LoadBalancers"]
    listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    (test,) = (one for one in listeners if one["Port"] == 9090)
    elb.delete_listener(ListenerArn=test["ListenerArn"])
    world.client("lambda").delete_function(FunctionName=names.function("AfterInstall"))
    role = world.client("codedeploy").get_deployment_group(
        applicationName=names.application, deploymentGroupName=names.deployment_group
    )["deploymentGroupInfo"]["serviceRoleArn"]
    world.client("iam").update_assume_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [FOR_LAMBDA]}),
    )
