"""What each task changes in the world: a scenario each, with every call that changes something.

``EFFECTS`` is the table; whoever changes a task changes its row. Looks are left out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from quorumshift.domain.marks import build_mark
from quorumshift.domain.raft import Colour, Task
from quorumshift.domain.rollout import Progress
from tasks import create_deployment, observe, plan, validate_request
from tests.adapters.aws_api import Api, build_environment, refusal
from tests.tasks.aws import DEFINITION, EXECUTION, REPOSITORY, SETTINGS, MemoryAws
from tests.usecases.service import DEPLOYMENT

Handler = Callable[[dict[str, Any], object], dict[str, Any]]
Scenario = Callable[[MemoryAws], dict[str, Any]]
"""Sets the world up and gives the event; what it changes itself does not count."""

ASKED = {"deploymentId": DEPLOYMENT, "lifecycleEventHookExecutionId": "hook-1", "goal": "green"}
HOOK = {"DeploymentId": DEPLOYMENT, "LifecycleEventHookExecutionId": "hook-1"}
_LOOKS = ("describe_", "get_", "list_", "batch_get_")
_MARKED = "[quorumshift 0123456789ab r12]"


def effects(aws: MemoryAws, since: dict[str, int], said: str) -> list[str]:
    """``service.operation``, with a message's subject or the answer to a hook, and ``print`` for
    each line that goes to the function's log."""
    found = [
        f"{service}.{name} {given.get('Subject') or given.get('status') or ''}".rstrip()
        for service, api in aws.apis.items()
        for name, given in api.calls[since.get(service, 0) :]
        if not name.startswith(_LOOKS) and name != "create_log_stream"
    ]
    return sorted(found) + ["print"] * len(said.splitlines())


def _state(**more: Any) -> dict[str, Any]:
    asked = {"input": {"initiator": "ada"}, "execution": EXECUTION}
    revision = {"from": f"{DEFINITION}11", "to": f"{DEFINITION}12", "image": "i"}
    state = validate_request.handler(asked, None)
    return {**state, "revision": revision, "deployment": {"id": DEPLOYMENT}, **more}


def _outcome(subject: str) -> dict[str, Any]:
    return _state(outcome={"subject": subject, "message": "So it is.\n"})


def _building(aws: MemoryAws) -> dict[str, Any]:
    os.environ["QUORUMSHIFT_PROJECT"] = "sample-build"  # in_memory's monkeypatch puts it back
    mark = {"name": "EXECUTION_MARK", "value": build_mark(EXECUTION["id"])}
    build = {"id": "b:1", "buildStatus": "IN_PROGRESS", "environment": build_environment([mark])}
    aws.apis["codebuild"] = Api(
        "codebuild",
        list_builds_for_project={"ids": ["b:1"]},
        batch_get_builds={"builds": [build]},
        batch_get_projects={
            "projects": [
                {
                    "name": "sample-build",
                    "source": {"type": "GITHUB", "location": "https://github.com/owner/sample"},
                }
            ]
        },
        start_build={"build": build},
        stop_build={},
    )
    source = {"repository": "owner/sample", "commit": "0" * 40}
    return validate_request.handler({"input": {"source": source}, "execution": EXECUTION}, None)


def _built(aws: MemoryAws) -> dict[str, Any]:
    return {**_building(aws), "build": {"id": "b:1", "waited": 0}}


def _another_image(aws: MemoryAws) -> dict[str, Any]:
    ecs = aws.apis["ecs"].answers
    found = ecs["describe_task_definition"]["taskDefinition"]
    old = {**found["containerDefinitions"][0], "image": f"{REPOSITORY}@sha256:{'1' * 64}"}
    ecs["describe_task_definition"] = {"taskDefinition": {**found, "containerDefinitions": [old]}}
    ecs["list_task_definitions"] = {"taskDefinitionArns": []}
    made = {"taskDefinitionArn": f"{DEFINITION}12", "containerDefinitions": [found]}
    ecs["register_task_definition"] = {"taskDefinition": {**found, **made, **_contains(found)}}
    return validate_request.handler({"input": {"image": "v2"}, "execution": EXECUTION}, None)


def _strange_image(aws: MemoryAws) -> dict[str, Any]:
    container = {"name": "app", "image": "evil.example/app:1"}
    revision = {"family": "sample", "status": "ACTIVE", "containerDefinitions": [container]}
    aws.apis["ecs"].answers["describe_task_definition"] = {"taskDefinition": revision}
    return _state()


