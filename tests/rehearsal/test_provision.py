"""The CDK app's own template comes up, whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quorumshift.config import load
from quorumshift.names import FUNCTIONS, kebab
from quorumshift.rehearsal.aws.provision import ProvisionFailed, provision
from quorumshift.rehearsal.database_authority import ca_file
from quorumshift.rehearsal.greenfield import in_the_clear
from quorumshift.rehearsal.synthesis import ROOT, assembly
from quorumshift.rehearsal.world import World
from tests.rehearsal.provisioned import DATABASE

ETCD = ROOT / "examples" / "etcd" / "quorumshift.toml"
SNAKETRON = ROOT / "quorumshift.toml"


def provisioned(configuration: Path, overrides: dict[str, Any], *more: str) -> dict[str, Any]:
    folder = assembly(configuration, overrides, lambda _: None)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.rehearsal.provisioned",
            str(folder),
            str(configuration),
            *more,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = dict(json.loads(done.stdout))
    assert "failed" not in answer, answer["failed"]
    return answer


@pytest.fixture(scope="module")
def came_up() -> dict[str, Any]:
    """What came up of the sample service, and what the doctor said of it."""
    return provisioned(ETCD, {}, "doctor")


@pytest.fixture(scope="module")
def snaketron() -> dict[str, Any]:
    """What came up of SnakeTron."""
    changed = in_the_clear(load(SNAKETRON))
    return provisioned(SNAKETRON, {"database.ca_file": str(ca_file()), **changed})


def test_nothing_was_refused(came_up: dict[str, Any]) -> None:
    assert came_up["found"]["errors"] == []


def test_outputs_are_resolved(came_up: dict[str, Any]) -> None:
    outputs, found = came_up["outputs"], came_up["found"]
    assert outputs["Deploy"].endswith(":stateMachine:sample-deploy")
    assert outputs["ProductionUrl"] == f"http://{found['balancer']}:8080"
    assert found["dns"] == found["balancer"]


def test_listeners_are_weighted(came_up: dict[str, Any]) -> None:
    listeners = {listener["Port"]: listener for listener in came_up["found"]["listeners"]}
    assert sorted(listeners) == [8080, 9090]
    forward = listeners[8080]["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
    assert [group["Weight"] for group in forward] == [100, 0]


def test_target_groups_keep_their_checks_and_attributes(came_up: dict[str, Any]) -> None:
    groups = came_up["found"]["groups"]
    assert sorted(group["TargetGroupName"] for group in groups) == ["sample-blue", "sample-green"]
    for group in groups:
        assert group["HealthCheckPath"] == "/health"
        assert group["TargetType"] == "ip"
        assert "deregistration_delay.timeout_seconds" in group["Attributes"]


def test_the_service_keeps_what_moto_drops(came_up: dict[str, Any]) -> None:
    service = came_up["found"]["service"]
    assert service["deploymentController"] == {"type": "CODE_DEPLOY"}
    assert service["desiredCount"] == 3
    assert service["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
    assert service["capacityProviderStrategy"]
    assert service["loadBalancers"][0]["containerPort"] == 8080


def test_the_task_definition_keeps_its_secrets(came_up: dict[str, Any]) -> None:
    (container,) = came_up["found"]["taskDefinition"]["containerDefinitions"]
    assert container["image"].endswith("/sample:v1")
    assert container["secrets"][0]["valueFrom"].startswith("arn:aws:secretsmanager:")
    assert container["logConfiguration"]["options"]["awslogs-group"]


def test_the_deployment_group_is_whole(came_up: dict[str, Any]) -> None:
    group = came_up["found"]["group"]
    assert group["computePlatform"] == "ECS"
    assert group["ecsServices"] == [{"serviceName": "sample", "clusterName": "sample-cluster"}]
    (pair,) = group["loadBalancerInfo"]["targetGroupPairInfoList"]
    assert len(pair["targetGroups"]) == 2
    assert pair["prodTrafficRoute"]["listenerArns"] != pair["testTrafficRoute"]["listenerArns"]
    names = {alarm["name"] for alarm in group["alarmConfiguration"]["alarms"]}
    assert names
    assert names == {alarm["AlarmName"] for alarm in came_up["found"]["alarms"]} & names
    assert group["autoRollbackConfiguration"]["enabled"] is True


def test_every_function_is_there_with_its_settings(came_up: dict[str, Any]) -> None:
    functions = {f["FunctionName"]: f for f in came_up["found"]["functions"]}
    assert sorted(functions) == sorted(f"sample-{kebab(state)}" for state in FUNCTIONS)
    for function in functions.values():
        variables = function["Environment"]["Variables"]
        assert variables["QUORUMSHIFT_SERVICE"] == "sample"
        assert variables["QUORUMSHIFT_TEST_URL"].endswith(":9090")
        assert all(isinstance(value, str) for value in variables.values())


def test_machines_and_rules_are_there(came_up: dict[str, Any]) -> None:
    machines = {machine["name"] for machine in came_up["found"]["machines"]}
    assert machines == {"sample-deploy", "sample-hand-over"}
    assert len(came_up["found"]["rules"]) >= 2


def test_snaketron_comes_up_under_its_own_names(snaketron: dict[str, Any]) -> None:
    found, outputs = snaketron["found"], snaketron["outputs"]
    assert found["errors"] == []
    assert found["service"]["serviceName"] == "snaketron-prod-game-service"
    assert found["service"]["healthCheckGracePeriodSeconds"] == 120
    assert found["service"]["capacityProviderStrategy"] == [
        {"capacityProvider": "FARGATE_SPOT", "weight": 100}
    ]
    assert found["group"]["ecsServices"] == [
        {
            "serviceName": "snaketron-prod-game-service",
            "clusterName": "snaketron-prod-cluster",
        }
    ]
    assert outputs["Topic"].endswith(":snaketron-prod-deployments")
    assert outputs["TasksSecurityGroup"].startswith("sg-")
    for group in found["groups"]:
        assert (group["HealthCheckPath"], group["HealthCheckPort"]) == ("/api/health", "3001")


def test_a_task_gets_single_values_of_the_databases_secret(snaketron: dict[str, Any]) -> None:
    secrets = dict(snaketron["found"]["secrets"])
    assert len(secrets.pop("SNAKETRON_JWT_SECRET")) == 48
    assert secrets == {
        "SNAKETRON_DB_HOST": DATABASE["host"],
        "SNAKETRON_DB_PORT": str(DATABASE["port"]),
        "SNAKETRON_DB_USER": DATABASE["username"],
        "SNAKETRON_DB_PASS": DATABASE["password"],
        "SNAKETRON_DB_NAME": DATABASE["dbname"],
    }


def test_functions_have_the_layer_of_their_libraries(
    snaketron: dict[str, Any], came_up: dict[str, Any]
) -> None:
    (layer,) = snaketron["found"]["layers"]
    assert layer["LayerName"] == "snaketron-prod-libraries"
    newest = layer["LatestMatchingVersion"]["LayerVersionArn"]
    layers = [
        [each["Arn"] for each in function.get("Layers", [])]
        for function in snaketron["found"]["functions"]
    ]
    assert [newest] in layers
    assert {tuple(each) for each in layers} == {(newest,), ()}
    assert came_up["found"]["layers"] == []


def test_a_stack_that_cannot_come_up_says_why(world: World, tmp_path: Path) -> None:
    manifest = {
        "version": "1.0",
        "artifacts": {
            "Broken": {
                "type": "aws:cloudformation:stack",
                "properties": {"templateFile": "broken.json", "stackName": "broken"},
            }
        },
    }
    template = {"Resources": {"Cache": {"Type": "AWS::ElastiCache::CacheCluster"}}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "broken.json").write_text(json.dumps(template))
    with pytest.raises(ProvisionFailed, match=r"stack broken: .*Cache \(AWS::ElastiCache"):
        provision(world, tmp_path)


def test_stacks_come_up_in_the_order_of_their_dependencies(world: World, tmp_path: Path) -> None:
    def stack(name: str, topic: Any, *needs: str, export: str = "") -> dict[str, Any]:
        output: dict[str, Any] = {"Value": {"Ref": "Topic"}}
        if export:
            output["Export"] = {"Name": export}
        made = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": topic}},
            "Outputs": {name: output},
        }
        (tmp_path / f"{name}.json").write_text(json.dumps(made))
        properties: dict[str, Any] = {
            "templateFile": f"{name}.json",
            "stackName": f"order-{name}",
            "tags": {"service": name},
        }
        return {
            "type": "aws:cloudformation:stack",
            "properties": properties,
            "dependencies": list(needs),
        }

    artifacts = {
        "second": stack("second", {"DisplayName": {"Fn::ImportValue": "order-first"}}, "first"),
        "first": stack("first", {"TopicName": "order-first"}, export="order-first"),
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    outputs = provision(world, tmp_path)
    assert list(outputs) == ["first", "second"]
    attributes = world.client("sns").get_topic_attributes(TopicArn=outputs["second"])["Attributes"]
    assert attributes["DisplayName"] == outputs["first"]
    (made,) = world.client("cloudformation").describe_stacks(StackName="order-second")["Stacks"]
    assert made["Tags"] == [{"Key": "service", "Value": "second"}]


def test_the_doctor_misses_nothing_but_what_must_be_there_before_the_stack(
    came_up: dict[str, Any],
) -> None:
    told = came_up["doctor"]["bare"]
    assert told["code"] == 4
    assert told["ng"].keys() == {"account/CDK bootstrap", "images/tags"}
    not_yet = [name for name, text in told["skip"].items() if "not provisioned yet" in text]
    assert {"service/service", "deployment/application", "secrets/sample/api-token"} <= {*not_yet}


EXPECTED = {"images/tags"}
"""What is wrong with the stack as it comes up here."""
OF_TASKS = {"service/steady", "traffic/healthy targets"}
"""What changes from look to look, as the tasks end at once and are started again."""


def wrong(told: dict[str, Any]) -> set[str]:
    """The checks that are NG, without what tasks that end at once leave of their cluster."""
    return {name for name in told["ng"] if not name.startswith("Raft/")} - OF_TASKS


def test_the_doctor_finds_the_whole_stack_as_it_should_be(came_up: dict[str, Any]) -> None:
    told = came_up["doctor"]["fit"]
    assert wrong(told) == EXPECTED
    simulated = [name for name, text in told["skip"].items() if "SimulatePrincipalPolicy" in text]
    assert len(simulated) == 3


def test_the_doctor_names_what_was_spoilt(came_up: dict[str, Any]) -> None:
    told = came_up["doctor"]["spoilt"]["ng"]
    assert wrong(came_up["doctor"]["spoilt"]) - EXPECTED == {
        "traffic/health check of sample-blue",
        "traffic/test listener",
        "deployment/listeners of the group",
        "deployment/functions of the hooks",
        "roles/deployment role",
    }
    assert "set it to /health on 8080" in told["traffic/health check of sample-blue"]
    assert "none on port 9090, but on 8080" in told["traffic/test listener"]
    assert "no sample-after-install" in told["deployment/functions of the hooks"]
    assert "let codedeploy.amazonaws.com assume it" in told["roles/deployment role"]
