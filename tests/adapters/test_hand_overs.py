"""Executions of the hand-over: one at a time, whoever starts, stops and resumes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import Client
from quorumshift.adapters.aws.hand_overs import HandOvers
from quorumshift.domain.raft import Colour
from quorumshift.domain.undo import ATTEMPTS, HandBack
from tests.adapters.aws_api import Api, refusal

STATES = "arn:aws:states:us-east-1:123456789012:"
MACHINE = f"{STATES}stateMachine:sample-hand-over"
GREEN = f"{STATES}execution:sample-hand-over:d-1-green"
BACK = f"{STATES}execution:sample-hand-over:d-1-blue-"


class Machine:
    """Executions in memory, with Step Functions' rules for names, redrives and their tokens.

    ``meanwhile``: is called before the operation with this number, counted from 0.
    """

    def __init__(self) -> None:
        self.executions: dict[str, dict[str, Any]] = {}
        self.tokens: set[str] = set()
        self.meanwhile: dict[int, Callable[[], object]] = {}
        self.operations = 0
        self.api = Api(
            "stepfunctions",
            start_execution=self.start,
            describe_execution=self.describe,
            redrive_execution=self.redrive,
        )
        self.ours = HandOvers(Client(lambda: self.api), MACHINE)

    def start(self, stateMachineArn: str, name: str, input: str) -> Any:
        self.interrupt()
        arn = stateMachineArn.replace(":stateMachine:", ":execution:") + ":" + name
        known = self.executions.get(arn)
        if known and (known["status"] != "RUNNING" or known["input"] != input):
            return refusal("ExecutionAlreadyExists")
        if not known:
            self.executions[arn] = {
                "executionArn": arn,
                "stateMachineArn": stateMachineArn,
                "startDate": datetime.now(UTC),
                "input": input,
                "redriveCount": 0,
            }
        self.run(arn)
        return {"executionArn": arn, "startDate": datetime.now(UTC)}

    def run(self, arn: str) -> None:
        """From now on it runs, and it alone."""
        self.executions[arn]["status"] = "RUNNING"
        assert self.running() == [arn], "two hand-overs at once"

    def running(self) -> list[str]:
        return [arn for arn, one in self.executions.items() if one["status"] == "RUNNING"]

    def describe(self, executionArn: str) -> Any:
        self.interrupt()
        return self.executions.get(executionArn) or refusal("ExecutionDoesNotExist")

    def redrive(self, executionArn: str, clientToken: str) -> Any:
        self.interrupt()
        found = self.executions[executionArn]
        if clientToken not in self.tokens:
            if found["status"] in ("RUNNING", "SUCCEEDED") or "redriveStatus" in found:
                return refusal("ExecutionNotRedrivable")
            self.tokens.add(clientToken)
            found["redriveCount"] += 1
            self.run(executionArn)
        return {"redriveDate": datetime.now(UTC)}

    def interrupt(self) -> None:
        self.operations += 1
        if act := self.meanwhile.pop(self.operations - 1, None):
            act()

    def end(self, arn: str, status: str, cause: str = "") -> None:
        self.executions[arn].update(status=status, cause=cause)


def test_the_same_question_twice_is_one_hand_over() -> None:
    machine = Machine()
    assert machine.ours.start("d-1", "hook-1", Colour.GREEN)
    assert machine.ours.start("d-1", "hook-1", Colour.GREEN)
    machine.end(GREEN, "SUCCEEDED")
    assert machine.ours.start("d-1", "hook-1", Colour.GREEN)
    assert not machine.ours.start("d-1", "hook-2", Colour.GREEN)
    assert len(machine.executions) == 1


def test_votes_are_called_home_once_at_a_time_and_a_few_times_at_most() -> None:
    machine = Machine()
    machine.ours.start("d-1", "hook-1", Colour.GREEN)
    machine.ours.hand_back("d-1")  # the one that runs turns back by itself
    assert len(machine.executions) == 1
    assert machine.ours.state("d-1") == HandBack(running=True)
    machine.end(GREEN, "FAILED", "blocked")
    assert machine.ours.state("d-1") == HandBack(running=False)
    for attempt in range(1, ATTEMPTS + 1):
        machine.ours.hand_back("d-1")
        machine.ours.hand_back("d-1")
        assert machine.ours.state("d-1").running
        machine.end(f"{BACK}{attempt}", "FAILED", f"why {attempt}")
    machine.ours.hand_back("d-1")
    assert machine.ours.state("d-1") == HandBack(False, ATTEMPTS, f"why {ATTEMPTS}")
    assert len(machine.executions) == 1 + ATTEMPTS


def test_one_that_was_stopped_is_resumed_once() -> None:
    machine = Machine()
    machine.ours.start("d-1", "hook-1", Colour.GREEN)
    machine.end(GREEN, "ABORTED")
    assert machine.ours.resume("d-1", GREEN)
    assert machine.running() == [GREEN]
    assert machine.ours.resume("d-1", GREEN), "the event came twice"
    assert machine.executions[GREEN]["redriveCount"] == 1


def test_one_that_a_person_has_redriven_runs() -> None:
    machine = Machine()
    machine.ours.start("d-1", "hook-1", Colour.GREEN)
    machine.end(GREEN, "ABORTED")
    machine.redrive(GREEN, "by hand")
    assert machine.ours.resume("d-1", GREEN)
    assert machine.executions[GREEN]["redriveCount"] == 1


def test_what_aws_does_not_redrive_is_not_resumed() -> None:
    machine = Machine()
    machine.ours.start("d-1", "hook-1", Colour.GREEN)
    machine.end(GREEN, "ABORTED")
    machine.executions[GREEN]["redriveStatus"] = "NOT_REDRIVABLE"
    assert not machine.ours.resume("d-1", GREEN)


def test_an_error_of_aws_is_not_hidden() -> None:
    machine = Machine()
    machine.ours.start("d-1", "hook-1", Colour.GREEN)
    machine.end(GREEN, "ABORTED")
    machine.api.answers["redrive_execution"] = refusal("AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        machine.ours.resume("d-1", GREEN)


def test_one_is_not_resumed_beside_or_behind_another() -> None:
    machine = Machine()
    machine.ours.start("d-1", "hook-1", Colour.GREEN)
    machine.end(GREEN, "FAILED")
    machine.ours.hand_back("d-1")
    assert not machine.ours.resume("d-1", GREEN), "another one came after it"
    assert not machine.ours.resume("d-1", f"{BACK}9"), "not one of ours"
    machine.end(f"{BACK}1", "ABORTED")
    assert not machine.ours.resume("d-1", GREEN)
    assert machine.running() == []


def test_calling_the_votes_home_resumes_what_was_stopped_before_it_starts_another() -> None:
    machine = Machine()
    machine.ours.start("d-1", "hook-1", Colour.GREEN)
    machine.end(GREEN, "ABORTED")
    machine.ours.hand_back("d-1")
    assert machine.running() == [GREEN]
    machine.end(GREEN, "ABORTED")
    for attempt in range(1, ATTEMPTS + 1):
        machine.ours.hand_back("d-1")
        assert machine.running() == [f"{BACK}{attempt}"]
        machine.end(f"{BACK}{attempt}", "ABORTED", "by hand")
        assert machine.ours.state("d-1").ended == attempt - 1, "it can be resumed"
        machine.ours.hand_back("d-1")
        assert machine.running() == [f"{BACK}{attempt}"]
        machine.end(f"{BACK}{attempt}", "ABORTED", "by hand")
        assert machine.ours.state("d-1") == HandBack(False, attempt, "by hand")
    machine.ours.hand_back("d-1")
    assert machine.running() == []


def test_an_attempt_that_aws_will_not_redrive_has_ended() -> None:
    machine = Machine()
    machine.ours.hand_back("d-1")
    machine.end(f"{BACK}1", "ABORTED", "by hand")
    machine.executions[f"{BACK}1"]["redriveStatus"] = "NOT_REDRIVABLE"
    assert machine.ours.state("d-1") == HandBack(False, 1, "by hand")
    machine.ours.hand_back("d-1")
    assert machine.running() == [f"{BACK}2"]


@pytest.mark.parametrize("at", range(12))
@pytest.mark.parametrize("dead", [GREEN, f"{BACK}1"])
@pytest.mark.parametrize("first", ["resume", "hand back"])
def test_watchdog_and_roll_back_never_run_two_at_once(at: int, dead: str, first: str) -> None:
    """Both act on the same end, one of them between any two calls of the other."""
    machine = Machine()
    machine.ours.start("d-1", "hook-1", Colour.GREEN)
    if dead != GREEN:
        machine.end(GREEN, "FAILED")
        machine.ours.hand_back("d-1")
    machine.end(dead, "ABORTED")
    acts: list[Callable[[], object]] = [
        lambda: machine.ours.resume("d-1", dead),
        lambda: machine.ours.hand_back("d-1"),
    ]
    if first == "hand back":
        acts.reverse()
    machine.operations = 0
    machine.meanwhile[at] = acts[1]
    acts[0]()
    if machine.meanwhile:  # it was over before
        acts[1]()
    assert machine.running() == [dead]
    assert machine.executions[dead]["redriveCount"] == 1
