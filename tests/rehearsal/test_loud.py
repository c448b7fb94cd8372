"""What the embedded AWS does not do ends in an error, in every protocol, and is told."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from quorumshift.rehearsal.aws.loud import MISSING, refuse
from quorumshift.rehearsal.aws.server import EmbeddedAws, Gate
from quorumshift.rehearsal.world import World


@pytest.mark.parametrize(
    ("service", "method", "arguments"),
    [
        ("codebuild", "retry_build", {"id": "x"}),
        ("ec2", "describe_fpga_images", {}),
        (
            "cloudformation",
            "describe_stack_drift_detection_status",
            {"StackDriftDetectionId": "x" * 36},
        ),
        ("lambda", "list_code_signing_configs", {}),
    ],
)
def test_missing_operations(
    world: World, service: str, method: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(world.client(service), method)(**arguments)
    answer = caught.value.response
    assert answer["Error"]["Code"] == MISSING
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    name = caught.value.operation_name
    assert f"{service}:{name} is not part of the rehearsal" in answer["Error"]["Message"]
    told = [event for event in world.events.all("error") if event.data.get("operation") == name]
    assert told
    assert told[-1].data["service"] == service


def test_an_error_inside_is_no_internal_failure(
    aws: EmbeddedAws, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status 500 would be retried, and read as an outage of AWS."""

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr("moto.sqs.responses.SQSResponse.list_queues", broken)
    with pytest.raises(ClientError) as caught:
        world.client("sqs").list_queues()
    assert caught.value.response["Error"]["Code"] == "RehearsalBroke"
    assert "ZeroDivisionError: a bug of ours" in str(caught.value)
    assert "a bug of ours" in (world.directory / "aws.log").read_text()


def test_what_is_not_found_stays_not_found(world: World) -> None:
    with pytest.raises(ClientError) as caught:
        world.client("lambda").get_function(FunctionName="no-such-function")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
    with pytest.raises(ClientError) as caught:
        world.client("s3").head_object(Bucket="no-such-bucket", Key="x")
    assert caught.value.response["Error"]["Code"] == "404"


@pytest.mark.parametrize(
    ("environ", "service", "expected"),
    [
        ({"HTTP_X_AMZ_TARGET": "A.B"}, "ecs", b'"__type": "Code"'),
        (
            {"CONTENT_TYPE": "application/x-www-form-urlencoded"},
            "sns",
            b"<ErrorResponse><Error><Type>Sender</Type><Code>Code</Code>",
        ),
        (
            {"CONTENT_TYPE": "application/x-www-form-urlencoded"},
            "ec2",
            b"<Response><Errors><Error><Code>Code</Code>",
        ),
        ({}, "s3", b"<Error><Code>Code</Code><Message>a &lt; b</Message></Error>"),
        ({}, "scheduler", b'"message": "a < b"'),
    ],
)
def test_the_error_speaks_the_callers_protocol(
    environ: dict[str, str], service: str, expected: bytes
) -> None:
    status, _, body = refuse(environ, service, "Code", "a < b")
    assert status == 400
    assert expected in body


def test_the_gate_is_what_the_server_serves(aws: EmbeddedAws) -> None:
    assert isinstance(aws._server.app, Gate)


def test_a_rule_that_would_never_fire(world: World) -> None:
    with pytest.raises(ClientError, match="rules do not fire on a schedule here"):
        world.client("events").put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")


def test_a_target_that_nothing_delivers_to(world: World) -> None:
    events = world.client("events")
    events.put_rule(Name="to-nowhere", EventPattern='{"source": ["x"]}')
    with pytest.raises(ClientError, match="targets can be lambda, logs, sns, sqs, states"):
        events.put_targets(
            Rule="to-nowhere",
            Targets=[{"Id": "1", "Arn": "arn:aws:kinesis:us-east-1:123456789012:stream/x"}],
        )


def test_filter_patterns_that_moto_would_ignore(world: World) -> None:
    logs = world.client("logs")
    logs.create_log_group(logGroupName="filtered")
    logs.create_log_stream(logGroupName="filtered", logStreamName="one")
    now = int(time.time() * 1000)
    logs.put_log_events(
        logGroupName="filtered",
        logStreamName="one",
        logEvents=[{"timestamp": now, "message": message} for message in ("one", "two")],
    )
    with pytest.raises(ClientError, match=r"filter pattern '\{ \$\.n = 1 \}'"):
        logs.filter_log_events(logGroupName="filtered", filterPattern="{ $.n = 1 }")
    for pattern, expected in (('"two"', ["two"]), ("one", ["one"]), ("", ["one", "two"])):
        found = logs.filter_log_events(logGroupName="filtered", filterPattern=pattern)["events"]
        assert [event["message"] for event in found] == expected
