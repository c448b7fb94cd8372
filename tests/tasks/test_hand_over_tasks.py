"""The tasks of ``hand_over`` in the order in which the state machine calls them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from quorumshift.domain.data import to_json
from quorumshift.domain.look import look_from
from quorumshift.domain.rollout import Progress
from quorumshift.domain.rollout_facts import WAS_STOPPED
from tasks import act, answer_failed, answer_succeeded, observe, plan
from tests.adapters.aws_api import refusal
from tests.tasks.aws import MemoryAws
from tests.usecases.service import DEPLOYMENT

ASKED = {"deploymentId": DEPLOYMENT, "lifecycleEventHookExecutionId": "hook-1", "goal": "green"}


def run(aws: MemoryAws, state: dict[str, Any], most: int = 200) -> dict[str, Any]:
    """Observe, plan, act, settle; payloads as JSON, as the state machine passes them on."""
    for _ in range(most):
        state["observation"] = observe.handler(state, None)
        state["plan"] = plan.handler(state, None)
        state = json.loads(json.dumps(state))
        if state["plan"]["decision"] in ("done", "blocked"):
            return state
        if state["plan"]["decision"] == "step":
            state["act"] = act.handler(state, None)
        aws.service.clock.sleep(state["plan"]["settleSeconds"])
    raise AssertionError(f"no end: {state['plan']}")


@pytest.mark.parametrize("event", [{}, ASKED])
@pytest.mark.parametrize("running", [True, False])
def test_what_observe_answers_is_what_everybody_reads(
    event: dict[str, Any], running: bool, aws: MemoryAws
) -> None:
    """The function's own answer, read by whoever asks it from outside and by the states."""
    aws.description = "a deployment" if running else None
    told = json.loads(json.dumps(observe.handler(event, None)))
    look = look_from(told)
    assert look.busy == (DEPLOYMENT if running and not event else "")
    assert to_json(look) == told
    newer = {**told, "ofANewerFunction": [1]}
    assert look_from(newer) == look
    for observation in (told, newer):
        state = {**ASKED, "observation": observation}
        assert plan.handler(state, None)["decision"] == "step"


def test_green_gets_the_votes_and_codedeploy_its_answer(aws: MemoryAws) -> None:
    state = run(aws, dict(ASKED))
    assert state["plan"]["goal"] == "green"
    answer = answer_succeeded.handler(state, None)
    assert aws.answers == [("hook-1", "Succeeded")]
    (line,) = aws.evidence
    left = json.loads(line)
    assert answer == {"answered": True, "reason": left["reason"]}
    assert (left["name"], left["passed"]) == ("AfterAllowTraffic", True)
    assert left["evidence"]["voters"] == ["g1", "g2", "g3"]


@pytest.mark.parametrize("refused", [False, True])
def test_before_yes_is_said_every_vote_is_locked_that_ecs_lets_us_lock(
    refused: bool, aws: MemoryAws
) -> None:
    """Else a stop, while CodeDeploy still waits to end blue, ends green's third vote."""
    state = run(aws, dict(ASKED))
    assert len(aws.service.locked) == 2
    if refused:
        aws.apis["ecs"].answers["update_task_protection"] = refusal("ThrottlingException")
    assert answer_succeeded.handler(state, None)["answered"]
    assert aws.answers == [("hook-1", "Succeeded")]
    assert len(aws.service.locked & aws.service.voters()) == (2 if refused else 3)


def test_yes_is_not_said_while_blue_is_needed(aws: MemoryAws) -> None:
    answer = answer_succeeded.handler(dict(ASKED), None)
    assert not answer["answered"]
    assert "blue" in answer["reason"]
    assert aws.answers == []


def test_yes_is_not_said_to_a_rollout_that_was_stopped(aws: MemoryAws) -> None:
    state = run(aws, dict(ASKED))
    aws.service.stop(DEPLOYMENT)
    assert answer_succeeded.handler(state, None)["reason"] == "the rollout was stopped"
    state = run(aws, state)
    assert state["plan"]["goal"] == "blue"
    assert aws.service.voters() == {"b1", "b2", "b3"}
    answer = answer_failed.handler(state, None)
    assert (answer["error"], answer["handedBack"]) == ("HandedBack", False)
    assert aws.answers == [("hook-1", "Failed")]
    left = json.loads(aws.evidence[0])
    assert "the rollout was stopped" in left["reason"]
    assert left["consequence"], "the stop is the cause, not this no"
    assert aws.service.locked == set(), "who followed the rollout may be gone"


