"""The GitHub action, with the real AWS CLI, where a proxy answers for AWS."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quorumshift.cli import action
from quorumshift.cli.action_aws import CallFailed, call
from quorumshift.cli.exit_codes import ExitCode
from tests.adapters.loopback import DROPPED, PAGE, Reply, serving

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:sample-deploy"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:sample-deploy:github-1-job"
DESCRIBED = {
    "executionArn": EXECUTION,
    "stateMachineArn": MACHINE,
    "name": "github-1-job",
    "status": "SUCCEEDED",
    "startDate": 1.0,
    "stopDate": 2.0,
    "input": "{}",
}
AWS = {
    "StartExecution": {"executionArn": EXECUTION, "startDate": 1.0},
    "DescribeExecution": DESCRIBED,
    "GetExecutionHistory": {
        "events": [
            {
                "timestamp": 1.0,
                "type": "PassStateEntered",
                "id": 1,
                "stateEnteredEventDetails": {"name": "Deployed"},
            }
        ]
    },
}


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "HOME": str(tmp_path),
        "QUORUMSHIFT_STATE_MACHINE": MACHINE,
        "QUORUMSHIFT_EVERY_SECONDS": "0.01",
        "GITHUB_RUN_ID": "1",
        "GITHUB_JOB": "job",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield tmp_path
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("reply", [PAGE, DROPPED], ids=["html", "dropped"])
def test_success_without_an_answer_is_a_failed_call(
    runner: Path, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    with serving(lambda *_: reply) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(CallFailed) as raised:
            call("describe-execution", execution_arn=EXECUTION)
    assert raised.value.passing
    assert not raised.value.code


def test_a_page_in_between_is_waited_out(
    runner: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt = {"StartExecution", "GetExecutionHistory"}

    def answer(operation: str, body: bytes) -> Reply:
        if operation in spoilt:
            spoilt.remove(operation)
            return PAGE
        return Reply(json.dumps(AWS[operation]).encode())

    with serving(answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert action.main() == ExitCode.DEPLOYED
    assert (runner / "summary").read_text().startswith("## ✅ Deployed")


def test_where_nothing_else_comes_it_is_not_said_that_nothing_was_started(
    runner: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(action, "PATIENCE", 1)
    with serving(lambda *_: PAGE) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert action.main() == ExitCode.BROKEN
    summary = (runner / "summary").read_text()
    assert "printed nothing for start-execution" in summary
    assert "Whether it was started is not known." in summary
    assert f"stop-execution --execution-arn {EXECUTION}" in summary
