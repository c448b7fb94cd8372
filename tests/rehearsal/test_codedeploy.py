"""CodeDeploy: whole deployments of a real service, and every way in which they can end."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from quorumshift.rehearsal.aws.ecs import EcsEngine
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.world import World
from tests.rehearsal.conftest import make_role
from tests.rehearsal.stage import PORT, Stage, stage, until

ALL_EVENTS = {
    "enabled": True,
    "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
}
ENDED = ("Succeeded", "Failed", "Stopped")


@dataclass
class Group:
    """A deployment group of a running service, and what a person would do with it."""

    stage: Stage
    alarm: str
    hooks: dict[str, str] = field(default_factory=dict)

    @property
    def api(self) -> Any:
        return self.stage.world.client("codedeploy")

    def create(self, termination_minutes: int = 0) -> None:
        world, name = self.stage.world, self.stage.name
        self.api.create_application(applicationName=name, computePlatform="ECS")
        self.set_alarm("OK")
        groups = [arn.split("/")[1] for arn in (self.stage.blue, self.stage.green)]
        self.api.create_deployment_group(
            applicationName=name,
            deploymentGroupName=name,
            serviceRoleArn="arn:aws:iam::123456789012:role/codedeploy",
            deploymentConfigName="CodeDeployDefault.ECSAllAtOnce",
            autoRollbackConfiguration=ALL_EVENTS,
            alarmConfiguration={"enabled": True, "alarms": [{"name": self.alarm}]},
            deploymentStyle={
                "deploymentType": "BLUE_GREEN",
                "deploymentOption": "WITH_TRAFFIC_CONTROL",
            },
            blueGreenDeploymentConfiguration={
                "terminateBlueInstancesOnDeploymentSuccess": {
                    "action": "TERMINATE",
                    "terminationWaitTimeInMinutes": termination_minutes,
                },
                "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT"},
            },
            loadBalancerInfo={
                "targetGroupPairInfoList": [
                    {
                        "targetGroups": [{"name": n} for n in groups],
                        "prodTrafficRoute": {"listenerArns": [self.stage.production]},
                        "testTrafficRoute": {"listenerArns": [self.stage.test]},
                    }
                ]
            },
            ecsServices=[{"clusterName": name, "serviceName": name}],
            triggerConfigurations=[
                {
                    "triggerName": "all",
                    "triggerTargetArn": world.client("sns").create_topic(Name=name)["TopicArn"],
                    "triggerEvents": ["DeploymentStart", "DeploymentSuccess"],
                }
            ],
        )

    def set_alarm(self, state: str) -> None:
        cloudwatch = self.stage.world.client("cloudwatch")
        if state == "OK":
            cloudwatch.put_metric_alarm(
                AlarmName=self.alarm,
                Namespace="Test",
                MetricName=self.alarm,
                Statistic="Average",
                Period=60,
                EvaluationPeriods=1,
                Threshold=1,
                ComparisonOperator="GreaterThanThreshold",
                TreatMissingData="ignore",
            )
        cloudwatch.set_alarm_state(AlarmName=self.alarm, StateValue=state, StateReason="test")

    def appspec(self, definition: str) -> str:
        service = {
            "TaskDefinition": definition,
            "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": PORT},
        }
        return json.dumps(
            {
                "version": 0.0,
                "Resources": [
                    {"TargetService": {"Type": "AWS::ECS::Service", "Properties": service}}
                ],
                "Hooks": [{event: function} for event, function in self.hooks.items()],
            }
        )

    def deploy(self, behaviour: str = "normal", **more: Any) -> str:
        content = self.appspec(self.stage.definition(behaviour))
        revision = {
            "revisionType": "AppSpecContent",
            "appSpecContent": {
                "content": content,
                "sha256": hashlib.sha256(content.encode()).hexdigest(),
            },
        }
        return str(
            self.api.create_deployment(
                **{
                    "applicationName": self.stage.name,
                    "deploymentGroupName": self.stage.name,
                    "revision": revision,
                    **more,
                }
            )["deploymentId"]
        )

    def info(self, deployment: str) -> dict[str, Any]:
        return dict(self.api.get_deployment(deploymentId=deployment)["deploymentInfo"])

    def target(self, deployment: str) -> dict[str, Any]:
        name = f"{self.stage.name}:{self.stage.name}"
        found = self.api.get_deployment_target(deploymentId=deployment, targetId=name)
        return dict(found["deploymentTarget"]["ecsTarget"])

    def events(self, deployment: str) -> dict[str, dict[str, Any]]:
        return {e["lifecycleEventName"]: e for e in self.target(deployment)["lifecycleEvents"]}

    def end(self, deployment: str, status: str) -> dict[str, Any]:
        until(lambda: self.info(deployment)["status"] in ENDED, 20)
        info = self.info(deployment)
        assert info["status"] == status, info
        return info

    def undone(self, deployment: str) -> None:
        """The roll-back of ``deployment`` succeeds, and blue is as it was."""
        back = self.info(deployment)["rollbackInfo"]["rollbackDeploymentId"]
        undo = self.end(back, "Succeeded")
        assert undo["creator"] == "codeDeployRollback"
        assert undo["rollbackInfo"]["rollbackTriggeringDeploymentId"] == deployment
        assert self.weights(self.stage.production) == {self.stage.blue: 100, self.stage.green: 0}
        assert self.weights(self.stage.test)[self.stage.blue] > 0
        (left,) = self.stage.task_sets()
        assert left["status"] == "PRIMARY"
        assert left["loadBalancers"][0]["targetGroupArn"] == self.stage.blue

    def weights(self, listener: str) -> dict[str, int]:
        (found,) = self.stage.elb.describe_listeners(ListenerArns=[listener])["Listeners"]
        groups = found["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
        return {g["TargetGroupArn"]: g["Weight"] for g in groups}

    def green(self) -> dict[str, Any] | None:
        return next((s for s in self.stage.task_sets() if s["status"] == "ACTIVE"), None)

    def protect(self, task_set: dict[str, Any], on: bool = True) -> None:
        tasks = [t["taskArn"] for t in self.stage.tasks() if t["startedBy"] == task_set["id"]]
        assert not self.stage.protect(tasks, on)["failures"]


@pytest.fixture
def group(world: World, aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Group]:
    monkeypatch.setattr(world, "speed", 300)
    engine = next(e for e in aws.engines if isinstance(e, EcsEngine))
    made = Group(stage(world, engine), f"alarm-{uuid.uuid4().hex[:6]}")
    made.stage.create(desired=1)
    made.stage.steady()
    yield made
    made.stage.end()


def listen(group: Group) -> Callable[[], list[dict[str, Any]]]:
    """A rule on CodeDeploy's events of this application; what its queue has received so far."""
    world, name = group.stage.world, group.stage.name
    sqs, events = world.client("sqs"), world.client("events")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    pattern = {"source": ["aws.codedeploy"], "detail": {"application": [name]}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    received: list[dict[str, Any]] = []

    def heard() -> list[dict[str, Any]]:
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        received.extend(json.loads(message["Body"]) for message in found)
        return received

    return heard


class Questions:
    """Stands in the place of the functions: records what each hook is asked, and answers."""

    def __init__(self, group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.answers: dict[str, str | None] = {}
        self._group = group
        client = group.stage.world.client("lambda")
        monkeypatch.setattr(client, "invoke", self._invoke)

    def _invoke(self, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:
        assert InvocationType == "Event"
        ids = json.loads(Payload)
        self.asked.append((FunctionName, ids))
        answer = self.answers.get(FunctionName, "Succeeded")
        if answer is not None:
            threading.Thread(target=self.answer, args=(ids, answer)).start()
        return {"StatusCode": 202}

    def answer(self, ids: dict[str, str], status: str) -> None:
        self._group.api.put_lifecycle_event_hook_execution_status(
            deploymentId=ids["DeploymentId"],
            lifecycleEventHookExecutionId=ids["LifecycleEventHookExecutionId"],
            status=status,
        )


@pytest.fixture
def questions(group: Group, monkeypatch: pytest.MonkeyPatch) -> Questions:
    return Questions(group, monkeypatch)


def test_two_deployments_in_a_row_succeed_and_swap_the_target_groups(
    group: Group, questions: Questions
) -> None:
    group.create()
    for hook in (
        "BeforeInstall",
        "AfterInstall",
        "AfterAllowTestTraffic",
        "BeforeAllowTraffic",
        "AfterAllowTraffic",
    ):
        group.hooks[hook] = f"{group.stage.name}-{hook}"
    stage_, (old,) = group.stage, group.stage.task_sets()
    heard = listen(group)
    first = group.deploy(description="one")
    until(lambda: len(questions.asked) == 5)
    info = group.end(first, "Succeeded")
    assert first.startswith("d-")
    assert len(first) == 11
    assert info["description"] == "one"
    assert info["creator"] == "user"
    assert [name.rpartition("-")[2] for name, _ in questions.asked] == list(group.hooks)
    for _, ids in questions.asked:
        assert set(ids) == {"DeploymentId", "LifecycleEventHookExecutionId"}
        assert ids["DeploymentId"] == first
    with pytest.raises(ClientError, match="LifecycleEventAlreadyCompleted"):
        questions.answer(questions.asked[0][1], "Failed")
    with pytest.raises(ClientError, match="InvalidLifecycleEventHookExecutionId"):
        questions.answer({"DeploymentId": first, "LifecycleEventHookExecutionId": "x"}, "Failed")

    assert {e["status"] for e in group.events(first).values()} == {"Succeeded"}
    times = [e["startTime"] for e in group.target(first)["lifecycleEvents"]]
    assert times == sorted(times)
    (new,) = stage_.task_sets()
    assert (new["externalId"], new["startedBy"]) == (first, "CODE_DEPLOY")
    assert new["status"] == "PRIMARY"
    assert new["id"] != old["id"]
    assert group.weights(stage_.production) == {stage_.blue: 0, stage_.green: 100}
    assert group.weights(stage_.test) == {stage_.blue: 0, stage_.green: 100}
    service = stage_.ecs.describe_services(cluster=stage_.name, services=[stage_.name])
    assert service["services"][0]["taskDefinition"] == new["taskDefinition"]
    told = {t["taskSetLabel"]: t for t in group.target(first)["taskSetsInfo"]}
    assert told["Green"]["identifer"] == new["id"]
    assert (told["Blue"]["trafficWeight"], told["Green"]["trafficWeight"]) == (0.0, 100.0)

    until(lambda: len(heard()) == 2)
    assert [(e["detail"]["deploymentId"], e["detail"]["state"]) for e in heard()] == [
        (first, "START"),
        (first, "SUCCESS"),
    ]
    subjects = [e.text for e in stage_.world.events.all("notification") if first in e.text]
    assert [subject.split(":")[0] for subject in subjects] == ["CREATED", "SUCCEEDED"]

    second = group.deploy()
    group.end(second, "Succeeded")
    assert group.weights(stage_.production) == {stage_.blue: 100, stage_.green: 0}
    (newest,) = stage_.task_sets()
    assert newest["loadBalancers"][0]["targetGroupArn"] == stage_.blue
    listed = group.api.list_deployments(
        applicationName=stage_.name,
        deploymentGroupName=stage_.name,
        includeOnlyStatuses=["Succeeded"],
        createTimeRange={"start": info["createTime"]},
    )["deployments"]
    assert listed == [second, first]
    described = group.api.get_deployment_group(
        applicationName=stage_.name, deploymentGroupName=stage_.name
    )["deploymentGroupInfo"]
    assert described["lastSuccessfulDeployment"]["deploymentId"] == second
    assert described["alarmConfiguration"]["alarms"] == [{"name": group.alarm}]


def test_a_real_function_is_asked_and_a_failed_hook_rolls_back(group: Group) -> None:
    """A Lambda of the embedded AWS answers Failed; the deployment's own roll-back follows."""
    group.create()
    code = (
        "import boto3, os\n"
        "def handler(event, context):\n"
        "    boto3.client('codedeploy').put_lifecycle_event_hook_execution_status(\n"
        "        deploymentId=event['DeploymentId'], status='Failed',\n"
        "        lifecycleEventHookExecutionId=event['LifecycleEventHookExecutionId'])\n"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("hook.py", code)
    world = group.stage.world
    arn = world.client("lambda").create_function(
        FunctionName=f"{group.stage.name}-no",
        Runtime="python3.11",
        Role=make_role(world, "codedeploy:PutLifecycleEventHookExecutionStatus"),
        Handler="hook.handler",
        Code={"ZipFile": packed.getvalue()},
        Timeout=10,
    )["FunctionArn"]
    group.hooks = {"AfterInstall": arn}
    deployment = group.deploy()
    info = group.end(deployment, "Failed")
    assert info["errorInformation"]["code"] == "HOOK_EXECUTION_FAILURE"
    events = group.events(deployment)
    assert events["AfterInstall"]["diagnostics"]["errorCode"] == "ScriptFailed"
    assert events["AllowTraffic"]["status"] == "Skipped"
    group.undone(deployment)


def test_protected_blue_holds_the_end_and_protected_green_the_roll_back(
    group: Group, questions: Questions
) -> None:
    group.create()
    (blue,) = group.stage.task_sets()
    group.protect(blue)
    first = group.deploy()
    until(lambda: any(s["status"] == "DRAINING" for s in group.stage.task_sets()))
    time.sleep(0.5)
    assert group.info(first)["status"] == "InProgress"
    group.protect(blue, on=False)
    group.end(first, "Succeeded")

    group.hooks = {"AfterAllowTraffic": "no"}
    questions.answers["no"] = None
    second = group.deploy()
    until(lambda: questions.asked)
    green = until(group.green)
    group.protect(green)
    questions.answer(questions.asked[0][1], "Failed")
    group.end(second, "Failed")
    back = group.info(second)["rollbackInfo"]["rollbackDeploymentId"]
    until(lambda: any(s["status"] == "DRAINING" for s in group.stage.task_sets()))
    time.sleep(0.5)
    assert group.info(back)["status"] == "InProgress"
    with pytest.raises(ClientError, match="DeploymentLimitExceeded"):
        group.deploy()
    group.protect(green, on=False)
    group.end(back, "Succeeded")


def test_a_stop_rolls_back_but_not_before_install(group: Group, questions: Questions) -> None:
    group.create()
    group.hooks = {"BeforeInstall": "before", "BeforeAllowTraffic": "traffic"}
    questions.answers = {"before": None, "traffic": None}
    early = group.deploy()
    until(lambda: questions.asked)
    with pytest.raises(ClientError, match=early):
        group.deploy()  # DeploymentLimitExceededException names the active one
    stopped = group.api.stop_deployment(deploymentId=early, autoRollbackEnabled=True)
    assert stopped["status"] == "Pending"
    info = group.end(early, "Stopped")
    assert info["errorInformation"]["code"] == "MANUAL_STOP"
    assert "rollbackDeploymentId" not in info["rollbackInfo"]
    with pytest.raises(ClientError, match="LifecycleEventAlreadyCompleted"):
        questions.answer(questions.asked[0][1], "Succeeded")
    with pytest.raises(ClientError, match="DeploymentAlreadyCompleted"):
        group.api.stop_deployment(deploymentId=early)

    questions.answers["before"] = "Succeeded"
    late = group.deploy()
    until(lambda: questions.asked[-1][0] == "traffic")
    assert group.weights(group.stage.test)[group.stage.green] == 100
    group.api.stop_deployment(deploymentId=late, autoRollbackEnabled=True)
    group.end(late, "Stopped")
    group.undone(late)


def test_traffic_moves_in_steps_and_an_alarm_turns_it_back(group: Group) -> None:
    group.create()
    config = f"linear-{group.stage.name}"
    group.api.create_deployment_config(
        deploymentConfigName=config,
        computePlatform="ECS",
        trafficRoutingConfig={
            "type": "TimeBasedLinear",
            "timeBasedLinear": {"linearPercentage": 40, "linearInterval": 5},
        },
    )
    deployment = group.deploy(deploymentConfigName=config)
    seen: list[int] = []

    def at_80() -> bool:
        seen.append(group.weights(group.stage.production).get(group.stage.green, 0))
        return seen[-1] == 80

    until(at_80)
    assert sorted(set(seen)) == [0, 40, 80]
    shares = {
        t["taskSetLabel"]: t["trafficWeight"] for t in group.target(deployment)["taskSetsInfo"]
    }
    assert shares == {"Blue": 20.0, "Green": 80.0}
    group.set_alarm("ALARM")
    info = group.end(deployment, "Stopped")
    assert info["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert group.alarm in info["errorInformation"]["message"]
    group.undone(deployment)
    again = group.deploy()  # the alarm is still active
    info = group.end(again, "Stopped")
    assert info["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert "rollbackDeploymentId" not in info["rollbackInfo"]
    assert len(group.stage.task_sets()) == 1
    assert "overrideAlarmConfiguration" not in info
    off = {"enabled": False}
    back = group.deploy(overrideAlarmConfiguration=off)
    assert group.end(back, "Succeeded")["overrideAlarmConfiguration"] == off


def test_the_termination_wait_can_be_cut_short_and_rolled_back(group: Group) -> None:
    group.create(termination_minutes=120)
    deployment = group.deploy()
    until(lambda: group.info(deployment)["status"] == "Ready")
    assert group.info(deployment)["instanceTerminationWaitTimeStarted"] is True
    assert len(group.stage.task_sets()) == 2
    group.api.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    group.end(deployment, "Stopped")
    group.undone(deployment)
    second = group.deploy()
    with pytest.raises(ClientError, match="DeploymentIsNotInReadyState"):
        group.api.continue_deployment(deploymentId=second, deploymentWaitType="READY_WAIT")
    until(lambda: group.info(second)["status"] == "Ready")
    group.api.continue_deployment(deploymentId=second, deploymentWaitType="TERMINATION_WAIT")
    group.end(second, "Succeeded")


def test_a_hook_without_an_answer_and_one_without_a_function(
    group: Group, questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    group.create()
    group.hooks = {"BeforeInstall": "mute"}
    questions.answers["mute"] = None
    monkeypatch.setattr(group.stage.world, "speed", 3600)
    deployment = group.deploy()
    info = group.end(deployment, "Failed")
    assert group.events(deployment)["BeforeInstall"]["diagnostics"]["errorCode"] == (
        "ScriptTimedOut"
    )
    assert "rollbackDeploymentId" not in info["rollbackInfo"]
    monkeypatch.undo()
    group.hooks = {"BeforeInstall": "nobody"}
    absent = group.deploy()
    info = group.end(absent, "Failed")
    assert info["errorInformation"]["code"] == "INVALID_LAMBDA_FUNCTION"


def test_green_that_exits_at_its_start_never_gets_steady(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    group.create()
    monkeypatch.setattr(group.stage.world, "speed", 1200)
    deployment = group.deploy("exit")
    info = group.end(deployment, "Failed")
    assert info["errorInformation"]["code"] == "TIMEOUT"
    assert group.events(deployment)["Install"]["status"] == "Failed"
    group.undone(deployment)


def test_what_create_deployment_refuses(group: Group) -> None:
    group.create()
    for code, wrong in (
        ("DescriptionTooLong", {"description": "x" * 257}),
        ("DeploymentConfigDoesNotExist", {"deploymentConfigName": "CodeDeployDefault.Magic"}),
        ("InvalidRevision", {"revision": _revision("{}")}),
        ("InvalidRevision", {"revision": _revision(group.appspec("x:1"), "0" * 64)}),
        ("DeploymentGroupDoesNotExist", {"deploymentGroupName": "other"}),
    ):
        with pytest.raises(ClientError, match=code):
            group.deploy(**wrong)
    group.hooks = {"AfterBreakfast": "f"}
    with pytest.raises(ClientError, match="AfterBreakfast is none of"):
        group.deploy()
    assert (
        group.stage.world.client("codedeploy").list_deployments(
            applicationName=group.stage.name, deploymentGroupName=group.stage.name
        )["deployments"]
        == []
    )


def _revision(content: str, sha256: str | None = None) -> dict[str, Any]:
    inner = {"content": content, **({"sha256": sha256} if sha256 else {})}
    return {"revisionType": "AppSpecContent", "appSpecContent": inner}