def test_locks_are_kept_while_somebody_waits_for_the_no(aws: MemoryAws) -> None:
    """CodeDeploy goes back only now, and the execution that follows it gives them back after."""
    state = run(aws, {**ASKED, "goal": "blue"})
    locked = set(aws.service.locked)
    assert len(locked) == 2, "a quorum of blue"
    answer_failed.handler(state, None)
    assert aws.answers == [("hook-1", "Failed")]
    assert aws.service.locked == locked


def test_votes_that_were_called_home_end_well_and_without_locks(aws: MemoryAws) -> None:
    run(aws, dict(ASKED))
    aws.service.stop(DEPLOYMENT)
    back = {**ASKED, "lifecycleEventHookExecutionId": "", "goal": "blue"}
    state = run(aws, back)
    assert aws.service.voters() == {"b1", "b2", "b3"}
    answer = answer_failed.handler(state, None)
    assert answer["handedBack"]
    assert not answer["answered"]
    assert aws.answers == []
    assert aws.service.locked == set()


def test_a_task_that_failed_is_the_reason_for_the_no(aws: MemoryAws) -> None:
    caught = {"Error": "MissingResource", "Cause": json.dumps({"errorMessage": "no service"})}
    answer = answer_failed.handler({**ASKED, "failure": caught}, None)
    assert (answer["error"], answer["cause"]) == ("MissingResource", "no service")
    assert aws.answers == [("hook-1", "Failed")]
    left = json.loads(aws.evidence[0])
    assert "the votes were not handed back" in left["reason"]
    assert not left["consequence"]


def test_a_refused_step_is_told_and_not_raised(aws: MemoryAws) -> None:
    state: dict[str, Any] = dict(ASKED)
    for _ in range(50):
        state["observation"] = observe.handler(state, None)
        state["plan"] = plan.handler(state, None)
        step = state["plan"]["plan"]["step"]
        if step and step["kind"] == "admit":
            break
        state["act"] = act.handler(state, None)
    aws.service.cluster.nodes["2"].since = 1e9  # it never is connected for long enough
    assert "too young" in act.handler(state, None)["refused"]
    with pytest.raises(AssertionError, match="no end"):
        run(aws, state, most=1)


def test_a_step_is_for_the_rollout_that_it_was_planned_for(aws: MemoryAws) -> None:
    state: dict[str, Any] = dict(ASKED)
    state["observation"] = observe.handler(state, None)
    state["plan"] = plan.handler(state, None)
    aws.service.stop(DEPLOYMENT)
    refused = act.handler(state, None)["refused"]
    assert refused == f"since the look {DEPLOYMENT} has ended: stopped"
    assert aws.service.locked == set()


def test_a_refusal_is_remembered_and_what_aws_did_not_answer_is_none(aws: MemoryAws) -> None:
    state: dict[str, Any] = dict(ASKED)
    state["observation"] = observe.handler(state, None)
    state["plan"] = plan.handler(state, None)
    without = plan.handler(state, None)
    refused = plan.handler({**state, "act": {"refused": "too young"}}, None)
    unanswered = plan.handler({**state, "act": {"Error": "Transient", "Cause": "late"}}, None)
    assert unanswered == without
    assert [one["why"] for one in refused["memory"]["refusals"]] == ["too young"]


def test_who_was_called_home_waits_until_the_rollout_has_stopped(aws: MemoryAws) -> None:
    """The locks can be given back only then, and nobody waits for an answer."""
    asked = {**ASKED, "goal": "blue"}
    home = run(aws, dict(asked))
    called = {**home, "lifecycleEventHookExecutionId": ""}
    decisions = {}
    for name, state in (("asked", home), ("called", called)):
        state["observation"] = observe.handler(state, None)
        decisions[name] = plan.handler(state, None)["decision"]
    assert decisions == {"asked": "done", "called": "wait"}
    aws.service.stop(DEPLOYMENT)
    called["observation"] = observe.handler(called, None)
    assert plan.handler(called, None)["decision"] == "done"


def test_between_rollouts_none_may_have_begun_since_the_look(aws: MemoryAws) -> None:
    aws.service.stop(DEPLOYMENT)
    state: dict[str, Any] = {"goal": "blue"}
    state["observation"] = observe.handler(state, None)
    state["plan"] = plan.handler(state, None)
    state["plan"] = {
        **state["plan"],
        "plan": plan.handler({**ASKED, "observation": state["observation"]}, None)["plan"],
    }
    aws.description = "a deployment"
    aws.service.rollout = replace(aws.service.rollout, progress=Progress.RUNNING)
    assert act.handler(state, None)["refused"] == f"{DEPLOYMENT} came or went since the look"
    assert aws.service.locked == set()


