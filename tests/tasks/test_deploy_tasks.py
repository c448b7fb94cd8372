"""The tasks of ``deploy``, each with the state it gets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from quorumshift.domain.errors import (
    ClusterUnsafe,
    DeploymentActive,
    InvalidRequest,
    RollbackFailed,
)
from quorumshift.domain.event_budget import EVENTS_A_LOOK, pace
from quorumshift.domain.marks import mark_for, read_mark
from quorumshift.domain.rollout import EndedBy, Progress
from tasks import (
    create_deployment,
    notify_failed,
    notify_rolled_back,
    notify_succeeded,
    poll_deployment,
    poll_rollback,
    register_task_definition,
    stop_deployment,
    validate_request,
    verify_outcome,
    verify_raft,
    verify_rollback,
)
from tests.adapters.aws_api import refusal
from tests.tasks.aws import DEFINITION, DIGEST, EXECUTION, REPOSITORY, MemoryAws
from tests.usecases.service import DEPLOYMENT

MARKED = "[quorumshift 0123456789ab r12]"


def validated(given: Any) -> dict[str, Any]:
    return validate_request.handler({"input": given, "execution": EXECUTION}, None)


def started(**more: Any) -> dict[str, Any]:
    revision = {"from": f"{DEFINITION}11", "to": f"{DEFINITION}12", "image": "i"}
    return {**validated({}), "revision": revision, "deployment": {"id": DEPLOYMENT}, **more}


def test_a_request_becomes_the_state(aws: MemoryAws) -> None:
    state = validated({"image": "v2"})
    assert state["request"]["image"] == "v2"
    assert "source" not in state["request"]
    assert state["execution"] == EXECUTION
    assert state["timing"]["pollSeconds"] == 15
    assert state["timing"]["deadlineSeconds"] == 180 * 60


def test_a_long_deadline_polls_slower_to_stay_within_the_history(
    aws: MemoryAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORUMSHIFT_DEADLINE_MINUTES", str(7200))
    timing = validated({})["timing"]
    assert timing["pollSeconds"] == pace(15, ((432_000, EVENTS_A_LOOK),) * 2) > 15


def test_a_build_counts_for_the_history_as_well(
    aws: MemoryAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORUMSHIFT_POLL_SECONDS", "5")
    monkeypatch.setenv("QUORUMSHIFT_DEADLINE_MINUTES", "208")
    source = {"repository": "owner/name", "commit": "0a1b2c3"}
    paces = [validated(asked)["timing"] for asked in ({}, {"source": source})]
    assert 5 < paces[0]["pollSeconds"] < paces[1]["pollSeconds"]
    assert paces[1]["buildPollSeconds"] == paces[1]["pollSeconds"]


def test_anything_else_is_refused(aws: MemoryAws) -> None:
    with pytest.raises(InvalidRequest, match="cluster: unknown key"):
        validated({"cluster": "prod"})


def test_the_same_image_deploys_the_live_revision(aws: MemoryAws) -> None:
    revision = register_task_definition.handler(validated({"image": "v2"}), None)
    assert revision == {
        "from": f"{DEFINITION}11",
        "to": f"{DEFINITION}11",
        "image": f"{REPOSITORY}@{DIGEST}",
        "registered": False,
    }


@pytest.mark.parametrize("image", ["nginx", "nginx:1.27", f"ghcr.io/o/r@{DIGEST}"])
def test_a_serving_image_that_may_not_be_started_is_refused_before_anything_is(
    aws: MemoryAws, image: str
) -> None:
    container = {"name": "app", "image": image}
    revision = {"family": "sample", "status": "ACTIVE", "containerDefinitions": [container]}
    aws.apis["ecs"].answers["describe_task_definition"] = {"taskDefinition": revision}
    with pytest.raises(InvalidRequest, match="image: "):
        register_task_definition.handler(validated({}), None)
    assert aws.description is None, "nothing was started"


def test_an_empty_request_redeploys_the_live_revision(aws: MemoryAws) -> None:
    assert register_task_definition.handler(validated({}), None)["to"] == f"{DEFINITION}11"


def test_a_healthy_cluster_is_verified_and_a_degraded_one_is_not(aws: MemoryAws) -> None:
    assert verify_raft.handler(started(), None)["decision"] == "proceed"
    aws.service.kill("b3")
    with pytest.raises(ClusterUnsafe, match=r"nothing was deployed: .*b3.*tolerance is 0"):
        verify_raft.handler(started(), None)


def test_a_deployment_is_created_once_for_an_execution(aws: MemoryAws) -> None:
    first = create_deployment.handler(started(), None)
    assert first == {"id": DEPLOYMENT, "adopted": False, "scalingSuspended": False}
    assert create_deployment.handler(started(), None)["adopted"]
    other = started(execution={**EXECUTION, "id": "arn:another"})
    with pytest.raises(DeploymentActive, match=DEPLOYMENT):
        create_deployment.handler(other, None)


@pytest.mark.parametrize("ignore", [True, False])
def test_a_deployment_is_created_as_it_was_asked_for(aws: MemoryAws, ignore: bool) -> None:
    given = {
        "deploymentConfig": "CodeDeployDefault.ECSAllAtOnce",
        "description": "new menu",
        **({"taskDefinition": "sample:12", "ignoreAlarms": True} if ignore else {}),
    }
    create_deployment.handler({**started(), "request": validated(given)["request"]}, None)
    (asked,) = aws.apis["codedeploy"].asked("create_deployment")
    assert asked["deploymentConfigName"] == "CodeDeployDefault.ECSAllAtOnce"
    assert "new menu" in asked["description"]
    mark = mark_for(EXECUTION["id"], f"{DEFINITION}12", f"{DEFINITION}11")
    assert read_mark(asked["description"]) == mark
    assert f"{DEFINITION}12" in json.dumps(asked["revision"])
    assert ("overrideAlarmConfiguration" in asked) is ignore


def test_a_deployment_whose_service_scales_suspends_that(aws: MemoryAws) -> None:
    aws.scaling.suspended = set()
    assert create_deployment.handler(started(), None)["scalingSuspended"]
    assert "DynamicScalingInSuspended" in aws.scaling.suspended


def test_polls_build_on_each_other(aws: MemoryAws) -> None:
    state = started()
    for polls in (1, 2, 3):
        state["observation"] = json.loads(json.dumps(poll_deployment.handler(state, None)))
        assert state["observation"]["meaning"]["decision"] == "wait"
        assert state["observation"]["waited"] == polls * 15
    aws.service.rollout = replace(aws.service.rollout, progress=Progress.SUCCEEDED)
    seen = poll_deployment.handler(state, None)
    assert seen["meaning"]["decision"] == "succeeded"


def test_a_failed_hook_is_named_by_the_poll_that_sees_the_end(aws: MemoryAws) -> None:
    said = {"name": "AfterInstall", "passed": False, "reason": "RuntimeError: boom", "evidence": {}}
    aws.evidence.append(json.dumps(said))
    aws.service.rollout = replace(
        aws.service.rollout, progress=Progress.FAILED, ended_by=EndedBy.CHECK
    )
    seen = poll_deployment.handler(started(), None)
    assert seen["meaning"]["decision"] == "failed"
    assert "AfterInstall said no: RuntimeError: boom" in seen["meaning"]["cause"]


def test_a_finished_deployment_gives_back_locks_and_scaling(aws: MemoryAws) -> None:
    aws.service.lock(["arn:b1", "arn:b2"], 120)
    aws.description = MARKED
    aws.service.rollout = replace(aws.service.rollout, progress=Progress.SUCCEEDED)
    state = started(outcome=None)
    state["outcome"] = verify_outcome.handler(state, None)
    assert aws.service.locked == set()
    notify_succeeded.handler(state, None)
    assert aws.messages[0][0] == "sample: deployed"


def test_a_member_of_the_old_tasks_that_is_left_is_found(aws: MemoryAws) -> None:
    raft = aws.service.raft
    raft.admit("g1", ["b1"])
    with pytest.raises(ClusterUnsafe, match="g1 still is a member"):
        verify_outcome.handler(started(), None)


def test_stopping_twice_is_stopping_once(aws: MemoryAws) -> None:
    stopped = {"progress": "stopped"}
    assert stop_deployment.handler(started(), None) == {"wasRunning": True, **stopped}
    assert stop_deployment.handler(started(), None) == {"wasRunning": False, **stopped}
    assert aws.service.deeds == ["stop"]


def test_a_rollback_calls_green_votes_home_and_then_waits_for_its_end(aws: MemoryAws) -> None:
    aws.service.stop(DEPLOYMENT)
    aws.service.raft.admit("g1", ["b1"])
    state = started()
    state["rollback"] = poll_rollback.handler(state, None)
    assert state["rollback"]["decision"] == "handBack"
    assert list(aws.executions) == [f"{DEPLOYMENT}-blue-1"]
    assert poll_rollback.handler(state, None)["decision"] == "wait"
    aws.executions[f"{DEPLOYMENT}-blue-1"] = "SUCCEEDED"
    aws.service.raft.remove("4", ["b1"])
    for address in ("g1", "g2", "g3"):
        aws.service.kill(address)
    state["rollback"] = poll_rollback.handler(state, None)
    assert (state["rollback"]["decision"], state["rollback"]["waited"]) == ("done", 30)
    aws.description = MARKED
    state["observation"] = poll_deployment.handler(state, None)
    state["outcome"] = verify_rollback.handler(state, None)
    assert state["outcome"]["error"] == "StoppedByRequest"
    assert "sample:11 serves all traffic: 3 healthy targets" in state["outcome"]["cause"]
    notify_rolled_back.handler(state, None)
    assert aws.messages[0][0] == "sample: rolled back (StoppedByRequest)"


def test_a_rollback_that_does_not_end_asks_for_a_person(aws: MemoryAws) -> None:
    aws.service.stop(DEPLOYMENT)
    late = {"decision": "wait", "reason": "", "waited": 10**6, "undo": None}
    state = started(rollback={**late, "rollout": None, "cluster": None})
    with pytest.raises(RollbackFailed, match="end no task that votes"):
        poll_rollback.handler(state, None)


def failure(error: str, text: str) -> dict[str, Any]:
    return {"Error": error, "Cause": json.dumps({"errorMessage": text, "errorType": error})}


def test_a_failure_before_a_deployment_touched_nothing(aws: MemoryAws) -> None:
    aws.service.lock(["arn:b1"], 120)
    state = {"input": 7, "execution": EXECUTION, "failure": failure("InvalidRequest", "no.")}
    outcome = notify_failed.handler(state, None)
    assert (outcome["error"], outcome["touched"]) == ("InvalidRequest", False)
    assert outcome["cause"] == "no. Nothing was touched."
    assert aws.service.locked == {"b1"}, "it is not this execution's"
    assert aws.messages[0][0] == "sample: failed (InvalidRequest)"


def test_a_failure_leaves_anothers_deployment_alone(aws: MemoryAws) -> None:
    aws.description = MARKED
    aws.service.lock(["arn:b1"], 120)
    state = {"execution": EXECUTION, "failure": failure("DeploymentActive", "d-1 is active")}
    assert not notify_failed.handler(state, None)["touched"]
    assert aws.service.locked == {"b1"}
    assert aws.service.deeds == []


def test_a_deployment_that_nobody_would_follow_is_stopped(aws: MemoryAws) -> None:
    create_deployment.handler(started(), None)
    state = {"execution": EXECUTION, "failure": failure("States.Timeout", "late")}
    outcome = notify_failed.handler(state, None)
    assert outcome["touched"]
    assert f"Deployment {DEPLOYMENT} was still running and is being stopped" in outcome["cause"]
    assert aws.service.deeds == ["stop"]


@pytest.mark.parametrize("error", ["States.Timeout", "Lambda.Unknown", "Transient"])
def test_a_deployment_that_may_still_come_is_waited_for(aws: MemoryAws, error: str) -> None:
    create_deployment.handler(started(), None)
    aws.listed_later(40)
    state = {"verification": {}, "execution": EXECUTION, "failure": failure(error, "late")}
    outcome = notify_failed.handler(state, None)
    assert outcome["touched"]
    assert "Nothing was touched" not in outcome["cause"]
    assert aws.service.deeds == ["stop"]


def test_a_refusal_is_not_waited_after(aws: MemoryAws) -> None:
    now = aws.service.clock.now()
    refused = failure("DeploymentRefused", "no such configuration")
    state = {"verification": {}, "execution": EXECUTION, "failure": refused}
    assert "Nothing was touched" in notify_failed.handler(state, None)["cause"]
    assert aws.service.clock.now() == now


def test_what_cannot_be_done_or_told_stands_in_the_cause(aws: MemoryAws) -> None:
    aws.apis["codedeploy"].answers["list_deployments"] = refusal("AccessDenied", status=403)
    aws.apis["sns"].answers["publish"] = refusal("NotFoundException", status=404)
    state = {"execution": EXECUTION, "failure": failure("InvalidRequest", "no")}
    cause = notify_failed.handler(state, None)["cause"]
    assert "no. This could not be done: ClientError" in cause
    assert "Whether a deployment was started is not known" in cause
    assert "Nobody was told" in cause