def _contains(found: dict[str, Any]) -> dict[str, Any]:
    return {"containerDefinitions": found["containerDefinitions"]}


def _scaling(aws: MemoryAws) -> dict[str, Any]:
    """A service that scales."""
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/sample-cluster/sample",
        "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": 3,
        "MaxCapacity": 9,
        "RoleARN": "arn:role",
        "CreationTime": 0,
        "ScalableTargetARN": "arn:target",
    }
    aws.apis["application-autoscaling"].answers |= {
        "describe_scalable_targets": {"ScalableTargets": [target]},
        "list_tags_for_resource": {"Tags": {}},
        "tag_resource": {},
        "register_scalable_target": {},
    }
    return _state()


def _moving(aws: MemoryAws) -> dict[str, Any]:
    """An earlier deployment's hand-over still runs."""
    aws.executions["d-0-blue-1"] = "RUNNING"
    return _state()


def _created(aws: MemoryAws) -> dict[str, Any]:
    state = _state()
    state["deployment"] = create_deployment.handler(state, None)
    return state


def _unanswered(aws: MemoryAws) -> dict[str, Any]:
    aws.apis["codedeploy"].answers["get_deployment"] = refusal("InternalFailure", status=500)
    return _state()


def _ended(aws: MemoryAws, progress: Progress) -> dict[str, Any]:
    state = _created(aws)
    aws.description = _MARKED
    aws.service.lock(["arn:b1", "arn:b2"], 120)
    aws.service.rollout = replace(aws.service.rollout, progress=progress)
    return state


def _rolled_back(aws: MemoryAws) -> dict[str, Any]:
    state = _ended(aws, Progress.STOPPED)
    for address in ("g1", "g2", "g3"):
        aws.service.kill(address)
    observation = {"meaning": {"decision": "failed", "error": "CheckFailed", "cause": "no"}}
    return {**state, "rollback": {"undo": "d-2"}, "observation": _seen(aws, observation)}


def _seen(aws: MemoryAws, more: dict[str, Any]) -> dict[str, Any]:
    from tasks import poll_deployment

    return {**json.loads(json.dumps(poll_deployment.handler(_state(), None))), **more}


def _rolling_back(aws: MemoryAws) -> dict[str, Any]:
    aws.service.stop(DEPLOYMENT)
    return _state(observation=_seen(aws, {}), stop={"wasRunning": True})


def _astray(aws: MemoryAws) -> dict[str, Any]:
    """Green has votes, and the rollout was stopped."""
    aws.service.stop(DEPLOYMENT)
    aws.service.raft.admit("g1", ["b1"])
    return _state()


def _failed(aws: MemoryAws) -> dict[str, Any]:
    _created(aws)
    return {"execution": EXECUTION, "failure": {"Error": "States.Timeout", "Cause": "late"}}


def _failed_while_creating(aws: MemoryAws) -> dict[str, Any]:
    state = {**_failed(aws), "verification": {}}
    aws.listed_later(40)
    return state


def _hand_over(aws: MemoryAws, wanted: str, **asked: Any) -> dict[str, Any]:
    """The state of a hand-over whose plan has come to ``wanted``."""
    from tasks import act

    state: dict[str, Any] = {**ASKED, **asked}
    for _ in range(300):
        state["observation"] = observe.handler(state, None)
        state["plan"] = plan.handler(state, None)
        state = json.loads(json.dumps(state))
        if state["plan"]["decision"] == wanted:
            return state
        if state["plan"]["decision"] == "step":
            state["act"] = act.handler(state, None)
        aws.service.clock.sleep(state["plan"]["settleSeconds"])
    raise AssertionError(f"never {wanted}: {state['plan']}")


def _votes_home(aws: MemoryAws) -> dict[str, Any]:
    _hand_over(aws, "done")
    aws.service.stop(DEPLOYMENT)
    return _hand_over(aws, "done", lifecycleEventHookExecutionId="", goal="blue")


def _between(aws: MemoryAws) -> None:
    for address in ("g1", "g2", "g3"):
        del aws.service.tasks[address]


