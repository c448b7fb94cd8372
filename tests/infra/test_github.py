"""The role of GitHub Actions: whom it trusts, and the little that it may."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from quorumshift.config import load
from quorumshift.domain.errors import InvalidConfiguration
from quorumshift.rehearsal.synthesis import assembly
from tests.infra.conftest import ETCD
from tests.infra.template import Template, merged

OVERRIDES = {"github.repository": "owner/name", "github.environment": "staging"}


@pytest.fixture(scope="session")
def opened() -> Template:
    """The plain sample's template, with a repository that may deploy."""
    folder = assembly(ETCD, OVERRIDES, lambda text: print(text, file=sys.stderr))
    return Template(merged(folder))


def role(template: Template) -> tuple[str, dict[str, Any]]:
    """Logical id and properties."""
    (found,) = (
        (name, properties)
        for name, properties in template.of("AWS::IAM::Role").items()
        if properties.get("RoleName") == "sample-github"
    )
    return found


def test_without_a_repository_nobody_may(template: Template) -> None:
    assert "GitHubRole" not in template.outputs
    for properties in template.of("AWS::IAM::Role").values():
        (statement,) = properties["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Action"] == "sts:AssumeRole"


def test_one_environment_of_one_repository_is_trusted_to_the_letter(opened: Template) -> None:
    _, properties = role(opened)
    (statement,) = properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert opened.text(statement["Principal"]["Federated"]) == (
        "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    )
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:owner/name:environment:staging",
        }
    }


def test_it_starts_and_sees_executions_of_deploy_and_nothing_else(opened: Template) -> None:
    name, _ = role(opened)
    states = "arn:aws:states:us-east-1:123456789012"
    assert opened.granted(name) == {
        "states:StartExecution": [f"{states}:stateMachine:sample-deploy"],
        "states:ListExecutions": [f"{states}:stateMachine:sample-deploy"],
        "states:DescribeExecution": [f"{states}:execution:sample-deploy:*"],
        "states:GetExecutionHistory": [f"{states}:execution:sample-deploy:*"],
    }


def test_a_deployment_can_be_followed_as_long_as_a_job_may_run(opened: Template) -> None:
    assert role(opened)[1]["MaxSessionDuration"] == 6 * 3600
    assert opened.outputs["GitHubRole"]


@pytest.mark.parametrize(
    "overrides",
    [
        {"github.repository": "owner/*"},
        {"github.repository": "owner/name:ref"},
        {"github.repository": "owner"},
        {"github.environment": "*"},
        {"github.environment": ""},
        {"github.environment": "${aws:username}"},
        {"github.environment": "two\nlines"},
        {"github.environment": " production"},
        {"github.environment": "x" * 256},
        {"github.environment": "本番"},
    ],
)
def test_neither_holds_a_wildcard_or_a_variable(overrides: dict[str, Any]) -> None:
    with pytest.raises(InvalidConfiguration):
        load(ETCD, overrides)
    assert load(ETCD, {"github.repository": "owner@1/name@2"}).github.environment == "production"


@pytest.mark.parametrize(
    ("environment", "written"),
    [
        ("Production EU/west", "Production EU/west"),
        ("Production:V1", "Production%3AV1"),
        ("prod (übersee)", "prod (übersee)"),
    ],
)
def test_an_environment_is_trusted_as_github_writes_it(environment: str, written: str) -> None:
    described = load(ETCD, {"github.repository": "owner/name", "github.environment": environment})
    assert described.github.subject == f"repo:owner/name:environment:{written}"
