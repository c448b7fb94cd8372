"""One service and the deployments of it that follow each other, with CodeDeploy's rules in little:
task sets of their own, hooks that are asked, traffic, roll-backs; protected tasks are not ended.
"""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from quorumshift.domain.raft import Colour, Task
from quorumshift.domain.rollout import Progress, Rollout
from quorumshift.names import module
from tests.adapters.aws_api import Api, refusal
from tests.tasks.aws import ACCOUNT, DEFINITION, DIGEST, REPOSITORY, MemoryAws
from tests.workflows.interpreter import Ended, run
from workflows.hand_over import hand_over

_STATUS = {
    Progress.RUNNING: "InProgress",
    Progress.SUCCEEDED: "Succeeded",
    Progress.FAILED: "Failed",
    Progress.STOPPED: "Stopped",
}
_HAND_OVER = hand_over()
STEADY = 40
"""Rounds until green is steady."""
PACE = 3
"""Rounds for one task of who deploys; the hand-over does one in each."""


@dataclass
class TaskSet:
    """``made``: which round it was made in."""

    id: str
    external: str
    made: int
    tasks: list[str]
    status: str = "ACTIVE"


@dataclass
class Deployment:
    """``stage``: what is done next; ``answers``: of its hooks; ``undoes``: which one it rolls
    back."""

    id: str
    description: str
    rollout: Rollout
    stage: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    undoes: str = ""
    undone_by: str = ""


class Walk:
    """An execution that goes on by one task whenever it is told to. ``ended``: how it ended;
    ``broken``: raises what a task of its fails with."""

    def __init__(
        self, definition: dict[str, Any], given: Any, arn: str, broken: Callable[[str], None]
    ) -> None:
        self.ended: Ended | None = None
        self.broken = broken
        self._turn, self._done = threading.Semaphore(0), threading.Semaphore(0)
        about = {"Id": arn, "Name": arn.rpartition(":")[2]}
        context = {"Execution": {**about, "StartTime": "2026-11-22T10:00:00.000Z"}}
        self._thread = threading.Thread(
            target=self._run, args=(definition, given, context), daemon=True
        )
        self._thread.start()

    def step(self) -> None:
        """Let it do one task, or find that it has ended."""
        if self.ended is None:
            self._turn.release()
            assert self._done.acquire(timeout=60)

    def _run(self, definition: dict[str, Any], given: Any, context: dict[str, Any]) -> None:
        self._turn.acquire()
        try:
            self.ended = run(definition, given, self._call, context)
        finally:
            self._done.release()

    def _call(self, state: str, payload: dict[str, Any]) -> Any:
        try:
            self.broken(state)
            return importlib.import_module(module(state)).handler(payload, None)
        finally:
            self._done.release()
            self._turn.acquire()


