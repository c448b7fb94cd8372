"""What may be asked for, and what a person is told who asks for something else."""

from __future__ import annotations

from typing import Any

import pytest

from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.errors import InvalidRequest
from quorumshift.domain.request import ImageReference, Request, Source, parse_image, parse_request

DEFAULT = "CodeDeployDefault.ECSLinear10PercentEvery1Minutes"
DIGEST = "sha256:" + "0123456789abcdef" * 4
ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/sample:12"
REPOSITORY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sample"


def test_nothing_at_all_redeploys_the_current_revision() -> None:
    assert parse_request({}, DEFAULT) == Request(deployment_config=DEFAULT)
    assert parse_request({}, DEFAULT).what() == "task definition current"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"image": f"{REPOSITORY}:v2"}, {"image": f"{REPOSITORY}:v2"}),
        ({"image": f"{REPOSITORY}@{DIGEST}"}, {"image": f"{REPOSITORY}@{DIGEST}"}),
        ({"image": "v2"}, {"image": "v2"}),
        ({"image": DIGEST}, {"image": DIGEST}),
        ({"taskDefinition": "current"}, {"task_definition": "current"}),
        ({"taskDefinition": "previous"}, {"task_definition": "previous"}),
        (
            {"taskDefinition": "sample:7", "ignoreAlarms": True},
            {"task_definition": "sample:7", "ignore_alarms": True},
        ),
        ({"taskDefinition": "sample:7"}, {"task_definition": "sample:7"}),
        ({"taskDefinition": ARN}, {"task_definition": ARN}),
        ({"description": "why " * 50}, {"description": "why " * 50}),
        ({"description": ""}, {"description": ""}),
        ({"initiator": "run 7"}, {"initiator": "run 7"}),
        (
            {"source": {"repository": "lopatin/Snaketron", "commit": "0a1b2c3"}},
            {"source": Source("lopatin/Snaketron", "0a1b2c3")},
        ),
    ],
)
def test_every_key_is_read(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert parse_request(given, DEFAULT) == Request(deployment_config=DEFAULT, **expected)


def test_a_configuration_replaces_the_default() -> None:
    canary = "CodeDeployDefault.ECSCanary10Percent5Minutes"
    assert parse_request({"deploymentConfig": canary}, DEFAULT).deployment_config == canary


def test_a_request_survives_the_state_machine() -> None:
    request = parse_request({"source": {"repository": "a/b", "commit": "0" * 40}}, DEFAULT)
    assert from_json(Request, to_json(request)) == request


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "must be a JSON object, not a list"),
        ("deploy", "must be a JSON object, not text"),
        (None, "must be a JSON object, not null"),
        ({"imgae": "v2"}, "imgae: unknown key; did you mean image?"),
        ({"cluster": "prod"}, "cluster: unknown key; allowed: source, image"),
        ({"image": "v2", "taskDefinition": "current"}, "image and taskDefinition: only one"),
        ({"image": "v2", "source": {}}, "source and image: only one"),
        ({"image": None}, "image: expected text, not null"),
        ({"image": 2}, "image: expected text, not a number"),
        ({"image": ""}, "image: is empty"),
        ({"image": f"{REPOSITORY}"}, "name a tag or a digest"),
        ({"image": "a/b@sha256:12"}, "64 hex digits"),
        ({"image": "a b"}, "a tag has letters"),
        ({"image": "a/B:c"}, "image: 'a/B:c' is not usable"),
        ({"taskDefinition": "sample"}, "family:revision"),
        ({"taskDefinition": "sample:0"}, "family:revision"),
        ({"taskDefinition": ARN.replace("ecs", "ec2")}, "a revision's ARN"),
        ({"description": "x" * 201}, "description: 201 characters are too many; shorten it to 200"),
        ({"description": "a\nb"}, "control character"),
        ({"deploymentConfig": "no spaces"}, "a configuration's name"),
        ({"taskDefinition": "a:1", "ignoreAlarms": "yes"}, "ignoreAlarms: expected true or false"),
        ({"image": "v2", "ignoreAlarms": True}, "ignoreAlarms: is for going back to a revision"),
        (
            {"taskDefinition": "previous", "ignoreAlarms": True, "whenBusy": "skip"},
            "ignoreAlarms and whenBusy skip",
        ),
        ({"source": "main"}, "source: expected an object"),
        ({"source": {"repository": "a/b"}}, "source.commit: missing"),
        ({"source": {"repository": "a/b", "commit": "main"}}, "not a branch"),
        ({"source": {"repository": "https://x/a", "commit": "0" * 40}}, "write owner/name"),
        ({"source": {"repository": "a/b", "comit": "1"}}, "source.comit: unknown key; did you"),
    ],
)
def test_anything_else_is_refused_by_key_and_fix(given: Any, says: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(given, DEFAULT)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("v2", ("", "", "v2", "")),
        (DIGEST, ("", "", "", DIGEST)),
        ("sample:v2", ("", "sample", "v2", "")),
        (f"sample@{DIGEST}", ("", "sample", "", DIGEST)),
        (f"host.example:5000/a/b:v2@{DIGEST}", ("host.example:5000", "a/b", "v2", DIGEST)),
    ],
)
def test_an_image_reference_is_taken_apart(text: str, parts: tuple[str, ...]) -> None:
    assert parse_image(text) == ImageReference(*parts)
