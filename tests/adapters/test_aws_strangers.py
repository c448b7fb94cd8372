"""Something between us and AWS answers in its place: that is no answer."""

from __future__ import annotations

from typing import Any

import pytest

from quorumshift.adapters.aws.asking import in_one_line
from quorumshift.domain.errors import ObservationFailed, Transient
from quorumshift.names import Names
from tests.adapters.loopback import PAGE, Reply, client, serving

XHTML = Reply(b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><body/></html>")
CUT = Reply(b'{"deployments": ["d-1"')
NOTHING = Reply(b"")
LOGIN = Reply(PAGE.body, 302, {"Location": "http://login.example", "Content-Type": "text/html"})
FORBIDDEN = Reply(PAGE.body, 403, {"Content-Type": "text/html"})
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("codedeploy", "list_deployments", {}),  # json
    ("logs", "get_log_events", {"logGroupName": "g", "logStreamName": "s"}),
    ("cloudwatch", "describe_alarms", {}),
    ("sns", "publish", {"TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": "m"}),  # query
    ("elbv2", "describe_listeners", {"LoadBalancerArn": "arn:lb"}),
    ("ec2", "describe_subnets", {}),  # ec2
    ("lambda", "invoke", {"FunctionName": "f", "Payload": b"{}"}),  # rest-json, a stream
    ("lambda", "get_function", {"FunctionName": "f"}),  # rest-json
]


FUNCTIONS_OWN = ("invoke", (XHTML, CUT, NOTHING))
"""What a function answers is for its caller to read; only a page of HTML is none of its."""


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "reply"),
    [
        (*call, reply)
        for call in CALLS
        for reply in (PAGE, XHTML, CUT, NOTHING, LOGIN, FORBIDDEN)
        if not (call[1] == FUNCTIONS_OWN[0] and reply in FUNCTIONS_OWN[1])
    ],
)
def test_a_strangers_answer_is_transient(
    service: str, operation: str, parameters: dict[str, Any], reply: Reply
) -> None:
    with serving(lambda *_: reply) as url, pytest.raises(Transient, match="try again"):
        getattr(client(service, url), operation)(**parameters)


def test_what_answered_is_quoted_and_not_at_length() -> None:
    with serving(lambda *_: PAGE) as url, pytest.raises(Transient) as raised:
        client("codedeploy", url).list_deployments()
    assert "not AWS answered ListDeployments (HTTP 200, text/html: '<!DOCTYPE" in str(raised.value)
    assert len(str(raised.value)) < 300


def test_a_persons_command_says_it_in_one_line() -> None:
    with (
        serving(lambda *_: PAGE) as url,
        pytest.raises(ObservationFailed, match="something that is not AWS answered"),
        in_one_line(Names("sample")),
    ):
        client("sts", url).get_caller_identity()


def test_an_answer_without_what_is_read_from_it_is_transient() -> None:
    with serving(lambda *_: Reply(b"{}")) as url:
        answer = client("codedeploy", url).get_deployment(deploymentId="d-1")
    with pytest.raises(Transient, match="answer to get_deployment has no deploymentInfo"):
        answer["deploymentInfo"]


def test_a_query_services_answer_without_its_wrapper_is_transient() -> None:
    with (
        serving(lambda *_: Reply(b"<PublishResponse/>")) as url,
        pytest.raises(Transient, match="cannot be read"),
    ):
        client("sns", url).publish(TopicArn="arn:aws:sns:us-east-1:1:t", Message="m")


def test_an_operation_that_answers_nothing_may_answer_nothing() -> None:
    with serving(lambda *_: NOTHING) as url:
        client("logs", url).create_log_stream(logGroupName="g", logStreamName="s")


def test_awss_own_refusals_pass() -> None:
    refused = Reply(b'{"__type": "DeploymentDoesNotExistException", "message": "no"}', 400)
    with (
        serving(lambda *_: refused) as url,
        pytest.raises(Exception, match="DeploymentDoesNotExistException"),
    ):
        client("codedeploy", url).get_deployment(deploymentId="d-1")
