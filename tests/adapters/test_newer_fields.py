"""What AWS tells of a task definition and the SDK does not know goes into the next revision."""

from __future__ import annotations

import json
from typing import Any

import pytest

from quorumshift.adapters.aws.task_definitions import EcsTaskDefinitions
from quorumshift.domain.errors import InvalidRequest
from tests.adapters.loopback import Reply, client, serving

LIVE = "arn:aws:ecs:us-east-1:123456789012:task-definition/app:1"
REVISION: dict[str, Any] = {
    "taskDefinitionArn": LIVE,
    "family": "app",
    "revision": 1,
    "status": "ACTIVE",
    "registeredBy": "arn:aws:iam::123456789012:role/ada",
    "ipcMode": None,
    "taskTimeout": 30,
    "containerDefinitions": [
        {
            "name": "app",
            "image": "old:1",
            "cpu": 0,
            "patience": {"seconds": 3},
            "healthCheck": {"command": ["CMD", "true"], "grace": 5},
        }
    ],
}
NEWER = (
    "taskTimeout",
    "containerDefinitions[0].patience",
    "containerDefinitions[0].healthCheck.grace",
)


class Ecs:
    """ECS that is newer than the SDK. ``keeps``: what RegisterTaskDefinition makes of a request."""

    def __init__(self, keeps: Any) -> None:
        self._keeps = keeps
        self.sent: list[dict[str, Any]] = []

    def __call__(self, operation: str, body: bytes) -> Reply:
        asked = json.loads(body)
        if operation == "DescribeTaskDefinition":
            return reply({"taskDefinition": REVISION, "tags": [{"key": "team", "value": "snake"}]})
        if operation == "ListTaskDefinitions":
            return reply({"taskDefinitionArns": [LIVE]})
        self.sent.append(asked)
        kept = self._keeps(asked)
        if isinstance(kept, Reply):
            return kept
        return reply({"taskDefinition": {**kept, "taskDefinitionArn": LIVE + "2"}})


def reply(document: dict[str, Any], status: int = 200) -> Reply:
    return Reply(json.dumps(document).encode(), status)


def registered(ecs: Ecs) -> str:
    with serving(ecs) as url:
        ours = EcsTaskDefinitions(client("ecs", url), "app", "app", lambda: LIVE, tuple)
        return ours.with_image("new@sha256:" + "1" * 64)[0]


def test_fields_that_are_newer_than_the_sdk_are_carried_at_every_depth() -> None:
    ecs = Ecs(lambda asked: asked)
    assert registered(ecs) == LIVE + "2"
    (sent,) = ecs.sent
    container = {**REVISION["containerDefinitions"][0], "image": "new@sha256:" + "1" * 64}
    assert sent == {
        "family": "app",
        "taskTimeout": 30,
        "containerDefinitions": [container],
        "tags": [{"key": "team", "value": "snake"}],
    }


def without(asked: dict[str, Any]) -> dict[str, Any]:
    """What an ECS makes of it that passes over what it is not told by its own model."""
    container = {"name": "app", "image": "new"}
    return {"family": asked["family"], "containerDefinitions": [container]}


REFUSED = reply({"__type": "ClientException", "message": "Unknown parameter"}, 400)


@pytest.mark.parametrize("keeps", [without, lambda _: REFUSED])
def test_what_aws_does_not_keep_is_refused_by_name(keeps: Any) -> None:
    with pytest.raises(InvalidRequest) as raised:
        registered(Ecs(keeps))
    for name in NEWER:
        assert name in str(raised.value)
    assert "deploy it with taskDefinition" in str(raised.value)
    assert "registeredBy" not in str(raised.value)