def _way_back_waits(aws: MemoryAws) -> dict[str, Any]:
    """One of blue is gone, and one of green votes in its place."""
    from tasks import act

    state: dict[str, Any] = dict(ASKED)
    for _ in range(300):
        state["observation"] = observe.handler(state, None)
        planned = json.loads(json.dumps(plan.handler(state, None)))
        if planned["tell"]:
            return state
        state["plan"] = planned
        if planned["decision"] == "step":
            state["act"] = act.handler(state, None)
        voters = aws.service.voters()
        if "g1" in voters and "b2" in aws.service.tasks and "b2" not in voters:
            aws.service.kill("b2")
            aws.service.stop(DEPLOYMENT)
        aws.service.clock.sleep(planned["settleSeconds"])
    raise AssertionError(f"people are not to be told: {state['plan']}")


def _put_in_order(aws: MemoryAws) -> dict[str, Any]:
    _between(aws)
    aws.service.lock(["arn:b1"], 120)
    done = {"decision": "done", "reason": "The serving tasks vote, and nobody else."}
    return {"goal": "blue", "plan": done, "observation": {"stopped": False}}


def _not_in_order(aws: MemoryAws) -> dict[str, Any]:
    _between(aws)
    return {"goal": "blue", "plan": {"decision": "blocked", "reason": "no quorum"}}


def _task_replaced(aws: MemoryAws) -> dict[str, Any]:
    _between(aws)
    aws.service.kill("b2")
    aws.service.tasks["b4"] = Task("arn:b4", "b4", Colour.BLUE, ready=True)
    return {"id": "e-1"}


def _task_missing(aws: MemoryAws) -> dict[str, Any]:
    _between(aws)
    aws.service.kill("b3")
    aws.service.size = 2
    return {"id": "e-1"}


def _over(machine: str, status: str, execution: str, given: dict[str, Any]) -> dict[str, Any]:
    detail = {
        "executionArn": execution,
        "stateMachineArn": machine,
        "status": status,
        "startDate": 1795341600000,
        "input": json.dumps(given),
    }
    return {"detail-type": "Step Functions Execution Status Change", "detail": detail}


def _dead_deploy(aws: MemoryAws, status: str) -> dict[str, Any]:
    _created(aws)
    return _over(SETTINGS.deploy, status, EXECUTION["id"], {})


def _dead_hand_over(aws: MemoryAws, status: str) -> dict[str, Any]:
    aws.executions[f"{DEPLOYMENT}-green"] = status
    arn = SETTINGS.hand_over.replace(":stateMachine:", ":execution:")
    event = _over(SETTINGS.hand_over, status, f"{arn}:{DEPLOYMENT}-green", ASKED)
    event["detail"]["startDate"] = aws.service.clock.now() * 1000
    return event


def _one_lost(aws: MemoryAws) -> dict[str, Any]:
    aws.service.kill("g3")
    return HOOK


def _dead_hook(aws: MemoryAws) -> dict[str, Any]:
    function = "arn:aws:lambda:us-east-1:123456789012:function:sample-after-install:$LATEST"
    return {
        "requestContext": {"functionArn": function, "condition": "RetriesExhausted"},
        "requestPayload": HOOK,
        "responsePayload": {"errorType": "MemoryError", "errorMessage": "too much"},
    }


_ANSWER = "codedeploy.put_lifecycle_event_hook_execution_status"
_YES = [f"{_ANSWER} Succeeded", "logs.put_log_events", "print"]
_NO = [f"{_ANSWER} Failed", *_YES[1:]]
_STOPPED = "codedeploy.stop_deployment"


def _locks(tasks: int) -> list[str]:
    return ["ecs.tag_resource"] * tasks + ["ecs.update_task_protection"]


def _unlocks(tasks: int) -> list[str]:
    return ["ecs.untag_resource"] * tasks + ["ecs.update_task_protection"]


