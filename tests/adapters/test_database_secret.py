"""The database's secret: read anew each time, never quoted."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from quorumshift.adapters.aws.client import Client
from quorumshift.adapters.aws.database_secret import Credentials, DatabaseSecret
from quorumshift.domain.errors import MissingResource, Transient
from tests.adapters.aws_api import Api, refusal

NAME = "snaketron/database"
WRITTEN = {
    "engine": "postgres",
    "host": "db.example.com",
    "port": 5432,
    "username": "snaketron",
    "password": "hunter2",
    "dbname": "snaketron",
}
ASKED = Credentials("db.example.com", 5432, "snaketron", "hunter2", "snaketron")


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        session = botocore.session.get_session()
        yield Client(lambda: session.create_client("secretsmanager", region_name="us-east-1"))


@pytest.mark.parametrize("port", [5432, "5432"])
def test_what_rds_writes(secrets: Any, port: int | str) -> None:
    made = secrets.create_secret(Name=NAME, SecretString=json.dumps({**WRITTEN, "port": port}))
    assert DatabaseSecret(secrets, NAME)() == ASKED
    assert DatabaseSecret(secrets, made["ARN"])() == ASKED


def test_a_rotation_is_seen(secrets: Any) -> None:
    secrets.create_secret(Name=NAME, SecretString=json.dumps(WRITTEN))
    secret = DatabaseSecret(secrets, NAME)
    before = secret()
    rotated = json.dumps({**WRITTEN, "password": "hunter3"})
    secrets.put_secret_value(SecretId=NAME, SecretString=rotated)
    after = secret()
    assert (before.password, after.password) == ("hunter2", "hunter3")
    assert before != after


def test_the_password_is_in_no_representation() -> None:
    assert "hunter2" not in f"{ASKED} {ASKED!r}"


def without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in WRITTEN.items() if key not in keys}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (without("port"), r"lacks port; write a JSON object with host, port, username, pass"),
        (without("username", "password"), r"lacks username, password; "),
        (without("host", "port", "dbname"), r"lacks host, port, dbname; .* RDS manages itself"),
        ({**WRITTEN, "host": ""}, "lacks host; "),
        ({**WRITTEN, "dbname": None}, "lacks dbname; "),
        ({**WRITTEN, "port": "hunter2"}, "has a port that is no number from 1 to 65535"),
        ({**WRITTEN, "port": 0}, "has a port that is no number"),
        ({**WRITTEN, "port": 70000}, "has a port that is no number"),
        ({**WRITTEN, "port": "５４３２"}, "has a port that is no number"),
        ({**WRITTEN, "port": True}, "has a port that is no number"),
        ({**WRITTEN, "password": {"of": "hunter2"}}, "has a password that is no text"),
        (["hunter2"], "holds no JSON object"),
        ("hunter2", "holds no JSON object"),
    ],
)
def test_what_cannot_be_used_is_named_and_not_quoted(secrets: Any, written: Any, said: str) -> None:
    secrets.create_secret(Name=NAME, SecretString=json.dumps(written))
    with pytest.raises(MissingResource, match=said) as caught:
        DatabaseSecret(secrets, NAME)()
    assert f"the database's secret {NAME} " in str(caught.value)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("content", [{"SecretString": "password=hunter2"}, {"SecretBinary": b"x"}])
def test_what_is_no_json(secrets: Any, content: dict[str, Any]) -> None:
    secrets.create_secret(Name=NAME, **content)
    with pytest.raises(MissingResource, match="holds no JSON object; write one with") as caught:
        DatabaseSecret(secrets, NAME)()
    assert caught.value.__context__ is None or "hunter2" not in repr(vars(caught.value.__context__))
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_secret_that_is_not_there(secrets: Any) -> None:
    with pytest.raises(
        MissingResource,
        match=rf"{NAME} cannot be read \(ResourceNotFoundException: .*database\.sec",
    ):
        DatabaseSecret(secrets, NAME)()


def test_a_secret_that_may_not_be_read() -> None:
    api = Api("secretsmanager", get_secret_value=refusal("AccessDeniedException"))
    with pytest.raises(MissingResource, match=r"AccessDeniedException.*let the functions read it"):
        DatabaseSecret(api, NAME)()
    assert api.asked("get_secret_value") == [{"SecretId": NAME}]


def test_what_passes_is_transient() -> None:
    api = Api("secretsmanager", get_secret_value=refusal("InternalServiceError", status=500))
    with pytest.raises(Transient):
        DatabaseSecret(Client(lambda: api), NAME)()
