"""CodeBuild as the product asks it: starting, looking, stopping."""

from __future__ import annotations

from typing import Any

import pytest

from quorumshift.adapters.aws.builds import CodeBuilds
from quorumshift.adapters.aws.client import Client
from quorumshift.domain.errors import BuildFailed, InvalidRequest
from quorumshift.domain.request import Source
from tests.adapters.aws_api import Api, build_environment, refusal

ACCOUNT = "123456789012"
REGISTRY = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
PROJECT = {"name": "sample-build", "source": {"type": "GITHUB", "location": "https://g/a/b.git"}}
SOURCE = Source("A/b", "0a1b2c3")


def builds(**answers: Any) -> tuple[CodeBuilds, Api]:
    api = Api("codebuild", **{"batch_get_projects": {"projects": [PROJECT]}, **answers})
    return CodeBuilds(Client(lambda: api), "sample-build", f"{REGISTRY}/sample"), api


def test_a_build_is_started_for_the_commit_under_the_mark() -> None:
    ours, api = builds(start_build={"build": {"id": "sample-build:1"}})
    assert ours.start(SOURCE, "mark") == "sample-build:1"
    (asked,) = api.asked("start_build")
    assert (asked["sourceVersion"], asked["idempotencyToken"]) == ("0a1b2c3", "mark")
    # The tag is the buildspec's to make, from the commit that is really there.
    assert [each["value"] for each in asked["environmentVariablesOverride"]] == ["mark"]


def test_a_project_of_another_repository_is_not_built() -> None:
    ours, api = builds()
    with pytest.raises(InvalidRequest, match=r"builds https://g/a/b\.git, not x/y"):
        ours.start(Source("x/y", "0a1b2c3"), "mark")
    with pytest.raises(InvalidRequest, match="no build project"):
        CodeBuilds(Client(lambda: api), "", "r").start(SOURCE, "mark")
    with pytest.raises(BuildFailed, match="no build project sample-build"):
        builds(batch_get_projects={"projects": []})[0].start(SOURCE, "mark")
    with pytest.raises(BuildFailed, match="AccountLimitExceededException"):
        builds(start_build=refusal("AccountLimitExceededException"))[0].start(SOURCE, "mark")


def ended(status: str, *phases: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    return {
        "arn": f"arn:aws:codebuild:us-east-1:{ACCOUNT}:build/sample-build:1",
        "buildStatus": status,
        "phases": [
            {"phaseType": name, "phaseStatus": how, "contexts": [{"message": said}] if said else []}
            for name, how, said in phases
        ],
        **more,
    }


def test_a_failed_build_names_its_phase_and_its_log() -> None:
    build = ended(
        "FAILED",
        ("INSTALL", "SUCCEEDED", ""),
        ("BUILD", "FAILED", "exit 2"),
        logs={"deepLink": "https://log", "streamName": "1"},
    )
    ours, _ = builds(batch_get_builds={"builds": [build]})
    seen = ours.look("sample-build:1")
    assert (seen.running, seen.succeeded) == (False, False)
    assert (seen.phase, seen.said, seen.log) == ("BUILD", "exit 2", "https://log")
    assert seen.image == ""


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("STOPPED", "somebody stopped it"),
        ("TIMED_OUT", "it ran out of its time: 60 min"),
        ("FAULT", "CodeBuild itself failed"),
    ],
)
def test_a_build_that_ended_otherwise_says_how(status: str, says: str) -> None:
    build = ended(status, ("BUILD", status, "60 min" if status == "TIMED_OUT" else ""))
    seen = builds(batch_get_builds={"builds": [build]})[0].look("b")
    assert (seen.running, seen.succeeded, seen.phase) == (False, False, "BUILD")
    assert seen.said.startswith(says)


def test_before_there_is_a_log_the_link_leads_to_the_build() -> None:
    """CodeBuild's own link then names the log group "null"."""
    nowhere = {"deepLink": "https://console/#logEvent:group=null;stream=null"}
    build = ended("FAILED", ("PROVISIONING", "FAILED", "no capacity"), logs=nowhere)
    seen = builds(batch_get_builds={"builds": [build]})[0].look("b")
    assert seen.log.endswith(
        f"/codebuild/{ACCOUNT}/projects/sample-build/build/sample-build%3A1/?region=us-east-1"
    )


def test_the_image_of_a_build_is_the_digest_that_it_tells() -> None:
    digest = "sha256:" + "4" * 64
    told = [{"name": "IMAGE", "value": "r:c"}, {"name": "IMAGE_DIGEST", "value": digest}]
    build = ended("SUCCEEDED", resolvedSourceVersion="0a1b2c3d", exportedEnvironmentVariables=told)
    seen = builds(batch_get_builds={"builds": [build]})[0].look("b")
    assert (seen.succeeded, seen.commit) == (True, "0a1b2c3d")
    assert seen.image == f"{REGISTRY}/sample@{digest}"
    told[1]["value"] = "None"
    assert builds(batch_get_builds={"builds": [build]})[0].look("b").image == ""


def test_the_build_that_an_execution_left_is_stopped_and_no_other() -> None:
    def started(build: str, status: str, mark: str) -> dict[str, Any]:
        variables = [{"name": "EXECUTION_MARK", "value": mark, "type": "PLAINTEXT"}]
        return {"id": build, "buildStatus": status, "environment": build_environment(variables)}

    known = [
        started("b:3", "IN_PROGRESS", "another"),
        started("b:2", "IN_PROGRESS", "mark"),
        started("b:1", "FAILED", "over"),
    ]
    ours, api = builds(
        list_builds_for_project={"ids": [each["id"] for each in known]},
        batch_get_builds={"builds": known},
        stop_build={},
    )
    assert ours.stop("mark") == "b:2"
    assert ours.stop("over") is None
    assert ours.stop("nobody's") is None
    assert [asked["id"] for asked in api.asked("stop_build")] == ["b:2"]
    assert builds(list_builds_for_project={})[0].stop("mark") is None
    assert CodeBuilds(Client(lambda: Api("codebuild")), "", "r").stop("mark") is None


def test_a_running_build_tells_its_phase() -> None:
    build = {"buildStatus": "IN_PROGRESS", "currentPhase": "BUILD", "sourceVersion": "c"}
    seen = builds(batch_get_builds={"builds": [build]})[0].look("b")
    assert (seen.running, seen.phase) == (True, "BUILD")
    with pytest.raises(BuildFailed, match="knows no build b"):
        builds(batch_get_builds={"builds": []})[0].look("b")