class TwoDeployments(MemoryAws):
    """``walks``: of the executions that run or ran, by name. ``round``: how far it is."""

    def __init__(self) -> None:
        super().__init__(green=False)
        self.round = 0
        self.known: dict[str, Deployment] = {}
        self.sets = [TaskSet("ecs-svc/0", "", 0, ["b1", "b2", "b3"], "PRIMARY")]
        self.walks: dict[str, Walk] = {}
        self.broken: Callable[[str], None] = lambda state: None

    def begin(self, name: str, definition: dict[str, Any], given: Any) -> Walk:
        """Start an execution of a state machine."""
        arn = f"arn:aws:states:us-east-1:{ACCOUNT}:execution:sample-deploy:{name}"
        self.walks[name] = Walk(definition, given, arn, self.broken)
        return self.walks[name]

    def go_on(self) -> None:
        """One round: a second, a step of the engine, a task of whichever execution has its turn."""
        self.round += 1
        self.service.clock.sleep(1)
        for deployment in list(self.known.values()):
            if deployment.rollout.progress is Progress.RUNNING:
                self._undo(deployment) if deployment.undoes else self._go_on(deployment)
        for name, walk in list(self.walks.items()):
            if name in self.executions or self.round % PACE == 0:
                walk.step()
            if walk.ended and name in self.executions:
                good = walk.ended.error == ""
                self.executions[name] = "SUCCEEDED" if good else "FAILED"

    def _go_on(self, deployment: Deployment) -> None:
        deployment.stage += 1
        if deployment.stage == 1:
            self._ask(deployment, "BeforeInstall")
        elif deployment.stage == 2:
            self._install(deployment)
        elif deployment.stage == 2 + STEADY:
            self._ask(deployment, "AfterInstall")
        elif deployment.stage == 3 + STEADY:
            self._primary(self._own(deployment.id))
            self._ask(deployment, "AfterAllowTraffic")
        if "Failed" in deployment.answers.values():
            self._end(deployment, Progress.FAILED)
        elif deployment.answers.get("AfterAllowTraffic") == "Succeeded":
            old = [each for each in self.sets if each.external != deployment.id]
            if not [left for each in old for left in self._remove(each)]:
                self._end(deployment, Progress.SUCCEEDED)

    def _ask(self, deployment: Deployment, hook: str) -> None:
        handler = importlib.import_module(module(hook)).handler
        which = f"{deployment.id}/{hook}"
        handler({"DeploymentId": deployment.id, "LifecycleEventHookExecutionId": which}, None)

    def _install(self, deployment: Deployment) -> None:
        letter = chr(ord("f") + int(deployment.id.rpartition("-")[2]))
        tasks = [f"{letter}{number}" for number in (1, 2, 3)]
        self.sets.append(TaskSet(f"ecs-svc/{deployment.id}", deployment.id, self.round, tasks))
        for address in tasks:
            self.service.tasks[address] = Task(f"arn:{address}", address, Colour.GREEN, ready=True)

    def _end(self, deployment: Deployment, progress: Progress) -> None:
        deployment.rollout = replace(deployment.rollout, progress=progress)
        if progress is Progress.SUCCEEDED or deployment.undoes or not self._own(deployment.id):
            return
        undo = f"{deployment.id}0"
        deployment.undone_by = undo
        rollout = Rollout(undo, Progress.RUNNING)
        self.known[undo] = Deployment(undo, "", rollout, undoes=deployment.id)

    def _undo(self, undo: Deployment) -> None:
        own = self._own(undo.undoes)
        self._primary(next(each for each in self.sets if each is not own))
        if own is None or not self._remove(own):
            self._end(undo, Progress.SUCCEEDED)

    def _own(self, deployment: str) -> TaskSet | None:
        return next((each for each in self.sets if each.external == deployment), None)

    def _primary(self, chosen: TaskSet | None) -> None:
        for each in self.sets:
            if each.status != "DRAINING":
                each.status = "PRIMARY" if each is chosen else "ACTIVE"

    def _remove(self, task_set: TaskSet) -> list[str]:
        """End its tasks that are not protected; those that are left."""
        task_set.status = "DRAINING"
        for address in list(task_set.tasks):
            if address not in self.service.locked:
                self.service.kill(address)
                task_set.tasks.remove(address)
        if not task_set.tasks:
            self.sets.remove(task_set)
        return task_set.tasks

    # What AWS answers.

    def _codedeploy(self) -> Api:
        return Api(
            "codedeploy",
            list_deployments=lambda **which: {"deployments": self._listed(which)},
            batch_get_deployments=lambda deploymentIds: {
                "deploymentsInfo": [self._told(self.known[each]) for each in deploymentIds]
            },
            create_deployment=self._create,
            get_deployment=lambda deploymentId: {
                "deploymentInfo": self._told(self.known[deploymentId])
            },
            get_deployment_target=lambda **_: {"deploymentTarget": {"ecsTarget": {}}},
            get_deployment_group={"deploymentGroupInfo": {}},
            stop_deployment=self._stop_one,
            put_lifecycle_event_hook_execution_status=self._answered,
        )

    def _listed(self, which: dict[str, Any]) -> list[str]:
        wanted = which.get("includeOnlyStatuses")
        return [
            each.id
            for each in reversed(self.known.values())
            if not wanted or _STATUS[each.rollout.progress] in wanted
        ]

    def _told(self, deployment: Deployment) -> dict[str, Any]:
        undo = {
            "rollbackDeploymentId": deployment.undone_by,
            "rollbackTriggeringDeploymentId": deployment.undoes,
        }
        return {
            "deploymentId": deployment.id,
            "status": _STATUS[deployment.rollout.progress],
            "description": deployment.description,
            "createTime": datetime.fromtimestamp(list(self.known).index(deployment.id), UTC),
            "rollbackInfo": {key: value for key, value in undo.items() if value},
        }

    def _create(self, description: str, revision: Any, **_: Any) -> Any:
        if self._listed({"includeOnlyStatuses": ["InProgress"]}):
            return refusal("DeploymentLimitExceededException")
        name = f"d-{sum(not each.undoes for each in self.known.values()) + 1}"
        self.known[name] = Deployment(name, description, Rollout(name, Progress.RUNNING))
        return {"deploymentId": name}

    def _stop_one(self, deploymentId: str, autoRollbackEnabled: bool) -> Any:
        self.service.deeds.append(f"stop {deploymentId}")
        if self.known[deploymentId].rollout.progress is not Progress.RUNNING:
            return refusal("DeploymentAlreadyCompletedException")
        self._end(self.known[deploymentId], Progress.STOPPED)
        return {"status": "Pending"}

    def _answered(
        self, deploymentId: str, lifecycleEventHookExecutionId: str, status: str
    ) -> dict[str, Any]:
        stage = lifecycleEventHookExecutionId.rpartition("/")[2]
        self.known[deploymentId].answers[stage] = status
        return {"lifecycleEventHookExecutionId": lifecycleEventHookExecutionId}

    def _elbv2(self) -> Api:
        """Users are led to the primary task set."""
        api = super()._elbv2()
        api.answers["describe_target_health"] = lambda **_: {
            "TargetHealthDescriptions": [
                {"Target": {"Id": address}, "TargetHealth": {"State": "healthy"}}
                for each in self.sets
                if each.status == "PRIMARY"
                for address in each.tasks
            ]
        }
        return api

    def _ecs(self) -> Api:
        api = super()._ecs()
        api.answers["describe_task_sets"] = lambda **_: {
            "taskSets": [
                {
                    "id": each.id,
                    "externalId": each.external,
                    "status": each.status,
                    "createdAt": datetime.fromtimestamp(each.made, UTC),
                    "taskDefinition": f"{DEFINITION}11",
                    "stabilityStatus": "STEADY_STATE",
                }
                for each in self.sets
            ]
        }
        return api

    def _task(self, arn: str) -> dict[str, Any]:
        address = arn.removeprefix("arn:")
        (owner,) = [each for each in self.sets if address in each.tasks]
        container = {"name": "app", "image": f"{REPOSITORY}@{DIGEST}", "imageDigest": DIGEST}
        detail = {"name": "privateIPv4Address", "value": address}
        return {
            "taskArn": arn,
            "tags": self._tags(self.service.tasks[address]),
            "taskDefinitionArn": f"{DEFINITION}11",
            "startedBy": owner.id,
            "lastStatus": "RUNNING",
            "healthStatus": "HEALTHY",
            "attachments": [{"details": [detail]}],
            "containers": [container],
        }

    def _start(self, name: str, input: str, **given: Any) -> Any:
        answer = super()._start(name, input, **given)
        if not isinstance(answer, Exception):
            self.begin(name, _HAND_OVER, json.loads(input))
        return answer
