"""What one end of a seam writes is what the other end reads: both ends are the real ones."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from quorumshift.domain.asked import Asked
from quorumshift.domain.raft import Colour
from quorumshift.domain.rollout import Progress
from quorumshift.names import HAND_OVER_STATES
from tasks import (
    act,
    answer_failed,
    answer_succeeded,
    create_deployment,
    notify_rolled_back,
    notify_rolling_back,
    notify_started,
    notify_succeeded,
    observe,
    plan,
    poll_deployment,
    poll_rollback,
    reconcile,
    register_task_definition,
    stop_deployment,
    validate_request,
    verify_outcome,
    verify_raft,
    verify_rollback,
    watchdog,
)
from tasks.hooks import after_allow_traffic
from tests.tasks.aws import DEFINITION, EXECUTION, SETTINGS, MemoryAws
from tests.tasks.test_hooks import EVENT
from tests.tasks.test_reconcile import replace_task
from tests.tasks.test_watchdog import changed, create
from tests.usecases.service import DEPLOYMENT

GREEN, BACK = f"{DEPLOYMENT}-green", f"{DEPLOYMENT}-blue-1"
LATER = {"ofANewerWriter": [1, {"deep": None}]}


def execution(aws: MemoryAws, name: str, newer: bool = False, most: int = 300) -> dict[str, Any]:
    """The loop of ``hand_over`` from the input that an execution was started with. ``newer``: each
    state is of a newer version than the next, and tells more at every depth."""
    state: dict[str, Any] = json.loads(aws.inputs[name])

    def enter(key: str, handler: Any) -> None:
        told = json.loads(json.dumps(handler(state, None)))
        state[key] = more(told) if newer else told

    for _ in range(most):
        enter("observation", observe.handler)
        enter("plan", plan.handler)
        if state["plan"]["decision"] in ("done", "blocked"):
            return state
        if state["plan"]["decision"] == "step":
            enter("act", act.handler)
        aws.service.clock.sleep(state["plan"]["settleSeconds"])
    raise AssertionError(f"no end: {state['plan']}")


def more(told: Any) -> Any:
    if isinstance(told, dict):
        return {**{key: more(value) for key, value in told.items()}, **LATER}
    return [more(value) for value in told] if isinstance(told, list) else told


@pytest.mark.parametrize("newer", [False, True])
def test_the_hooks_question_is_the_one_that_is_answered(aws: MemoryAws, newer: bool) -> None:
    after_allow_traffic.handler(EVENT, None)
    state = execution(aws, GREEN, newer)
    assert state["plan"]["goal"] == "green"
    assert answer_succeeded.handler(state, None)["answered"]
    assert aws.answers == [("hook-1", "Succeeded")]


@pytest.mark.parametrize("newer", [False, True])
def test_a_rollout_that_was_stopped_meanwhile_is_answered_no(aws: MemoryAws, newer: bool) -> None:
    after_allow_traffic.handler(EVENT, None)
    aws.service.stop(DEPLOYMENT)
    state = execution(aws, GREEN, newer)
    assert answer_failed.handler(state, None)["answered"]
    assert aws.answers == [("hook-1", "Failed")]
    assert aws.service.locked == set()


def test_the_watchdog_answers_the_question_of_a_hand_over_that_died(aws: MemoryAws) -> None:
    after_allow_traffic.handler(EVENT, None)
    aws.executions[GREEN] = "FAILED"
    died = {"executionArn": f"arn:{GREEN}", "input": aws.inputs[GREEN]}
    watchdog.handler(changed(SETTINGS.hand_over, "FAILED", **died), None)
    assert aws.answers == [("hook-1", "Failed")]


def test_votes_that_the_watchdog_calls_home_come_home_and_nobody_is_answered(
    aws: MemoryAws,
) -> None:
    create(aws)
    watchdog.handler(changed(SETTINGS.deploy, "ABORTED"), None)
    state = execution(aws, BACK)
    assert answer_failed.handler(state, None)["handedBack"]
    assert aws.service.voters() == {"b1", "b2", "b3"}
    assert aws.answers == []


def test_between_deployments_the_votes_follow_and_nobody_is_answered(aws: MemoryAws) -> None:
    for address in [each for each in aws.service.tasks if each.startswith("g")]:
        del aws.service.tasks[address]
    replace_task(aws, "b2", "b4")
    name = reconcile.handler({"id": "e-1"}, None)["started"]
    state = execution(aws, name)
    assert "deploymentId" not in state
    assert answer_failed.handler(state, None)["handedBack"]
    assert aws.service.voters() == {"b1", "b3", "b4"}
    assert aws.answers == []


@pytest.mark.parametrize(
    "asked",
    [
        Asked("d-1", "h-1", Colour.GREEN),
        Asked("d-1", "", Colour.BLUE),
        Asked(goal=Colour.BLUE),
        Asked("d-1"),
        Asked(),
    ],
)
def test_what_is_asked_survives_the_trip(asked: Asked) -> None:
    assert Asked.read({**json.loads(asked.text()), **LATER}) == asked


@pytest.mark.parametrize("goal", ["red", 1, ["green"], None])
def test_a_goal_that_is_none_is_not_guessed_and_can_be_answered_for(
    aws: MemoryAws, goal: Any
) -> None:
    asked = {**json.loads(Asked(DEPLOYMENT, "hook-1").text()), "goal": goal}
    state = {**asked, "observation": observe.handler(asked, None)}
    with pytest.raises(ValueError, match="has no goal; give green or blue"):
        plan.handler(state, None)
    failure = {"Error": "ValueError", "Cause": json.dumps({"errorMessage": "no goal"})}
    assert answer_failed.handler({**state, "failure": failure}, None)["answered"]
    assert aws.answers == [("hook-1", "Failed")]


class Deploying:
    """The state of ``deploy``, which grows by what each handler tells. ``newer``: see above."""

    def __init__(self, newer: bool) -> None:
        self.newer = newer
        given = {"input": {"image": "v2", "initiator": "me"}, "execution": EXECUTION}
        self.state: dict[str, Any] = self._told(validate_request.handler(given, None))

    def enter(self, key: str, handler: Any) -> dict[str, Any]:
        self.state[key] = self._told(handler(self.state, None))
        return dict(self.state[key])

    def _told(self, value: Any) -> Any:
        told = json.loads(json.dumps(value))
        return more(told) if self.newer else told


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("stopped", [False, True])
def test_each_state_of_deploy_reads_what_those_before_it_wrote(
    aws: MemoryAws, newer: bool, stopped: bool
) -> None:
    aws.apis["ecs"].answers["register_task_definition"] = {
        "taskDefinition": {"taskDefinitionArn": f"{DEFINITION}12"}
    }
    deploy = Deploying(newer)
    deploy.enter("revision", register_task_definition.handler)
    deploy.enter("verification", verify_raft.handler)
    deploy.enter("deployment", create_deployment.handler)
    deploy.enter("told", notify_started.handler)
    for _ in range(2):
        found = deploy.enter("observation", poll_deployment.handler)
        assert found["meaning"]["decision"] == "wait"
    if not stopped:
        aws.service.rollout = replace(aws.service.rollout, progress=Progress.SUCCEEDED)
        assert deploy.enter("observation", poll_deployment.handler)["meaning"]["decision"] == (
            "succeeded"
        )
        deploy.enter("outcome", verify_outcome.handler)
        deploy.enter("told", notify_succeeded.handler)
        assert aws.messages[-1][0] == "sample: deployed"
        return
    assert deploy.enter("stopped", stop_deployment.handler)["wasRunning"]
    deploy.enter("observation", poll_deployment.handler)
    deploy.enter("told", notify_rolling_back.handler)
    for address in ("g1", "g2", "g3"):
        aws.service.kill(address)
    for _ in range(2):
        found = deploy.enter("rollback", poll_rollback.handler)
    assert found["decision"] == "done"
    assert deploy.enter("outcome", verify_rollback.handler)["error"] == "StoppedByRequest"
    deploy.enter("told", notify_rolled_back.handler)
    assert aws.messages[-1][0].startswith("sample: rolled back")


def test_every_state_of_the_hand_over_takes_part_here() -> None:
    assert {"Observe", "Plan", "Act", "AnswerSucceeded", "AnswerFailed"} == set(HAND_OVER_STATES)
