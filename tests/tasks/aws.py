"""AWS as the handlers see it: every client an :class:`Api` over one service in memory.

Handlers, use cases and adapters are the real ones; only what would go over the network is ours.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from quorumshift.adapters.aws.client import Client
from quorumshift.domain.lock_record import TAG, LockRecord, read_lock_record
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import Colour, Task
from quorumshift.domain.rollout import EndedBy, Progress, StageStatus
from quorumshift.settings import Settings
from tests.adapters.aws_api import Api, refusal
from tests.adapters.one_target import OneTarget
from tests.usecases.service import DEPLOYMENT, MemoryService

ACCOUNT = "123456789012"
DEFINITION = f"arn:aws:ecs:us-east-1:{ACCOUNT}:task-definition/sample:"
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:sample-"
EXECUTION = {
    "id": f"arn:aws:states:us-east-1:{ACCOUNT}:execution:sample-deploy:one",
    "name": "one",
    "startTime": "2026-11-22T10:00:00.000Z",
}
DIGEST = "sha256:" + "2" * 64
REPOSITORY = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/sample"
SETTINGS = Settings(
    service="sample",
    cluster="sample-cluster",
    application="sample",
    deployment_group="sample",
    family="sample",
    container="app",
    port=8080,
    health_url=":8080/health",
    websocket_path="/ws",
    test_url="https://lb.example:9090",
    hook_prefix="sample-",
    deploy=f"{MACHINE}deploy",
    hand_over=f"{MACHINE}hand-over",
    topic=f"arn:aws:sns:us-east-1:{ACCOUNT}:sample-deployments",
    project="",
    repository=REPOSITORY,
    dialect="etcd",
    raft_port=2379,
    policy=Policy(stabilisation_seconds=2, settle_deadline_seconds=20),
    deployment_config="CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
    poll_seconds=15,
    deadline_minutes=180,
    listener="arn:production",
    trial_path="/health",
    host="play.example.com",
)
SNAKETRON = replace(
    SETTINGS,
    dialect="snaketron",
    raft_port=50051,
    raft_peer_port=50052,
    discovery="postgres",
    database_secret="snaketron-prod/database",
    database_region="us-east-1",
)
_STATUS = {
    Progress.RUNNING: "InProgress",
    Progress.SUCCEEDED: "Succeeded",
    Progress.FAILED: "Failed",
    Progress.STOPPED: "Stopped",
}
_CODE = {EndedBy.CHECK: "HOOK_EXECUTION_FAILURE", EndedBy.REQUEST: "MANUAL_STOP"}


def forwards(colour: str) -> dict[str, Any]:
    """A listener that leads to the target group of one colour, and the other one's weight."""
    group = "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/sample-{}/1"
    groups = [
        {"TargetGroupArn": group.format(one), "Weight": 100 if one == colour else 0}
        for one in {"blue": 0, "green": 0, colour: 0}
    ]
    forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    return {"ListenerArn": "arn:production", "DefaultActions": [forward]}