def test_what_was_done_before_a_state_failed_is_not_said_to_be_done(aws: MemoryAws) -> None:
    """The votes may have moved since."""
    done = {"decision": "done", "goal": "blue", "reason": "The goal votes.", "turned": "late"}
    caught = {"Error": "MissingResource", "Cause": json.dumps({"errorMessage": "no service"})}
    home = {**ASKED, "goal": "blue", "plan": done}
    answer = answer_failed.handler({**home, "failure": caught}, None)
    assert (answer["error"], answer["handedBack"]) == ("MissingResource", False)
    assert "(the votes were not handed back)" in json.loads(aws.evidence[0])["reason"]
    assert answer_failed.handler(home, None) == {
        "answered": True,
        "error": "HandedBack",
        "cause": "late",
        "handedBack": True,
    }
    asked_for = {**home, "plan": {**done, "turned": ""}}
    assert answer_failed.handler(asked_for, None)["cause"] == "The goal votes."
    green = answer_failed.handler({**home, "goal": "green"}, None)
    assert not green["handedBack"], "a way to green is not home"


@pytest.mark.parametrize(
    ("decision", "hook", "stopped", "given_back"),
    [
        pytest.param("done", "", False, True, id="home-and-nobody-asked"),
        pytest.param("done", "hook-1", True, True, id="home-and-stopped-so-nobody-listens"),
        pytest.param("done", "hook-1", False, False, id="who-asked-gives-them-back"),
        pytest.param("blocked", "", True, False, id="not-home"),
    ],
)
def test_locks_are_given_back_when_the_votes_are_home_and_nobody_else_does(
    aws: MemoryAws, decision: str, hook: str, stopped: bool, given_back: bool
) -> None:
    aws.service.lock(["arn:b1"], 120)
    aws.service.stop(DEPLOYMENT)
    asked = {**ASKED, "goal": "blue", "lifecycleEventHookExecutionId": hook}
    plan = {"decision": decision, "goal": "blue", "reason": "as it is"}
    answer_failed.handler({**asked, "plan": plan, "observation": {"stopped": stopped}}, None)
    assert (aws.service.locked == set()) is given_back


def test_an_execution_that_saw_nothing_gives_no_locks_back(aws: MemoryAws) -> None:
    aws.service.lock(["arn:b1"], 120)
    aws.service.stop(DEPLOYMENT)
    plan = {"decision": "done", "goal": "blue", "reason": "as it is"}
    answer_failed.handler({**ASKED, "goal": "blue", "plan": plan}, None)
    assert aws.service.locked == {"b1"}


@pytest.mark.parametrize(
    ("turned", "consequence"),
    [(f"{WAS_STOPPED}; late", True), (f"late; {WAS_STOPPED}", False), ("", False), (None, False)],
)
def test_a_no_is_the_consequence_of_a_stop_that_turned_it_first(
    aws: MemoryAws, turned: str | None, consequence: bool
) -> None:
    plan = {"decision": "blocked", "goal": "blue", "reason": "as it is", "turned": turned}
    answer_failed.handler({**ASKED, "plan": plan}, None)
    assert json.loads(aws.evidence[0])["consequence"] is consequence


def test_what_blocked_a_hand_over_and_what_turned_it_are_both_told(aws: MemoryAws) -> None:
    blocked = {"decision": "blocked", "goal": "green", "reason": "b2 is gone.", "turned": "late"}
    answer = answer_failed.handler({**ASKED, "plan": blocked}, None)
    assert (answer["error"], answer["cause"]) == ("HandOverBlocked", "late; b2 is gone.")
    assert json.loads(aws.evidence[0])["evidence"] == {"goal": "green", "plan": "b2 is gone."}
    nothing = answer_failed.handler(dict(ASKED), None)
    assert (nothing["error"], nothing["cause"]) == ("HandOverBlocked", "it was asked for")


def test_people_are_told_once_that_the_way_back_waits(aws: MemoryAws) -> None:
    """One of blue is gone, and one of green votes in its place."""
    service = aws.service
    state: dict[str, Any] = dict(ASKED)
    while "g1" not in service.voters() or "b2" in service.voters():
        state["observation"] = observe.handler(state, None)
        state["plan"] = plan.handler(state, None)
        if state["plan"]["decision"] == "step":
            state["act"] = act.handler(state, None)
    service.kill("b2")
    service.stop(DEPLOYMENT)
    state = run(aws, state, most=600)
    assert state["plan"]["decision"] == "blocked"
    (told,) = aws.messages
    assert told[0].endswith("way back waits")
    assert "Only 2 of 3 tasks of the goal exist" in told[1]
    assert "quorumshift plan" in told[1]
    answer = answer_failed.handler(state, None)
    assert "the rollout was stopped" in answer["cause"]
    assert "not done after 40 min" in answer["cause"]
