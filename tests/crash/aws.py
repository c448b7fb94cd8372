"""AWS as the handlers see it: every client's operations, answered by the simulated world."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.adapters.aws_api import refusal
from tests.adapters.one_target import ARN as TARGET_ARN
from tests.crash.engine import Deployment, Engine, info
from tests.crash.hub import Hub
from tests.crash.machines import ARNS, Execution, Machines
from tests.crash.service import Service, Task
from tests.tasks.aws import ACCOUNT, DEFINITION, DIGEST, REPOSITORY, SETTINGS

Operation = Callable[..., Any]
ALARM = "sample-5xx"
SUSPENSIONS = (
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
)
_GROUP = "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/{}/1"


def when(seconds: float) -> datetime:
    """As AWS tells times."""
    return datetime.fromtimestamp(seconds, UTC)


class Aws:
    """``messages``: what people were told, and when; ``unserved``: those that came while users were
    led to nobody. ``suspended``, ``tags``: of the scalable
    target. ``alarms``: names of those that ring; ``listens``: whether the group stops for them.
    ``operations``: service → operation → answer."""

    def __init__(self, hub: Hub, service: Service, engine: Engine, machines: Machines) -> None:
        self._hub = hub
        self._service = service
        self._engine = engine
        self._machines = machines
        self.messages: list[tuple[float, str, str]] = []
        self.unserved: list[str] = []
        self.suspended: set[str] = {"ScheduledScalingSuspended"}
        self.tags: dict[str, str] = {}
        self.streams: dict[str, list[str]] = {}
        self.alarms: set[str] = set()
        self.listens = True
        self.operations: dict[str, dict[str, Operation]] = {
            "codedeploy": self._codedeploy(),
            "ecs": self._ecs(),
            "ecr": {
                "describe_images": lambda **_: {"imageDetails": [{"imageDigest": DIGEST}]},
                "batch_get_image": lambda **_: {"images": [{"imageManifest": "{}"}]},
            },
            "logs": {
                "create_log_stream": self._stream,
                "put_log_events": self._log,
                "get_log_events": self._read_log,
            },
            "elbv2": {
                "describe_listeners": self._listeners,
                "describe_target_health": self._targets,
            },
            "sns": {"publish": self._publish},
            "cloudwatch": {"describe_alarms": self._describe_alarms},
            "stepfunctions": {
                "start_execution": self._start,
                "describe_execution": self._describe_execution,
                "redrive_execution": self._redrive,
                "list_executions": self._list_executions,
            },
            "application-autoscaling": {
                "describe_scalable_targets": self._scalable,
                "register_scalable_target": self._register,
                "tag_resource": self._tag,
                "untag_resource": self._untag,
                "list_tags_for_resource": lambda **_: {"Tags": dict(self.tags)},
            },
        }

    # CodeDeploy

    def _codedeploy(self) -> dict[str, Operation]:
        return {
            "list_deployments": self._list_deployments,
            "batch_get_deployments": lambda deploymentIds: {
                "deploymentsInfo": [self._info(self._engine.all[each]) for each in deploymentIds]
            },
            "create_deployment": self._create_deployment,
            "get_deployment": self._get_deployment,
            "get_deployment_target": self._target,
            "get_deployment_group": lambda **_: {
                "deploymentGroupInfo": {
                    "alarmConfiguration": {"enabled": self.listens, "alarms": [{"name": ALARM}]}
                }
            },
            "stop_deployment": self._stop_deployment,
            "put_lifecycle_event_hook_execution_status": self._answer,
        }

    def _list_deployments(
        self,
        includeOnlyStatuses: list[str] | None = None,
        createTimeRange: dict[str, Any] | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        since = (createTimeRange or {}).get("start")
        begin = datetime.fromisoformat(since.replace("Z", "+00:00")).timestamp() if since else 0
        return {
            "deployments": [
                one.id
                for one in reversed(self._engine.all.values())
                if (not includeOnlyStatuses or one.status in includeOnlyStatuses)
                and one.created >= begin
            ]
        }

    def _info(self, one: Deployment) -> dict[str, Any]:
        return {**info(one), "createTime": when(one.created)}

    def _create_deployment(
        self, description: str, revision: dict[str, Any], **given: Any
    ) -> dict[str, Any]:
        spec = json.loads(revision["appSpecContent"]["content"])
        asked = spec["Resources"][0]["TargetService"]["Properties"]["TaskDefinition"]
        off = (given.get("overrideAlarmConfiguration") or {}).get("enabled") is False
        made = self._engine.create(description, asked, ignores_alarms=off)
        if made is None:
            raise refusal("DeploymentLimitExceededException")
        return {"deploymentId": made.id}

    def _get_deployment(self, deploymentId: str) -> dict[str, Any]:
        if deploymentId not in self._engine.all:
            raise refusal("DeploymentDoesNotExistException")
        return {"deploymentInfo": self._info(self._engine.all[deploymentId])}

    def _target(self, deploymentId: str, **_: Any) -> dict[str, Any]:
        one = self._engine.all[deploymentId]
        events = [
            {"lifecycleEventName": name, "status": status} for name, status in one.stages.items()
        ]
        return {"deploymentTarget": {"ecsTarget": {"lifecycleEvents": events}}}

    def _stop_deployment(self, deploymentId: str, **_: Any) -> dict[str, Any]:
        if not self._engine.stop(self._engine.all[deploymentId]):
            raise refusal("DeploymentAlreadyCompletedException")
        return {"status": "Pending"}

    def _answer(
        self, deploymentId: str, lifecycleEventHookExecutionId: str, status: str
    ) -> dict[str, Any]:
        one = self._engine.all[deploymentId]
        wrong = self._engine.answer(one, lifecycleEventHookExecutionId, status)
        if wrong:
            raise refusal(wrong)
        return {"lifecycleEventHookExecutionId": lifecycleEventHookExecutionId}

    # ECS

    def _ecs(self) -> dict[str, Operation]:
        return {
            "describe_services": lambda **_: {
                "services": [{"status": "ACTIVE", "desiredCount": self._service.desired}]
            },
            "describe_task_sets": self._task_sets,
            "list_tasks": lambda desiredStatus, **_: {
                "taskArns": [t.arn for t in self._service.tasks if desiredStatus == "RUNNING"]
            },
            "describe_tasks": lambda tasks, **_: {
                "tasks": [self._task(t) for t in self._service.tasks if t.arn in tasks]
            },
            "get_task_protection": self._protection,
            "update_task_protection": self._protect,
            "tag_resource": self._tag_task,
            "untag_resource": self._untag_task,
            "describe_task_definition": self._definition,
            "list_task_definitions": lambda **_: {"taskDefinitionArns": [f"{DEFINITION}11"]},
        }

    def _task_sets(self, **_: Any) -> dict[str, Any]:
        service = self._service
        return {
            "taskSets": [
                {
                    "id": one.id,
                    "externalId": one.external,
                    "status": "PRIMARY"
                    if one is service.primary
                    else "DRAINING"
                    if one.draining
                    else "ACTIVE",
                    "createdAt": when(one.made),
                    "taskDefinition": one.revision,
                    "stabilityStatus": "STEADY_STATE" if service.steady(one) else "STABILIZING",
                }
                for one in service.sets
            ]
        }

    def _task(self, task: Task) -> dict[str, Any]:
        detail = [{"name": "privateIPv4Address", "value": task.address}]
        container = {"name": "app", "image": f"{REPOSITORY}@{DIGEST}", "imageDigest": DIGEST}
        return {
            "taskArn": task.arn,
            "tags": [{"key": key, "value": value} for key, value in task.tags.items()],
            "taskDefinitionArn": task.set.revision,
            "startedBy": task.set.id,
            "lastStatus": "RUNNING" if task.running else "PENDING",
            "healthStatus": "HEALTHY" if task.healthy else "UNHEALTHY",
            "attachments": [{"details": detail if task.running else []}],
            "containers": [container],
        }

    def _protection(self, tasks: list[str], **_: Any) -> dict[str, Any]:
        now = self._hub.now
        return {
            "protectedTasks": [
                {
                    "taskArn": task.arn,
                    "protectionEnabled": True,
                    "expirationDate": when(task.locked_until or 0),
                }
                for task in self._service.tasks
                if task.arn in tasks and task.locked(now)
            ]
        }

    def _protect(
        self, tasks: list[str], protectionEnabled: bool, expiresInMinutes: int = 120, **_: Any
    ) -> dict[str, Any]:
        service, now, failures = self._service, self._hub.now, []
        for arn in tasks:
            found = next((task for task in service.tasks if task.arn == arn), None)
            held = sum(task.locked(now) for task in service.tasks if task is not found)
            if found is None:
                failures.append({"arn": arn, "reason": "MISSING"})
            elif not protectionEnabled:
                service.lock(found, None)
            elif held >= service.desired:
                failures.append({"arn": arn, "reason": "DEPLOYMENT_BLOCKED"})
            else:
                service.lock(found, now + expiresInMinutes * 60)
        return {"protectedTasks": [], "failures": failures}

    def _tag_task(self, resourceArn: str, tags: list[dict[str, str]]) -> dict[str, Any]:
        for task in self._service.tasks:
            if task.arn == resourceArn:
                task.tags |= {tag["key"]: tag["value"] for tag in tags}
        return {}

    def _untag_task(self, resourceArn: str, tagKeys: list[str]) -> dict[str, Any]:
        for task in self._service.tasks:
            if task.arn == resourceArn:
                for key in tagKeys:
                    task.tags.pop(key, None)
        return {}

    def _definition(self, taskDefinition: str, **_: Any) -> dict[str, Any]:
        arn = taskDefinition if taskDefinition.startswith("arn:") else f"{DEFINITION}11"
        container = {
            "name": "app",
            "image": f"{REPOSITORY}@{DIGEST}",
            "healthCheck": {"command": ["CMD-SHELL", "true"]},
        }
        return {
            "taskDefinition": {
                "taskDefinitionArn": arn,
                "family": "sample",
                "status": "ACTIVE",
                "containerDefinitions": [container],
            }
        }

    # The load balancer

    def _listeners(self, LoadBalancerArn: str = "", **_: Any) -> dict[str, Any]:
        def told(arn: str, port: int, weights: dict[str, int]) -> dict[str, Any]:
            groups = [
                {"TargetGroupArn": _GROUP.format(group), "Weight": weight}
                for group, weight in weights.items()
            ]
            forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
            return {
                "ListenerArn": arn,
                "LoadBalancerArn": "arn:balancer",
                "Port": port,
                "DefaultActions": [forward],
            }

        both = [told(SETTINGS.listener, 443, self._service.production)]
        if LoadBalancerArn:
            both.append(told("arn:test", 9090, self._service.test))
        return {"Listeners": both}

    def _targets(self, TargetGroupArn: str) -> dict[str, Any]:
        group = TargetGroupArn.split("/")[1]
        return {
            "TargetHealthDescriptions": [
                {
                    "Target": {"Id": task.address},
                    "TargetHealth": {"State": "healthy" if task.healthy else "initial"},
                }
                for task in self._service.tasks
                if task.set.group == group and task.running
            ]
        }

    # What is left of AWS

    def _stream(self, logStreamName: str, **_: Any) -> dict[str, Any]:
        if logStreamName in self.streams:
            raise refusal("ResourceAlreadyExistsException")
        self.streams[logStreamName] = []
        return {}

    def _log(self, logStreamName: str, logEvents: list[dict[str, Any]], **_: Any) -> dict[str, Any]:
        self.streams[logStreamName] += [str(one["message"]) for one in logEvents]
        return {}

    def _read_log(self, logStreamName: str, nextToken: str = "", **_: Any) -> dict[str, Any]:
        if logStreamName not in self.streams:
            raise refusal("ResourceNotFoundException")
        lines = [] if nextToken == "end" else self.streams[logStreamName]
        if not nextToken:  # a page may be empty though more follow
            return {"events": [], "nextForwardToken": "more"}
        return {"events": [{"message": line} for line in lines], "nextForwardToken": "end"}

    def _publish(self, Subject: str, Message: str, **_: Any) -> dict[str, Any]:
        self.messages.append((self._hub.now, Subject, Message))
        if not self._service.serving():
            self.unserved.append(Message)
        return {"MessageId": "1"}

    def _describe_alarms(self, AlarmNames: list[str], **_: Any) -> dict[str, Any]:
        return {
            "MetricAlarms": [
                {
                    "AlarmName": name,
                    "StateValue": "ALARM" if name in self.alarms else "OK",
                    "StateReason": "so",
                }
                for name in AlarmNames
            ]
        }

    def _scalable(self, ResourceIds: list[str], **_: Any) -> dict[str, Any]:
        target = {
            "ServiceNamespace": "ecs",
            "ResourceId": ResourceIds[0],
            "ScalableDimension": "ecs:service:DesiredCount",
            "MinCapacity": 3,
            "MaxCapacity": 9,
            "RoleARN": f"arn:aws:iam::{ACCOUNT}:role/scaling",
            "CreationTime": when(0),
            "SuspendedState": dict.fromkeys(self.suspended, True),
            "ScalableTargetARN": TARGET_ARN,
        }
        return {"ScalableTargets": [target]}

    def _register(self, SuspendedState: dict[str, bool], **_: Any) -> dict[str, Any]:
        for name, on in SuspendedState.items():
            (self.suspended.add if on else self.suspended.discard)(name)
        return {"ScalableTargetARN": TARGET_ARN}

    def _tag(self, Tags: dict[str, str], **_: Any) -> dict[str, Any]:
        self.tags.update(Tags)
        return {}

    def _untag(self, TagKeys: list[str], **_: Any) -> dict[str, Any]:
        for key in TagKeys:
            self.tags.pop(key, None)
        return {}

    # Step Functions

    def _start(self, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:
        machine = next(key for key, arn in ARNS.items() if arn == stateMachineArn)
        made = self._machines.start(machine, name, input)
        if made is None:
            raise refusal("ExecutionAlreadyExists")
        return {"executionArn": made.arn, "startDate": when(made.started)}

    def _describe_execution(self, executionArn: str) -> dict[str, Any]:
        one = self._machines.named(executionArn)
        if one is None:
            raise refusal("ExecutionDoesNotExist")
        ended = {"stopDate": when(one.stopped)} if one.stopped is not None else {}
        return {**_told(one), "input": one.given, "redriveCount": one.redrives, **ended}

    def _redrive(self, executionArn: str, **_: Any) -> dict[str, Any]:
        one = self._machines.named(executionArn)
        if one is None or not self._machines.redrive(one):
            raise refusal("ExecutionNotRedrivable")
        return {"redriveDate": when(self._hub.now)}

    def _list_executions(
        self, stateMachineArn: str, statusFilter: str = "", **_: Any
    ) -> dict[str, Any]:
        newest = sorted(self._machines.all.values(), key=lambda one: -one.started)
        return {
            "executions": [
                _told(one)
                for one in itertools.islice(newest, 100)
                if ARNS[one.machine] == stateMachineArn and statusFilter in ("", one.status)
            ]
        }


def _told(one: Execution) -> dict[str, Any]:
    return {
        "executionArn": one.arn,
        "stateMachineArn": ARNS[one.machine],
        "name": one.name,
        "status": one.status,
        "startDate": when(one.started),
    }
