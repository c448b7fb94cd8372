"""The function ``Slack`` against a server that takes webhooks, over TLS."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quorumshift.adapters import slack as adapter
from quorumshift.domain.errors import MessageRefused, MissingResource, QuorumshiftError, Transient
from quorumshift.rehearsal.database_authority import ca_file
from tasks import slack
from tasks.wiring import wiring
from tests.adapters.aws_api import Api, refusal
from tests.tasks.aws import MemoryAws
from tests.tasks.webhook import Answer, Webhooks, webhooks

HOOK, NEW = "/services/T0/B0/hunter2", "/services/T0/B1/hunter3"
SECRET = "sample/slack"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhooks]:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file()))
    with webhooks(tmp_path) as there:
        there.answers[HOOK] = [Answer()]
        yield there


@pytest.fixture
def secret(aws: MemoryAws, server: Webhooks, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the secret holds, the newest last."""
    monkeypatch.setenv("QUORUMSHIFT_SLACK_SECRET", SECRET)
    holds = [server.url(HOOK)]
    aws.apis["secretsmanager"] = Api(
        "secretsmanager", get_secret_value=lambda **_: {"SecretString": holds[-1] + "\n"}
    )
    return holds


def post(subject: str | None = "sample: deployed", message: str = "It serves.") -> dict[str, Any]:
    said = {"Type": "Notification", "Subject": subject, "Message": message}
    return slack.handler({"Records": [{"EventSource": "aws:sns", "Sns": said}]}, None)


def fails(kind: type[QuorumshiftError], match: str) -> str:
    """What it says when it fails as ``kind``; no part of the URL is in it, nor in its traceback."""
    with pytest.raises(kind, match=match) as failed:
        post()
    whole = "".join(traceback.format_exception(failed.value))
    assert "hunter" not in whole
    assert "/services/" not in whole
    assert SECRET in str(failed.value)
    return str(failed.value)


def test_a_message_is_posted_and_the_secret_is_read_once(
    aws: MemoryAws, server: Webhooks, secret: list[str]
) -> None:
    assert post() == {"posted": 1}
    post("sample: started", "It begins.")
    assert [(path, sent["text"]) for path, sent in server.got] == [
        (HOOK, "sample: deployed"),
        (HOOK, "sample: started"),
    ]
    assert aws.apis["secretsmanager"].asked("get_secret_value") == [{"SecretId": SECRET}]


@pytest.mark.parametrize(
    ("busy", "seconds"),
    [
        (Answer(429, "rate_limited", {"Retry-After": "7"}), 7),
        (Answer(500, "rollup_error"), 1),
        (Answer(503, "<html>"), 1),
    ],
)
def test_what_passes_is_waited_for_as_long_as_slack_asks(
    aws: MemoryAws, server: Webhooks, secret: list[str], busy: Answer, seconds: float
) -> None:
    server.answers[HOOK] = [busy, Answer()]
    before = aws.service.clock.now()
    post()
    assert len(server.got) == 2
    assert aws.service.clock.now() - before == pytest.approx(seconds)


def test_what_does_not_pass_in_time_is_lambdas_to_try_again(
    aws: MemoryAws, server: Webhooks, secret: list[str]
) -> None:
    server.answers[HOOK] = [Answer(500, "rollup_error")]
    before = aws.service.clock.now()
    fails(Transient, "500 rollup_error")
    assert aws.service.clock.now() - before <= adapter.PATIENCE
    server.got.clear()
    server.answers[HOOK] = [Answer(429, "rate_limited", {"Retry-After": "3600"})]
    fails(Transient, "429 rate_limited")
    assert len(server.got) == 1, "an hour is not waited for"


def test_a_webhook_that_is_gone_is_read_once_more_and_then_told(
    aws: MemoryAws, server: Webhooks, secret: list[str]
) -> None:
    server.answers[HOOK] = [Answer(404, "no_service")]
    fails(MessageRefused, "404 no_service.*make another webhook")
    assert len(server.got) == 1
    assert len(aws.apis["secretsmanager"].asked("get_secret_value")) == 2


def test_a_webhook_that_was_replaced_is_picked_up(server: Webhooks, secret: list[str]) -> None:
    post()
    server.answers = {HOOK: [Answer(410, "channel_is_archived")], NEW: [Answer()]}
    secret.append(server.url(NEW))
    post()
    post()
    assert [path for path, _ in server.got] == [HOOK, HOOK, NEW, NEW]


def test_nobody_is_sent_elsewhere(server: Webhooks, secret: list[str]) -> None:
    server.answers = {HOOK: [Answer(302, "", {"Location": server.url(NEW)})], NEW: [Answer()]}
    fails(MessageRefused, "302 Found")
    assert [path for path, _ in server.got] == [HOOK]


def test_an_answer_that_is_none_of_slacks_words_is_not_quoted(
    server: Webhooks, secret: list[str]
) -> None:
    server.answers[HOOK] = [Answer(403, f"no {server.url(HOOK)}")]
    fails(MessageRefused, "403 Forbidden")


def test_a_server_that_hangs_is_given_up(
    server: Webhooks, secret: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "TIMEOUT", 0.2)
    monkeypatch.setattr(adapter, "PATIENCE", 1.0)
    server.answers[HOOK] = [Answer(seconds=60)]
    fails(Transient, r"no answer within 0\.2 s")


def test_a_server_that_is_not_there_or_not_trusted_is_told(
    server: Webhooks, secret: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "PATIENCE", 0.0)
    monkeypatch.delenv("SSL_CERT_FILE")
    fails(Transient, "CERTIFICATE_VERIFY_FAILED")
    secret.append(f"https://127.0.0.1:1{HOOK}")
    wiring.cache_clear()
    fails(Transient, "Connection refused")
    assert not server.got


@pytest.mark.parametrize(
    "holds",
    [
        "",
        "http://127.0.0.1/services/hunter2",
        json.dumps({"url": "https://127.0.0.1/services/hunter2"}),
        "https://127.0.0.1:x/services/hunter2",
        "https:///services/hunter2",
        "https://127.0.0.1/services/hunter2 and more",
    ],
)
def test_a_secret_that_is_no_webhook_says_what_to_put_there(secret: list[str], holds: str) -> None:
    secret.append(holds)
    fails(MissingResource, "holds no https:// URL; put the URL of an incoming webhook into it")


def test_a_secret_that_cannot_be_read_says_so(aws: MemoryAws, secret: list[str]) -> None:
    aws.apis["secretsmanager"].answers["get_secret_value"] = refusal("ResourceNotFoundException")
    fails(MissingResource, r"cannot be read \(ResourceNotFoundException")