class MemoryAws:
    """``answers``: what hooks were answered. ``evidence``: the lines left. ``messages``: what
    people were told. ``executions``: of the hand-over, name → status; ``inputs``: what each was
    started with; ``redriven``: the names of those that were resumed. ``scaling``: of the service,
    which does not scale. ``leads``: the colour that the production listener leads to, where it is
    not that of who serves; ``green``: the revision of green. ``description``: of the deployment
    once it was created, else ``None``. ``records``: of locks, as they stand in the tasks' tags.
    """

    def __init__(self, *, green: bool = True) -> None:
        self.service = MemoryService(green=green)
        self.answers: list[tuple[str, str]] = []
        self.evidence: list[str] = []
        self.messages: list[tuple[str, str]] = []
        self.executions: dict[str, str] = {}
        self.inputs: dict[str, str] = {}
        self.redriven: list[str] = []
        self.description: str | None = None
        self.digest = DIGEST  # of what runs
        self.undoes = ""
        self.scaling = OneTarget(scales=False)
        self.leads = ""
        self.green = f"{DEFINITION}12"
        self.records: dict[str, LockRecord | None] = {}
        self.apis = {
            "codedeploy": self._codedeploy(),
            "ecs": self._ecs(),
            "ecr": Api(
                "ecr",
                describe_images={"imageDetails": [{"imageDigest": DIGEST}]},
                batch_get_image={"images": [{"imageManifest": "{}"}]},
            ),
            "logs": self._logs(),
            "elbv2": self._elbv2(),
            "sns": Api("sns", publish=self._publish),
            "cloudwatch": Api("cloudwatch", describe_alarms={}),
            "stepfunctions": Api(
                "stepfunctions",
                start_execution=self._start,
                describe_execution=self._describe,
                redrive_execution=self._redrive,
                list_executions=self._list_executions,
            ),
            "application-autoscaling": self.scaling.api,
        }

    def client(self, name: str) -> Client:
        """Stands for ``tasks.wiring.client``."""
        return Client(lambda: self.apis[name])

    def listed_later(self, seconds: float) -> None:
        """The deployment that was created comes to light only in so many seconds."""
        late, self.description = self.description, None
        born = self.service.clock.now() + seconds
        listed = self.apis["codedeploy"].answers["list_deployments"]

        def arrives(**which: Any) -> Any:
            if self.service.clock.now() >= born:
                self.description = late
            return listed(**which)

        self.apis["codedeploy"].answers["list_deployments"] = arrives

    def _codedeploy(self) -> Api:
        return Api(
            "codedeploy",
            list_deployments=lambda **which: {"deployments": self._listed(which)},
            batch_get_deployments=lambda **_: {"deploymentsInfo": [self._info()]},
            create_deployment=self._create,
            get_deployment=lambda **_: {"deploymentInfo": self._info()},
            get_deployment_target=lambda **_: {"deploymentTarget": {"ecsTarget": self._target()}},
            get_deployment_group={"deploymentGroupInfo": {}},
            stop_deployment=self._stop,
            put_lifecycle_event_hook_execution_status=self._answer,
        )

    def _listed(self, which: dict[str, Any]) -> list[str]:
        statuses = which.get("includeOnlyStatuses")
        there = self.description is not None
        wanted = statuses is None or _STATUS[self.service.rollout.progress] in statuses
        return [DEPLOYMENT] if there and wanted else []

    def _info(self) -> dict[str, Any]:
        rollout = self.service.rollout
        info: dict[str, Any] = {
            "deploymentId": DEPLOYMENT,
            "status": _STATUS[rollout.progress],
            "description": self.description or "",
            "rollbackInfo": {"rollbackTriggeringDeploymentId": self.undoes} if self.undoes else {},
        }
        if rollout.ended_by in _CODE:
            info["errorInformation"] = {"code": _CODE[rollout.ended_by], "message": "so"}
        return info

    def _target(self) -> dict[str, Any]:
        words = {StageStatus.DONE: "Succeeded", StageStatus.FAILED: "Failed"}
        return {
            "lifecycleEvents": [
                {"lifecycleEventName": stage.name, "status": words[stage.status]}
                for stage in self.service.rollout.stages
            ]
        }

    def _create(self, description: str, revision: Any, **_: Any) -> dict[str, Any]:
        self.description = description
        spec = json.loads(revision["appSpecContent"]["content"])
        self.green = spec["Resources"][0]["TargetService"]["Properties"]["TaskDefinition"]
        return {"deploymentId": DEPLOYMENT}

    def _stop(self, deploymentId: str, autoRollbackEnabled: bool) -> dict[str, Any]:
        self.service.stop(deploymentId)
        return {"status": "Pending"}

    def _answer(self, lifecycleEventHookExecutionId: str, status: str, **_: Any) -> dict[str, Any]:
        self.answers.append((lifecycleEventHookExecutionId, status))
        return {"lifecycleEventHookExecutionId": lifecycleEventHookExecutionId}

    def _elbv2(self) -> Api:
        """The production listener leads to who serves: green once the rollout has succeeded."""

        def healthy(TargetGroupArn: str) -> dict[str, Any]:
            colour = TargetGroupArn.split("/")[1].removeprefix("sample-")
            ours = [task.address for task in self._tasks() if task.colour.value == colour]
            return {
                "TargetHealthDescriptions": [
                    {"Target": {"Id": address}, "TargetHealth": {"State": "healthy"}}
                    for address in ours
                ]
            }

        def listeners(**_: Any) -> dict[str, Any]:
            done = self.service.rollout.progress is Progress.SUCCEEDED
            return {"Listeners": [forwards(self.leads or ("green" if done else "blue"))]}

        return Api("elbv2", describe_listeners=listeners, describe_target_health=healthy)

    def _ecs(self) -> Api:
        green = {"id": "ecs-svc/2", "status": "ACTIVE", "externalId": DEPLOYMENT}
        blue = {"id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": f"{DEFINITION}11"}
        container = {"name": "app", "image": f"{REPOSITORY}@{DIGEST}"}
        return Api(
            "ecs",
            describe_services=lambda **_: {
                "services": [{"status": "ACTIVE", "desiredCount": self.service.size}]
            },
            describe_task_sets=lambda **_: {
                "taskSets": [{**one, "stabilityStatus": "STEADY_STATE"} for one in (blue, green)]
            },
            list_tasks=lambda desiredStatus, **_: {
                "taskArns": [task.arn for task in self._tasks() if desiredStatus == "RUNNING"]
            },
            describe_tasks=lambda tasks, **_: {"tasks": [self._task(arn) for arn in tasks]},
            get_task_protection=lambda tasks, **_: {
                "protectedTasks": [
                    {
                        "taskArn": task.arn,
                        "protectionEnabled": True,
                        "expirationDate": datetime.fromtimestamp(task.locked_until, UTC),
                    }
                    for task in self._tasks()
                    if task.arn in tasks and task.locked_until
                ]
            },
            update_task_protection=self._protect,
            tag_resource=lambda resourceArn, tags: self._tagged(
                resourceArn, read_lock_record(tags[0]["value"])
            ),
            untag_resource=lambda resourceArn, tagKeys: self._tagged(resourceArn, None),
            describe_task_definition={
                "taskDefinition": {
                    "taskDefinitionArn": f"{DEFINITION}11",
                    "family": "sample",
                    "status": "ACTIVE",
                    "containerDefinitions": [container],
                }
            },
        )

    def _tasks(self) -> Any:
        return self.service.roster(None).tasks

    def _task(self, arn: str) -> dict[str, Any]:
        (task,) = [one for one in self._tasks() if one.arn == arn]
        blue = task.colour is Colour.BLUE
        detail = {"name": "privateIPv4Address", "value": task.address}
        return {
            "taskArn": arn,
            "tags": self._tags(task),
            "taskDefinitionArn": f"{DEFINITION}11" if blue else self.green,
            "startedBy": "ecs-svc/1" if blue else "ecs-svc/2",
            "lastStatus": "RUNNING",
            "healthStatus": "HEALTHY",
            "attachments": [{"details": [detail]}],
            "containers": [{"name": "app", "image": "sample:v2", "imageDigest": self.digest}],
        }

    def _protect(self, tasks: list[str], protectionEnabled: bool, **more: Any) -> dict[str, Any]:
        service = self.service
        until = service.clock.now() + more["expiresInMinutes"] * 60 if protectionEnabled else None
        for task in self._tasks():
            if task.arn in tasks:
                service.tasks[task.address] = replace(task, locked_until=until)
        return {"protectedTasks": [], "failures": []}

    def _tagged(self, arn: str, record: LockRecord | None) -> dict[str, Any]:
        self.records[arn] = record
        return {}

    def _tags(self, task: Task) -> list[dict[str, Any]]:
        """A lock that a test made by the service itself is ours, as it says there."""
        made = task.locked_until and task.locked_until != task.foreign_until
        record = LockRecord(task.locked_until or 0, task.foreign_until) if made else None
        known = self.records.get(task.arn, record)
        return [{"key": TAG, "value": known.text()}] if known else []

    def _logs(self) -> Api:
        def read(nextToken: str = "", **_: Any) -> dict[str, Any]:
            lines = [] if nextToken else [{"message": line} for line in self.evidence]
            return {"events": lines, "nextForwardToken": "end"}

        def write(logEvents: list[dict[str, Any]], **_: Any) -> dict[str, Any]:
            self.evidence += [str(event["message"]) for event in logEvents]
            return {}

        return Api("logs", create_log_stream={}, put_log_events=write, get_log_events=read)

    def _publish(self, Subject: str, Message: str, **_: Any) -> dict[str, Any]:
        self.messages.append((Subject, Message))
        return {"MessageId": "1"}

    def _start(self, name: str, input: str, **_: Any) -> Any:
        if name in self.executions:
            return refusal("ExecutionAlreadyExists")
        self.executions[name] = "RUNNING"
        self.inputs[name] = input
        return {"executionArn": f"arn:{name}", "startDate": datetime.now(UTC)}

    def _describe(self, executionArn: str) -> Any:
        name = executionArn.rpartition(":")[2]
        if name not in self.executions:
            return refusal("ExecutionDoesNotExist")
        return {
            "executionArn": executionArn,
            "stateMachineArn": SETTINGS.hand_over,
            "status": self.executions[name],
            "input": self.inputs.get(name, "{}"),
            "startDate": datetime.now(UTC),
            "redriveCount": self.redriven.count(name),
        }

    def _list_executions(self, statusFilter: str, **_: Any) -> dict[str, Any]:
        found = [name for name, status in self.executions.items() if status == statusFilter]
        return {
            "executions": [
                {
                    "name": name,
                    "executionArn": f"arn:{name}",
                    "stateMachineArn": SETTINGS.hand_over,
                    "status": statusFilter,
                    "startDate": datetime.now(UTC),
                }
                for name in found
            ]
        }

    def _redrive(self, executionArn: str, clientToken: str) -> Any:
        name = executionArn.rpartition(":")[2]
        if self.executions[name] != "ABORTED":
            return refusal("ExecutionNotRedrivable")
        self.executions[name] = "RUNNING"
        self.redriven.append(name)
        return {"redriveDate": datetime.now(UTC)}
