"""Cluster, task definition and service: what keeps a swap from being undone by the template."""

from __future__ import annotations

from tests.infra.template import Template


def test_code_deploy_controls_the_service(template: Template) -> None:
    service = template.one("AWS::ECS::Service")
    assert service["DeploymentController"] == {"Type": "CODE_DEPLOY"}
    assert service["DesiredCount"] == 3
    assert service["ServiceName"] == "sample"


def test_the_capacity_provider_strategy_is_the_services_own(template: Template) -> None:
    service = template.one("AWS::ECS::Service")
    assert service["CapacityProviderStrategy"] == [{"CapacityProvider": "FARGATE", "Weight": 1}]
    assert "LaunchType" not in service
    providers = template.one("AWS::ECS::ClusterCapacityProviderAssociations")
    assert providers["CapacityProviders"] == ["FARGATE", "FARGATE_SPOT"]


def test_a_new_revision_is_no_change_of_the_service(template: Template) -> None:
    # ECS refuses a new task definition for a CODE_DEPLOY service, so the template names the
    # family and never a revision.
    assert template.one("AWS::ECS::Service")["TaskDefinition"] == "sample"


def test_tasks_run_in_private_subnets_of_three_zones(template: Template) -> None:
    service = template.one("AWS::ECS::Service")
    network = service["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "DISABLED"
    subnets = template.of("AWS::EC2::Subnet")
    zones = {str(subnets[template.target(each)]["AvailabilityZone"]) for each in network["Subnets"]}
    assert len(zones) == 3


def test_the_container(template: Template) -> None:
    definition = template.one("AWS::ECS::TaskDefinition")
    (container,) = definition["ContainerDefinitions"]
    assert (definition["Family"], definition["Cpu"], definition["Memory"]) == (
        "sample",
        "256",
        "512",
    )
    assert container["Name"] == "app"
    assert template.text(container["Image"]) == (
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/sample:v1"
    )
    assert [each["ContainerPort"] for each in container["PortMappings"]] == [8080, 2379, 2380]
    assert container["StopTimeout"] == 30
    assert container["HealthCheck"] == {
        "Command": ["CMD-SHELL", "curl -f http://localhost:8080/health || exit 1"],
        "Interval": 30,
        "Timeout": 5,
        "Retries": 3,
        "StartPeriod": 60,
    }


def test_secrets_come_from_secrets_manager_and_never_as_plain_variables(
    template: Template,
) -> None:
    (container,) = template.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    plain = {each["Name"] for each in container["Environment"]}
    secret = {each["Name"]: template.target(each["ValueFrom"]) for each in container["Secrets"]}
    assert set(secret) == {"SAMPLE_API_TOKEN"}
    assert not plain & set(secret)
    resource = template.of("AWS::SecretsManager::Secret")[secret["SAMPLE_API_TOKEN"]]
    assert resource["Name"] == "sample/api-token"
    assert "GenerateSecretString" in resource
    assert "SecretString" not in resource
    for function in template.of("AWS::Lambda::Function").values():
        assert secret["SAMPLE_API_TOKEN"] not in str(function)
