"""What Step Functions answers, read alike from an SDK and from the AWS CLI."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from quorumshift.adapters.aws.history import read_event, read_execution, seconds
from quorumshift.domain.chronicle import Event, Mark


@pytest.mark.parametrize(
    "written",
    [
        1795416299.25,
        datetime(2026, 11, 23, 6, 44, 59, 250_000, UTC),
        "2026-11-23T06:44:59.250000+00:00",
        "2026-11-23T07:44:59.250+01:00",
        "2026-11-23T06:44:59.250Z",
    ],
)
def test_times_are_read_as_an_sdk_and_any_aws_cli_write_them(written: Any) -> None:
    assert seconds(written) == 1795416299.25


def event(kind: str, **details: Any) -> Event | None:
    return read_event({"id": 7, "type": kind, "timestamp": 1.5, **details})


def test_a_state_left_has_the_data_that_it_left() -> None:
    left = {"name": "PollBuild", "output": '{"build": {"status": "running"}}'}
    assert event("TaskStateExited", stateExitedEventDetails=left) == Event(
        7, 1.5, Mark.LEFT, "PollBuild", {"build": {"status": "running"}}
    )


@pytest.mark.parametrize("output", ['{"build": {"sta', "[1]", None])
def test_data_that_was_cut_off_is_no_data(output: Any) -> None:
    found = event("TaskStateExited", stateExitedEventDetails={"name": "X", "output": output})
    assert found is not None
    assert found.document == {}


@pytest.mark.parametrize(
    ("kind", "mark", "error"),
    [
        ("LambdaFunctionTimedOut", Mark.STUMBLED, "LambdaFunctionTimedOut"),
        ("ExecutionTimedOut", Mark.ENDED, ""),
        ("ExecutionAborted", Mark.ENDED, ""),
    ],
)
def test_an_event_without_an_error_is_named_where_it_is_a_try(
    kind: str, mark: Mark, error: str
) -> None:
    assert event(kind) == Event(7, 1.5, mark, error=error)


def test_lambdas_wrapping_is_taken_off() -> None:
    cause = '{"errorMessage": "nobody answers", "errorType": "Transient"}'
    failed = event(
        "LambdaFunctionFailed", lambdaFunctionFailedEventDetails={"error": "T", "cause": cause}
    )
    assert failed == Event(7, 1.5, Mark.STUMBLED, error="T", cause="nobody answers")


def test_a_redrive_tells_its_number() -> None:
    details = {"redriveCount": 2}
    assert event("ExecutionRedriven", executionRedrivenEventDetails=details) == Event(
        7, 1.5, Mark.REDRIVEN, count=2
    )


@pytest.mark.parametrize("kind", ["LambdaFunctionScheduled", "TaskSucceeded", "FromTomorrow"])
def test_what_says_nothing_is_left_out(kind: str) -> None:
    assert event(kind) is None


def test_an_execution_is_the_same_from_an_sdk_and_from_the_cli() -> None:
    plain = {"executionArn": "arn:e", "name": "e", "status": "FAILED", "input": '{"image": "v2"}'}
    end = {"error": "AlarmRang", "cause": "it rang"}
    sdk = {"startDate": datetime.fromtimestamp(5, UTC), "stopDate": datetime.fromtimestamp(9, UTC)}
    cli = {"startDate": "1970-01-01T00:00:05Z", "stopDate": 9.0}
    read = read_execution({**plain, **end, **sdk})
    assert read == read_execution({**plain, **end, **cli})
    assert (read.started, read.stopped, read.request) == (5.0, 9.0, {"image": "v2"})
