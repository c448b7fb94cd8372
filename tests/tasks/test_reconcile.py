"""Between deployments: a task is lost, ECS starts another, and the vote follows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from quorumshift.domain.raft import Colour, Task
from tasks import act, answer_failed, observe, plan, reconcile
from tests.adapters.aws_api import refusal
from tests.tasks.aws import SETTINGS, MemoryAws

BLUE = {"goal": "blue"}
EVENT = {"id": "e-1", "detail-type": "ECS Task State Change"}


@pytest.fixture
def between(aws: MemoryAws) -> MemoryAws:
    """No deployment, and no green."""
    for address in [each for each in aws.service.tasks if each.startswith("g")]:
        del aws.service.tasks[address]
    return aws


def replace_task(aws: MemoryAws, lost: str, started: str) -> None:
    aws.service.kill(lost)
    aws.service.tasks[started] = Task(f"arn:{started}", started, Colour.BLUE, ready=True)


def execution(aws: MemoryAws, most: int = 300) -> dict[str, Any]:
    """The loop of hand_over, as the state machine runs it, to the answer."""
    state: dict[str, Any] = dict(BLUE)
    for _ in range(most):
        state["observation"] = observe.handler(state, None)
        state["plan"] = plan.handler(state, None)
        state = json.loads(json.dumps(state))
        if state["plan"]["decision"] in ("done", "blocked"):
            return {**state, "answer": answer_failed.handler(state, None)}
        if state["plan"]["decision"] == "step":
            state["act"] = act.handler(state, None)
        aws.service.clock.sleep(state["plan"]["settleSeconds"])
    raise AssertionError(f"no end: {state['plan']}")


@pytest.mark.parametrize("lost", ["b1", "b2"], ids=["leader", "follower"])
def test_the_vote_of_a_lost_task_goes_to_the_one_in_its_place(
    between: MemoryAws, lost: str
) -> None:
    replace_task(between, lost, "b4")
    name = reconcile.handler(EVENT, None)["started"]
    assert between.executions == {name: "RUNNING"}
    state = execution(between)
    assert between.service.voters() == {"b1", "b2", "b3", "b4"} - {lost}
    assert state["answer"]["handedBack"]
    assert between.service.locked == set()
    assert between.messages == []
    again = reconcile.handler(EVENT, None)
    assert again == {"started": "", "reason": "The serving tasks vote, and nobody else."}


def test_the_same_picture_is_one_execution(
    between: MemoryAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_task(between, "b2", "b4")
    (name,) = {reconcile.handler(EVENT, None)["started"]}
    # as ListExecutions may tell when two come at once
    none: dict[str, Any] = {"executions": []}
    monkeypatch.setitem(between.apis["stepfunctions"].answers, "list_executions", none)
    assert reconcile.handler(EVENT, None)["started"] == ""
    assert list(between.executions) == [name]


def test_while_an_execution_moves_votes_no_other_does(between: MemoryAws) -> None:
    replace_task(between, "b2", "b4")
    between.executions["d-9-blue-1"] = "RUNNING"
    assert reconcile.handler(EVENT, None)["started"] == ""
    assert list(between.executions) == ["d-9-blue-1"]


def test_during_a_deployment_the_votes_are_its_own(between: MemoryAws) -> None:
    replace_task(between, "b2", "b4")
    between.description = "somebody's"
    found = reconcile.handler(EVENT, None)
    assert (found["started"], between.executions) == ("", {})
    assert "under way" in found["reason"]


def test_a_deployment_that_begins_meanwhile_ends_it_and_keeps_its_locks(
    between: MemoryAws,
) -> None:
    replace_task(between, "b2", "b4")
    between.description = "somebody's"
    between.service.lock(["arn:b1", "arn:b3"], 60)
    state = execution(between)
    assert "under way" in state["plan"]["reason"]
    assert between.service.voters() == {"b1", "b2", "b3"}
    assert between.service.locked == {"b1", "b3"}


def silence(aws: MemoryAws, address: str, *, up: bool = False) -> None:
    node = aws.service.cluster.at(address)
    assert node is not None
    node.up = up


def test_a_voter_whose_task_runs_keeps_its_vote_however_long_it_is_silent(
    between: MemoryAws,
) -> None:
    silence(between, "b3")
    replace_task(between, "b2", "b4")  # and now the quorum is lost
    state = execution(between, most=2000)
    assert {"b1", "b3"} <= between.service.voters()
    assert state["plan"]["decision"] == "blocked"
    ((subject, message),) = between.messages
    assert "the votes need a person" in subject
    assert "quorum" in message


def test_a_silent_voter_is_told_within_the_settle_deadline_and_once(between: MemoryAws) -> None:
    silence(between, "b3")
    name = reconcile.handler(EVENT, None)["started"]
    assert name
    began = between.service.clock.now()
    state = execution(between)
    took = between.service.clock.now() - began
    assert state["plan"]["decision"] == "blocked"
    deadline = SETTINGS.policy.settle_deadline_seconds
    assert deadline <= took < deadline + 15
    ((_, message),) = between.messages
    assert "1 of 3 voters does not answer (b3): tolerance is 0" in message
    between.executions[name] = "FAILED"
    assert reconcile.handler(EVENT, None)["started"] == ""
    assert between.service.voters() == {"b1", "b2", "b3"}


def test_a_voter_that_was_silent_for_a_moment_is_not_told_and_may_be_told_later(
    between: MemoryAws,
) -> None:
    silence(between, "b3")
    name = reconcile.handler(EVENT, None)["started"]
    silence(between, "b3", up=True)
    assert execution(between)["plan"]["decision"] == "done"
    between.executions[name] = "SUCCEEDED"
    assert between.messages == []
    silence(between, "b3")
    assert reconcile.handler(EVENT, None)["started"] == f"{name}-2"


def test_a_voter_whose_task_is_not_listed_for_a_moment_keeps_its_vote(
    between: MemoryAws,
) -> None:
    task = between.service.tasks.pop("b3")  # ECS's list is a moment old
    state: dict[str, Any] = dict(BLUE)
    for _ in range(3):
        state["observation"] = observe.handler(state, None)
        state["plan"] = plan.handler(state, None)
        if state["plan"]["decision"] == "step":
            assert state["plan"]["plan"]["step"]["kind"] in ("lock", "release")
            state["act"] = act.handler(state, None)
    between.service.tasks["b3"] = task
    execution(between)
    assert between.service.voters() == {"b1", "b2", "b3"}


def test_people_are_told_of_what_cannot_be_put_in_order(between: MemoryAws) -> None:
    between.service.kill("b3")
    between.service.size = 2  # and nobody starts another
    assert reconcile.handler(EVENT, None)["started"] == ""
    ((subject, message),) = between.messages
    assert subject == "sample: the votes need a person"
    assert "asks at least 3" in message
    assert "Run more tasks" in message


def test_who_starts_it_must_not_hide_that_it_cannot(
    between: MemoryAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_task(between, "b2", "b4")
    api = between.apis["stepfunctions"]
    monkeypatch.setitem(api.answers, "start_execution", lambda **_: refusal("AccessDenied"))
    with pytest.raises(Exception, match="AccessDenied"):
        reconcile.handler(EVENT, None)
