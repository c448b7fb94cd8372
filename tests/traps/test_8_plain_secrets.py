"""Trap 8: long-lived keys in the repository's secrets; the database's password and the key of the
tokens as plain environment values, which the console and the logs show."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from quorumshift.config import load
from quorumshift.domain.errors import InvalidConfiguration
from tests.infra.template import Template
from tests.traps.conftest import Shipped

SECRET_LIKE = re.compile(r"PASS|PWD|SECRET|TOKEN|CREDENTIAL|JWT|(PRIVATE|API|ACCESS)_?KEY", re.I)
LONG_LIVED = ("AWS::IAM::User", "AWS::IAM::AccessKey")
RESOLVED = ("{{resolve:secretsmanager:", "{{resolve:ssm-secure:")
"""What CloudFormation replaces by a secret's value."""

Variable = tuple[str, str, Any]


def containers(template: Template) -> list[dict[str, Any]]:
    return [
        container
        for definition in template.of("AWS::ECS::TaskDefinition").values()
        for container in definition["ContainerDefinitions"]
    ]


def plain(template: Template) -> Iterator[Variable]:
    """(where, name, value) of every variable that can be read in the console."""
    for container in containers(template):
        for each in container.get("Environment", ()):
            yield container["Name"], each["Name"], each["Value"]
    for function in template.of("AWS::Lambda::Function").values():
        for name, value in function["Environment"]["Variables"].items():
            yield function["FunctionName"], name, value
    for project in template.of("AWS::CodeBuild::Project").values():
        for each in project["Environment"].get("EnvironmentVariables", ()):
            if each.get("Type", "PLAINTEXT") == "PLAINTEXT":
                yield "the build", each["Name"], each["Value"]


def names_of_secrets(template: Template) -> set[str]:
    """Names and ARNs by which a secret is asked for, as grants and resources have them."""
    found = {
        resource
        for name in template.of("AWS::IAM::Role")
        for resource in template.granted(name).get("secretsmanager:GetSecretValue", ())
    }
    short = {re.sub(r"-\?+$|-\*$", "", arn.partition(":secret:")[2]) for arn in found}
    return found | short


def faults(template: Template) -> set[str]:
    """Where a secret, or a key that lives long, lies open."""
    found = {kind for kind in LONG_LIVED if template.of(kind)}
    known = names_of_secrets(template)
    resources = template.of("AWS::SecretsManager::Secret")
    for where, name, value in plain(template):
        text = str(value)
        reads_it = any(f"'{secret}'" in text for secret in resources)
        if reads_it or any(mark in text for mark in RESOLVED):
            found.add(f"{where}: {name} is a secret's value")
        elif SECRET_LIKE.search(name) and template.text(value) not in known:
            found.add(f"{where}: {name}")
    found |= {name for name, secret in resources.items() if "SecretString" in secret}
    return found


def test_no_secret_lies_open(shipped: Shipped) -> None:
    assert faults(shipped.template) == set()


def test_containers_get_secrets_from_secrets_manager(shipped: Shipped) -> None:
    """Each secret that the configuration names arrives, and by reference."""
    (container,) = containers(shipped.template)
    references = {each["Name"]: each["ValueFrom"] for each in container.get("Secrets", ())}
    assert set(shipped.configuration.service.secrets) <= set(references)
    secrets = shipped.template.of("AWS::SecretsManager::Secret")
    for name, reference in references.items():
        of_ours = any(f"'{secret}'" in str(reference) for secret in secrets)
        assert of_ours or ":secretsmanager:" in shipped.template.text(reference), name
    assert not references.keys() & {each["Name"] for each in container["Environment"]}


@pytest.mark.parametrize(
    "name",
    ["SNAKETRON_DB_PASS", "SNAKETRON_JWT_SECRET", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"],
)
def test_a_configuration_that_tries_is_refused(shipped: Shipped, name: str) -> None:
    with pytest.raises(InvalidConfiguration, match=rf"{name}.*(secret|both)") as refused:
        load(shipped.path, {f"service.environment.{name}": "hunter2"})
    assert "hunter2" not in str(refused.value)


def _in_the_container(template: Template) -> None:
    (container,) = containers(template)
    container["Environment"].append({"Name": "SNAKETRON_DB_PASS", "Value": "hunter2"})


def _by_resolution(template: Template) -> None:
    function = next(iter(template.of("AWS::Lambda::Function").values()))
    function["Environment"]["Variables"]["DB"] = f"{RESOLVED[0]}game/db:SecretString}}}}"


def _a_key(template: Template) -> None:
    template.resources["Key"] = {"Type": "AWS::IAM::AccessKey", "Properties": {}}


def _a_written_secret(template: Template) -> None:
    properties = {"Name": "game/db", "SecretString": "hunter2"}
    template.resources["Db"] = {"Type": "AWS::SecretsManager::Secret", "Properties": properties}


@pytest.mark.parametrize(
    ("open_it", "fault"),
    [
        (_in_the_container, "SNAKETRON_DB_PASS"),
        (_by_resolution, "DB is a secret's value"),
        (_a_key, "AWS::IAM::AccessKey"),
        (_a_written_secret, "Db"),
    ],
)
def test_the_trap_is_found_open(
    shipped: Shipped, open_it: Callable[[Template], None], fault: str
) -> None:
    spoilt = Template(copy.deepcopy(shipped.document))
    open_it(spoilt)
    (found,) = faults(spoilt)
    assert found.endswith(fault)
