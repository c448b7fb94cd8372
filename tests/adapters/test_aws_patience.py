"""How long a call takes when AWS does not answer, and what is not sent twice."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import botocore.endpoint
import botocore.session
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError
from botocore.retries.standard import ExponentialBackoff, RetryContext

from quorumshift.adapters.aws.client import ONCE, Client
from quorumshift.adapters.aws.patience import PATIENCE, Patience, pause
from quorumshift.domain.errors import Transient
from tests.adapters.aws_calls import SERVICES, called
from tests.adapters.loopback import DROPPED, Reply, client, serving


def test_an_api_that_never_answers_ends_the_call_in_time_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    patience = Patience(connect=0.5, read=0.2, tries=3, longest=20)
    with socket.create_server(("127.0.0.1", 0)) as mute:  # the kernel takes calls, nobody answers
        made = botocore.session.get_session().create_client(
            "sns",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{mute.getsockname()[1]}",
            config=patience.config(),
        )
        began = time.monotonic()
        with pytest.raises(Transient, match="no reply from AWS to publish"):
            Client(lambda: made).publish(Message="a", TopicArn="arn:aws:sns:us-east-1:1:t")
        took = time.monotonic() - began
        mute.setblocking(False)
        for _ in range(patience.tries):
            mute.accept()[0].close()
        with pytest.raises(BlockingIOError):
            mute.accept()
    assert patience.tries * patience.read <= took <= patience.longest


class Always:
    """A detector for which every error is a throttle, which makes for the longest pauses."""

    def is_throttling_error_from_context(self, context: RetryContext) -> bool:
        return True


@pytest.mark.parametrize("attempts", range(1, 9))
def test_no_pause_of_botocores_is_longer_than_we_think(attempts: int) -> None:
    hours = AWSResponse("http://x", 503, {"x-amz-retry-after": "9999999"}, None)
    backoff = ExponentialBackoff(random=lambda: 1.0, throttling_detector=Always())
    context = RetryContext(attempts, http_response=hours, parsed_response={})
    assert backoff.delay_amount(context) == pause(attempts)


class Slow:
    """A clock that moves by what botocore sleeps and by what each try takes; AWS's answers."""

    def __init__(self, seconds: float, retry_after: str | None) -> None:
        self.now = 1000.0
        self.tries = 0
        self._seconds = seconds
        self._headers = {"x-amz-retry-after": retry_after} if retry_after else None

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def time(self) -> float:
        return self.now

    def answer(self, **_: Any) -> AWSResponse:
        self.now += self._seconds
        self.tries += 1
        if self._headers is None:
            raise ReadTimeoutError(endpoint_url="http://x")
        answer = AWSResponse("http://x", 503, self._headers, None)
        answer._content = b""
        return answer


@pytest.mark.parametrize(
    ("seconds", "retry_after", "tries"),
    [
        (8.0, None, 3),  # taken, and not answered
        (0.1, "60000", 3),  # asks for a minute, gets five seconds
        (16.0, None, 2),  # three addresses that take nobody, or each limit used to its end
        (8.0, "60000", 2),
    ],
)
def test_a_call_ends_in_time_however_long_aws_asks_to_wait(
    monkeypatch: pytest.MonkeyPatch, seconds: float, retry_after: str | None, tries: int
) -> None:
    slow = Slow(seconds, retry_after)
    monkeypatch.setattr(botocore.endpoint, "time", slow)
    session = botocore.session.Session()
    session.set_credentials("testing", "testing")
    made = session.create_client("sns", region_name="us-east-1", config=PATIENCE.config())
    made.meta.events.register("before-send.sns", slow.answer)
    with pytest.raises(Transient, match="publish"):
        Client(lambda: made, PATIENCE, slow.time).publish(Message="a", TopicArn="arn:t")
    assert slow.now - 1000.0 <= PATIENCE.longest
    assert slow.tries == tries


CREATE = {"applicationName": "a", "deploymentGroupName": "g"}


@pytest.mark.parametrize(
    ("operation", "parameters", "sent"),
    [
        ("create_deployment", CREATE, 1),
        ("stop_deployment", {"deploymentId": "d-1"}, 2),
    ],
)
@pytest.mark.parametrize("reply", [DROPPED, Reply(b"", 503)])
def test_after_a_lost_reply_only_what_can_be_done_twice_is_sent_again(
    operation: str, parameters: dict[str, str], sent: int, reply: Reply
) -> None:
    asked: list[str] = []

    def answer(name: str, body: bytes) -> Reply:
        asked.append(name)
        return reply

    with serving(answer) as url, pytest.raises(Transient):
        getattr(client("codedeploy", url), operation)(**parameters)
    assert len(asked) == sent


def test_what_aws_refused_for_now_was_not_done_and_is_sent_again() -> None:
    replies = [
        Reply(json.dumps({"__type": "ThrottlingException"}).encode(), 400),
        Reply(b'{"deploymentId": "d-1"}'),
    ]
    with serving(lambda *_: replies.pop(0)) as url:
        assert client("codedeploy", url).create_deployment(**CREATE)["deploymentId"] == "d-1"


SETS = "sets what is so already"
TWICE = {
    "create_log_stream": "is refused as there already, which is no error",
    "invoke": "the function that is asked only looks",
    "publish": "people read it twice, which is better than never",
    "put_lifecycle_event_hook_execution_status": "is refused as answered, which is no error",
    "put_log_events": "of several answers by one hook the first counts",
    "redrive_execution": "carries a token",
    "register_scalable_target": SETS,
    "start_build": "carries a token",
    "start_execution": "carries a name",
    "stop_build": SETS,
    "stop_deployment": SETS,
    "stop_execution": SETS,
    "tag_resource": SETS,
    "untag_resource": SETS,
    "update_task_protection": SETS,
}
"""What the SDK may send twice, and why that does no harm."""
READS = ("batch_get_", "describe_", "get_", "list_", "simulate_")


def test_whatever_changes_something_may_arrive_twice_or_is_sent_once() -> None:
    session = botocore.session.get_session()
    known = {
        xform_name(name): name
        for service in SERVICES
        for name in session.get_service_model(service).operation_names
    }
    changes = {name for name in called() if name in known and not name.startswith(READS)}
    once = {name for name in changes if known[name] in ONCE}
    assert changes - once == TWICE.keys()
    assert {known[name] for name in once} == ONCE
