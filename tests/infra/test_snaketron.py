"""SnakeTron as its description says: names, ports, secrets, and what its functions need more."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from infra.function_specs import SPECS
from infra.packaging import DATABASE_CA, needs, needs_layer
from quorumshift.names import PACKAGES, SLACK, Names, kebab
from quorumshift.settings import Settings
from tests.infra.template import Template, as_list

ROOT = Path(__file__).parents[2]
NAMES = Names("snaketron-prod")
DATABASE = "arn:aws:secretsmanager:us-east-1:123456789012:secret:snaketron-prod/database"
READER = "arn:aws:secretsmanager:us-east-1:123456789012:secret:snaketron-prod/reader"


def functions(template: Template) -> dict[str, dict[str, Any]]:
    """Function name → properties."""
    found = template.of("AWS::Lambda::Function").values()
    return {properties["FunctionName"]: properties for properties in found}


def container(template: Template) -> dict[str, Any]:
    (only,) = template.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    return dict(only)


def readers(template: Template) -> dict[str, set[str]]:
    """Role or policy → the secrets that it may read."""
    found: dict[str, set[str]] = {}
    for name, statement in template.statements():
        if "secretsmanager:GetSecretValue" in as_list(statement["Action"]):
            resources = {template.text(each) for each in as_list(statement["Resource"])}
            found.setdefault(name, set()).update(resources)
    return found


def reachable(template: Template) -> dict[str, set[int]]:
    """Who may reach a task on which ports: the group's description, without the stack's name."""
    groups = template.of("AWS::EC2::SecurityGroup")
    says = {name: each["GroupDescription"].partition(": ")[2] for name, each in groups.items()}
    found: dict[str, set[int]] = {}
    for rule in template.of("AWS::EC2::SecurityGroupIngress").values():
        if says[template.target(rule["GroupId"])] == "tasks":
            assert rule["FromPort"] == rule["ToPort"]
            source = says[template.target(rule["SourceSecurityGroupId"])]
            found.setdefault(source, set()).add(rule["FromPort"])
    return found


def test_what_has_a_name_already_keeps_it(snaketron: Template) -> None:
    service, group = (
        snaketron.one("AWS::ECS::Service"),
        snaketron.one("AWS::CodeDeploy::DeploymentGroup"),
    )
    assert service["ServiceName"] == "snaketron-prod-game-service"
    assert service["TaskDefinition"] == "snaketron-prod-server"
    assert snaketron.one("AWS::ECS::Cluster")["ClusterName"] == "snaketron-prod-cluster"
    application = snaketron.one("AWS::CodeDeploy::Application")
    assert application["ApplicationName"] == "snaketron-prod-app"
    assert group["DeploymentGroupName"] == "snaketron-prod-ecs-dg"
    assert snaketron.one("AWS::SNS::Topic")["TopicName"] == "snaketron-prod-deployments"
    assert set(functions(snaketron)) == {NAMES.function(state) for state in PACKAGES}


def test_names_are_granted_as_they_are_given(snaketron: Template) -> None:
    role = snaketron.target(functions(snaketron)[NAMES.function("CreateDeployment")]["Role"])
    assert snaketron.granted(role)["codedeploy:CreateDeployment"] == [
        "arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:"
        "snaketron-prod-app/snaketron-prod-ecs-dg"
    ]
    assert snaketron.granted(role)["ecs:DescribeServices"] == [
        "arn:aws:ecs:us-east-1:123456789012:service/"
        "snaketron-prod-cluster/snaketron-prod-game-service"
    ]
    alarms = {each["AlarmName"] for each in snaketron.of("AWS::CloudWatch::Alarm").values()}
    poll = snaketron.target(functions(snaketron)[NAMES.function("PollDeployment")]["Role"])
    assert snaketron.granted(poll)["cloudwatch:DescribeAlarms"] == [
        "arn:aws:cloudwatch:us-east-1:123456789012:alarm:snaketron-prod-*"
    ]
    assert len(alarms) == 9
    assert all(alarm.startswith("snaketron-prod-") for alarm in alarms)


def test_the_service_and_its_container(snaketron: Template) -> None:
    service = snaketron.one("AWS::ECS::Service")
    assert service["CapacityProviderStrategy"] == [
        {"CapacityProvider": "FARGATE_SPOT", "Weight": 100}
    ]
    assert service["HealthCheckGracePeriodSeconds"] == 120
    definition, server = snaketron.one("AWS::ECS::TaskDefinition"), container(snaketron)
    assert (definition["Cpu"], definition["Memory"]) == ("256", "512")
    assert server["Name"] == "snaketron-server"
    assert [each["ContainerPort"] for each in server["PortMappings"]] == [8080, 3001, 50051, 50052]
    assert server["HealthCheck"]["Command"] == [
        "CMD-SHELL",
        "curl -f http://localhost:3001/api/health || exit 1",
    ]


def test_target_groups_ask_for_health_where_it_is_answered(snaketron: Template) -> None:
    for group in snaketron.of("AWS::ElasticLoadBalancingV2::TargetGroup").values():
        assert group["Port"] == 8080
        assert (group["HealthCheckPath"], group["HealthCheckPort"]) == ("/api/health", "3001")
        assert (group["HealthyThresholdCount"], group["UnhealthyThresholdCount"]) == (2, 3)
        assert (group["HealthCheckIntervalSeconds"], group["HealthCheckTimeoutSeconds"]) == (30, 5)
        attributes = {each["Key"]: each["Value"] for each in group["TargetGroupAttributes"]}
        assert attributes["stickiness.lb_cookie.duration_seconds"] == "86400"
        assert attributes["deregistration_delay.timeout_seconds"] == "30"


def test_each_port_is_open_to_who_needs_it_alone(snaketron: Template) -> None:
    assert reachable(snaketron) == {
        "load balancer": {8080, 3001},
        "functions of the deployment": {8080, 3001, 50051},
        "tasks": {50051, 50052},
    }


def test_the_database_is_told_by_its_secret_alone(snaketron: Template) -> None:
    server = container(snaketron)
    secrets = {each["Name"]: each["ValueFrom"] for each in server["Secrets"]}
    generated = snaketron.target(secrets.pop("SNAKETRON_JWT_SECRET"))
    assert snaketron.of("AWS::SecretsManager::Secret")[generated]["Name"] == (
        "snaketron-prod/jwt-secret"
    )
    assert {name: snaketron.text(value) for name, value in secrets.items()} == {
        "SNAKETRON_DB_HOST": f"{DATABASE}:host::",
        "SNAKETRON_DB_PORT": f"{DATABASE}:port::",
        "SNAKETRON_DB_USER": f"{DATABASE}:username::",
        "SNAKETRON_DB_PASS": f"{DATABASE}:password::",
        "SNAKETRON_DB_NAME": f"{DATABASE}:dbname::",
    }
    plain = {each["Name"] for each in server["Environment"]}
    assert not [name for name in plain if "DB" in name or "SECRET" in name]


def test_who_may_read_the_databases_secrets(snaketron: Template, template: Template) -> None:
    of_service, of_reader = f"{DATABASE}-??????", f"{READER}-??????"
    allowed = {name for name, resources in readers(snaketron).items() if of_reader in resources}
    of_functions = {
        snaketron.target(functions(snaketron)[NAMES.function(spec.state)]["Role"])
        for spec in SPECS
        if spec.reaches_nodes
    }
    assert of_functions == allowed
    for name in of_functions:
        assert readers(snaketron)[name] == {of_reader}
    slack = snaketron.target(functions(snaketron)[NAMES.function(SLACK)]["Role"])
    assert readers(snaketron)[slack].isdisjoint({of_service, of_reader})
    (execution,) = readers(snaketron).keys() - of_functions - {slack}
    assert "ExecutionRole" in execution
    (jwt,) = snaketron.of("AWS::SecretsManager::Secret")
    assert readers(snaketron)[execution] == {of_service, f"<{jwt}>"}
    assert len(readers(template)) == 1, "a service that keeps no table has no reader but its tasks"


def test_the_functions_are_told_where_to_look(snaketron: Template, template: Template) -> None:
    found = functions(snaketron)[NAMES.function("Observe")]["Environment"]["Variables"]
    settings = Settings.read({name: snaketron.text(value) for name, value in found.items()})
    assert (settings.dialect, settings.raft_port, settings.raft_peer_port) == (
        "snaketron",
        50051,
        50052,
    )
    assert (settings.discovery, settings.database_secret) == ("postgres", "snaketron-prod/reader")
    assert (settings.database_tls, settings.database_ca) == ("verify-full", DATABASE_CA)
    assert settings.database_region == "us-east-1"
    assert (settings.health_url, settings.trial_path) == (":3001/api/health", "")
    etcd = functions(template)["sample-observe"]["Environment"]["Variables"]
    assert not [name for name in etcd if "DATABASE" in name or "DISCOVERY" in name]


def test_libraries_are_a_layer_of_the_services_that_need_them(
    snaketron: Template, template: Template, snaketron_assembly: Path
) -> None:
    ((layer, properties),) = snaketron.of("AWS::Lambda::LayerVersion").items()
    assert properties["CompatibleArchitectures"] == ["arm64"]
    assert properties["CompatibleRuntimes"] == ["python3.12"]
    needed = needs(ROOT)
    for name, function in functions(snaketron).items():
        state = next(each for each in PACKAGES if name.endswith("-" + kebab(each)))
        has = [snaketron.target(each) for each in function.get("Layers", [])]
        assert has == ([layer] if needs_layer(needed[state]) else []), name
        assert function["Architectures"] == ["arm64"]
        assert function["Runtime"] == "python3.12"
    assets = json.loads((snaketron_assembly / "snaketron-prod-deployment.assets.json").read_text())
    key = properties["Content"]["S3Key"].removesuffix(".zip")
    zipped = snaketron_assembly / assets["files"][key]["source"]["path"]
    assert all(name.startswith("python/") for name in zipfile.ZipFile(zipped).namelist())
    assert not template.of("AWS::Lambda::LayerVersion")
    assert all("Layers" not in each for each in functions(template).values())


@pytest.mark.parametrize("output", ["TasksSecurityGroup", "FunctionsSecurityGroup"])
def test_the_databases_owner_is_told_whom_to_let_in(
    snaketron: Template, template: Template, output: str
) -> None:
    group = snaketron.target(snaketron.outputs[output]["Value"])
    assert group in snaketron.of("AWS::EC2::SecurityGroup")
    assert output not in template.outputs
