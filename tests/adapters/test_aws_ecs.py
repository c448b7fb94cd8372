"""Task definitions, in moto."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from quorumshift.adapters.aws.client import Client
from quorumshift.adapters.aws.task_definitions import EcsTaskDefinitions
from quorumshift.domain.errors import InvalidRequest, MissingResource
from quorumshift.domain.previous import Deployed
from tests.adapters.aws_api import Api

FAMILY = "sample"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sample@sha256:" + "1" * 64


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        session = botocore.session.get_session()
        yield lambda name: Client(lambda: session.create_client(name, region_name="us-east-1"))


def register(ecs: Any, image: str = "sample:v1") -> str:
    arn = ecs.register_task_definition(
        family=FAMILY,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        taskRoleArn="arn:aws:iam::123456789012:role/task",
        executionRoleArn="arn:aws:iam::123456789012:role/execution",
        runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        volumes=[{"name": "scratch"}],
        containerDefinitions=[
            {
                "name": "app",
                "image": image,
                "essential": True,
                "stopTimeout": 60,
                "environment": [{"name": "RUST_LOG", "value": "info"}],
                "secrets": [{"name": "PASSWORD", "valueFrom": "arn:aws:secretsmanager:x"}],
                "healthCheck": {"command": ["CMD", "true"], "interval": 30},
            },
            {"name": "sidecar", "image": "proxy:1", "essential": False},
        ],
        tags=[{"key": "team", "value": "snake"}],
    )["taskDefinition"]["taskDefinitionArn"]
    return str(arn)


def definitions(ecs: Any, live: str, *deployed: Deployed) -> EcsTaskDefinitions:
    return EcsTaskDefinitions(ecs, FAMILY, "app", lambda: live, lambda: deployed)


COMPARED = (
    "networkMode",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "taskRoleArn",
    "executionRoleArn",
    "runtimePlatform",
    "volumes",
)


def test_the_next_revision_is_the_live_one_with_another_image(client: Any) -> None:
    ecs = client("ecs")
    live = register(ecs)
    arn, registered = definitions(ecs, live).with_image(IMAGE)
    assert registered
    old = ecs.describe_task_definition(taskDefinition=live, include=["TAGS"])
    new = ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
    before, after = old["taskDefinition"], new["taskDefinition"]
    assert {key: after[key] for key in COMPARED} == {key: before[key] for key in COMPARED}
    assert new["tags"] == old["tags"]
    app, sidecar = after["containerDefinitions"]
    assert app == {**before["containerDefinitions"][0], "image": IMAGE}
    assert sidecar == before["containerDefinitions"][1]


def test_the_same_image_makes_no_new_revision(client: Any) -> None:
    ecs = client("ecs")
    live = register(ecs, IMAGE)
    assert definitions(ecs, live).with_image(IMAGE) == (live, False)
    assert len(ecs.list_task_definitions(familyPrefix=FAMILY)["taskDefinitionArns"]) == 1


def test_tags_that_aws_itself_put_there_are_not_copied() -> None:
    """RegisterTaskDefinition refuses keys that begin with ``aws:``; CloudFormation adds three."""
    ours = {"key": "team", "value": "snake"}
    revision = {
        "family": FAMILY,
        "containerDefinitions": [{"name": "app", "image": "sample:v1"}],
    }
    api = Api(
        "ecs",
        describe_task_definition={
            "taskDefinition": revision,
            "tags": [{"key": "aws:cloudformation:stack-name", "value": "sample"}, ours],
        },
        list_task_definitions={"taskDefinitionArns": [f"arn:task-definition/{FAMILY}:1"]},
        register_task_definition={"taskDefinition": {"taskDefinitionArn": f"arn:{FAMILY}:2"}},
    )
    arn, registered = definitions(api, f"arn:task-definition/{FAMILY}:1").with_image(IMAGE)
    assert (arn, registered) == (f"arn:{FAMILY}:2", True)
    assert api.asked("register_task_definition")[0]["tags"] == [ours]


def test_what_an_earlier_try_registered_is_found_again(client: Any) -> None:
    ecs = client("ecs")
    live = register(ecs)
    first, registered = definitions(ecs, live).with_image(IMAGE)
    assert registered
    assert definitions(ecs, live).with_image(IMAGE) == (first, False)


def test_names_are_resolved_within_the_family(client: Any) -> None:
    ecs = client("ecs")
    oldest, older, live = (register(ecs, f"sample:v{n}") for n in (1, 2, 3))
    ours = definitions(ecs, live, Deployed(3, 1), Deployed(1))  # the second was rolled back
    assert ours.resolve("current") == live
    assert ours.resolve("previous") == oldest
    assert ours.resolve("sample:1") == oldest
    assert ours.resolve(older) == older


def test_what_is_not_there_is_an_invalid_request(client: Any) -> None:
    ecs = client("ecs")
    live = register(ecs)
    ours = definitions(ecs, live)
    with pytest.raises(InvalidRequest, match="no revision 'sample:9'; name one of sample:1"):
        ours.resolve("sample:9")
    with pytest.raises(InvalidRequest, match="another family; this service runs sample"):
        ours.resolve("other:1")
    with pytest.raises(InvalidRequest, match="nobody knows what served before sample:1"):
        ours.resolve("previous")
    gone = register(ecs)
    ecs.deregister_task_definition(taskDefinition=gone)
    with pytest.raises(InvalidRequest, match="is INACTIVE"):
        ours.resolve(gone)


def test_a_container_that_is_not_there_is_named(client: Any) -> None:
    ecs = client("ecs")
    live = register(ecs)
    with pytest.raises(MissingResource, match=r"no container web \(but app, sidecar\)"):
        EcsTaskDefinitions(ecs, FAMILY, "web", lambda: live, tuple).with_image(IMAGE)