EFFECTS: dict[str, tuple[str, Scenario, list[str]]] = {
    "a request": ("validate_request", lambda _: {"input": {}, "execution": EXECUTION}, []),
    "a build": ("start_build", _building, ["codebuild.start_build"]),
    "a look at the build": ("poll_build", _built, []),
    "another image": (
        "register_task_definition",
        _another_image,
        ["ecs.register_task_definition"],
    ),
    "an image of nobody's": (
        "register_task_definition",
        _strange_image,
        ["raises InvalidRequest"],
    ),
    "a healthy cluster": ("verify_raft", lambda _: _state(), []),
    "a deployment": ("create_deployment", lambda _: _state(), ["codedeploy.create_deployment"]),
    "a deployment while votes are moved": (
        "create_deployment",
        _moving,
        ["raises DeploymentActive"],
    ),
    "a deployment of a service that scales": (
        "create_deployment",
        _scaling,
        [
            "application-autoscaling.register_scalable_target",
            "application-autoscaling.tag_resource",
            "codedeploy.create_deployment",
        ],
    ),
    "it has begun": ("notify_started", lambda _: _state(), ["sns.publish sample: started"]),
    "a look at it": ("poll_deployment", lambda _: _state(), ["print"]),
    "a look that nobody answers": ("poll_deployment", _unanswered, ["print"]),
    "it has succeeded": (
        "verify_outcome",
        lambda aws: _ended(aws, Progress.SUCCEEDED),
        _unlocks(2),
    ),
    "people hear of it": (
        "notify_succeeded",
        lambda _: _outcome("sample: deployed"),
        ["sns.publish sample: deployed"],
    ),
    "it is stopped": ("stop_deployment", _created, [_STOPPED]),
    "it goes back": (
        "notify_rolling_back",
        _rolling_back,
        ["sns.publish sample: rolling back (StoppedByRequest)"],
    ),
    "a look at the way back": (
        "poll_rollback",
        _astray,
        ["stepfunctions.start_execution"],
    ),
    "it has gone back": ("verify_rollback", _rolled_back, _unlocks(2)),
    "people hear that it has": (
        "notify_rolled_back",
        lambda _: _outcome("sample: rolled back (CheckFailed)"),
        ["sns.publish sample: rolled back (CheckFailed)"],
    ),
    "it has failed": (
        "notify_failed",
        _failed,
        [_STOPPED, "sns.publish sample: failed (States.Timeout)"],
    ),
    "it has failed, and its deployment comes after": (
        "notify_failed",
        _failed_while_creating,
        [_STOPPED, "sns.publish sample: failed (States.Timeout)"],
    ),
    "a look at the votes": ("observe", lambda _: dict(ASKED), []),
    "a plan": ("plan", lambda aws: _hand_over(aws, "step"), []),
    "the way back waits": ("plan", _way_back_waits, ["sns.publish sample: way back waits"]),
    "a step": ("act", lambda aws: _hand_over(aws, "step"), _locks(3)),
    "green has the votes": (
        "answer_succeeded",
        lambda aws: _hand_over(aws, "done"),
        [_YES[0], *_locks(1), *_YES[1:]],
    ),
    "green does not get them": (
        "answer_failed",
        lambda _: {**ASKED, "failure": {"Error": "Died", "Cause": "so"}},
        _NO,
    ),
    "the votes are home": ("answer_failed", _votes_home, [*_unlocks(2), "print"]),
    "the votes are in order again": ("answer_failed", _put_in_order, _unlocks(1)),
    "the votes are not": (
        "answer_failed",
        _not_in_order,
        ["sns.publish sample: the votes need a person"],
    ),
    "a task was replaced": (
        "reconcile",
        _task_replaced,
        ["stepfunctions.start_execution", "print"],
    ),
    "a task is missing": (
        "reconcile",
        _task_missing,
        ["sns.publish sample: the votes need a person", "print"],
    ),
    "an execution was stopped": (
        "watchdog",
        lambda aws: _dead_deploy(aws, "ABORTED"),
        [_STOPPED, "sns.publish sample: failed (ABORTED)", "stepfunctions.start_execution"],
    ),
    "an execution has failed and left its deployment": (
        "watchdog",
        lambda aws: _dead_deploy(aws, "FAILED"),
        [_STOPPED, "sns.publish sample: looked after", "stepfunctions.start_execution"],
    ),
    "a hand-over was stopped": (
        "watchdog",
        lambda aws: _dead_hand_over(aws, "ABORTED"),
        ["sns.publish sample: hand-over resumed", "stepfunctions.redrive_execution"],
    ),
    "a hand-over has failed": (
        "watchdog",
        lambda aws: _dead_hand_over(aws, "FAILED"),
        _NO,
    ),
    "a hook has died": ("watchdog", _dead_hook, _NO),
    "before green is made": (
        "hooks.before_install",
        lambda _: HOOK,
        [_YES[0], *_locks(2), *_YES[1:]],
    ),
    "green is not all there": ("hooks.after_install", _one_lost, _NO),
    "before traffic moves": ("hooks.before_allow_traffic", lambda _: HOOK, _YES),
    "the traffic has moved": (
        "hooks.after_allow_traffic",
        lambda _: HOOK,
        ["stepfunctions.start_execution"],
    ),
}
"""Name → task, scenario, effects: by service and name, then printed lines, and what is raised."""
