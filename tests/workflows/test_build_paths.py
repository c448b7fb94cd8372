"""Executions that build what they deploy: the rendered machine with the real handlers."""

from __future__ import annotations

from typing import Any

import pytest

from quorumshift.domain.rollout import Progress
from tests.adapters.aws_api import Api, build_environment
from tests.tasks.aws import DEFINITION, REPOSITORY, MemoryAws
from tests.tasks.conftest import aws as aws
from tests.workflows.test_paths import ends, execute

COMMIT = "0a1b2c3d" * 5
BUILT = "sha256:" + "4" * 64


@pytest.fixture
def build(aws: MemoryAws, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The one build of a project, as CodeBuild tells it; it runs."""
    monkeypatch.setenv("QUORUMSHIFT_PROJECT", "sample-build")
    there: dict[str, Any] = {"id": "b:1", "buildStatus": "IN_PROGRESS", "currentPhase": "BUILD"}

    def start(environmentVariablesOverride: list[Any], **_: Any) -> dict[str, Any]:
        there["environment"] = build_environment(environmentVariablesOverride)
        return {"build": there}

    def stop(id: str) -> dict[str, Any]:
        there["buildStatus"] = "STOPPED"
        return {"build": there}

    source = {"type": "GITHUB", "location": "https://github.com/a/b"}
    aws.apis["codebuild"] = Api(
        "codebuild",
        batch_get_projects={"projects": [{"source": source}]},
        start_build=start,
        stop_build=stop,
        list_builds_for_project={"ids": ["b:1"]},
        batch_get_builds=lambda **_: {"builds": [there]},
    )
    return there


def is_built(build: dict[str, Any], commit: str = COMMIT) -> None:
    build["buildStatus"] = "SUCCEEDED"
    build["resolvedSourceVersion"] = commit
    build["exportedEnvironmentVariables"] = [{"name": "IMAGE_DIGEST", "value": BUILT}]


BUILDS = {"source": {"repository": "a/b", "commit": "0a1b2c3"}}


def test_a_commit_is_built_and_its_image_deployed(aws: MemoryAws, build: dict[str, Any]) -> None:
    aws.apis["ecr"].answers["describe_images"] = lambda imageIds, **_: {"imageDetails": imageIds}

    def meddle(state: str, times: int) -> None:
        if state == "PollBuild" and times == 3:
            is_built(build)
        if state == "PollDeployment":
            ends(aws, Progress.SUCCEEDED)

    aws.apis["ecs"].answers["list_task_definitions"] = {"taskDefinitionArns": [f"{DEFINITION}11"]}
    registered = {"taskDefinition": {"taskDefinitionArn": f"{DEFINITION}12"}}
    aws.apis["ecs"].answers["register_task_definition"] = registered
    ended = execute("deploy", BUILDS, meddle)
    assert ended.at == "Deployed", ended.cause
    assert ended.states.count("PollBuild") == 3
    (asked,) = aws.apis["ecs"].asked("register_task_definition")
    assert asked["containerDefinitions"][0]["image"] == f"{REPOSITORY}@{BUILT}"


def test_a_build_that_fails_ends_the_execution_with_phase_and_log(
    aws: MemoryAws, build: dict[str, Any]
) -> None:
    build["logs"] = {"streamName": "1", "deepLink": "https://log"}
    phase = {"phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [{"message": "exit 2"}]}

    def meddle(state: str, times: int) -> None:
        if state == "PollBuild":
            build.update(buildStatus="FAILED", phases=[phase])

    failed = execute("deploy", BUILDS, meddle)
    assert (failed.at, failed.error) == ("Failed", "BuildFailed")
    assert "in its phase BUILD: exit 2. Its log: https://log" in failed.cause
    assert "Nothing was touched" in failed.cause
    assert "BUILD: exit 2" in aws.messages[0][1]


def test_a_build_that_takes_too_long_is_stopped(aws: MemoryAws, build: dict[str, Any]) -> None:
    failed = execute("deploy", BUILDS)
    assert (failed.at, failed.error) == ("Failed", "BuildFailed")
    assert "still running after 60 minutes" in failed.cause
    assert "Build b:1 still ran and was stopped. Nothing was touched" in failed.cause
    assert build["buildStatus"] == "STOPPED"


def test_what_was_not_asked_for_is_not_deployed(aws: MemoryAws, build: dict[str, Any]) -> None:
    def meddle(state: str, times: int) -> None:
        if state == "PollBuild":
            is_built(build, "f" * 40)

    failed = execute("deploy", BUILDS, meddle)
    assert (failed.at, failed.error) == ("Failed", "BuildFailed")
    assert "where 0a1b2c3 was asked for" in failed.cause
