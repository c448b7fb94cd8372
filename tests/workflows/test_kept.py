"""Four minutes without AWS in the middle of a hand-over, and what is left when everybody who should
act is dead: the rendered machines and the keeper with the real handlers, over a service in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

import tasks.wiring
from quorumshift.domain.appspec import HAND_OVER_STAGE
from quorumshift.domain.errors import Transient
from quorumshift.domain.keeping import EVERY_SECONDS
from quorumshift.domain.raft import quorum
from quorumshift.domain.rollout import Progress
from tasks import keep
from tests.adapters.aws_api import Api, refusal
from tests.adapters.one_target import OneTarget
from tests.tasks.aws import SETTINGS
from tests.workflows.test_overtaken import Answers, until
from tests.workflows.test_paths import machine
from tests.workflows.two_deployments import TwoDeployments

BLUE, GREEN = {"b1", "b2", "b3"}, {"g1", "g2", "g3"}
THREE_HOURS = 3 * 3600
LOCKS = SETTINGS.policy.lock_minutes * 60


class Lasting(TwoDeployments):
    """Locks expire, the service scales, stages and executions of both machines are told. ``lost``:
    when the quorum was."""

    def __init__(self) -> None:
        super().__init__()
        self.scaling = OneTarget("ScheduledScalingSuspended")
        self.apis["application-autoscaling"] = self.scaling.api
        self.lost: list[float] = []
        self.streams: set[str] = set()
        logs = self.apis["logs"].answers
        logs["create_log_stream"] = self._stream

    def pass_by(self, seconds: float) -> None:
        """Time in which nobody does anything but ECS, CodeDeploy and the cluster."""
        for _ in range(round(seconds / 10)):
            self.service.clock.sleep(10)
            self.look()

    def look(self) -> None:
        now = self.service.clock.now()
        for address, task in list(self.service.tasks.items()):
            if task.locked_until is not None and task.locked_until <= now:
                self.service.protect(address, None)
        voters = self.service.cluster.voters()
        if sum(one.up for one in voters) < quorum(len(voters)):
            self.lost.append(now)

    def go_on(self) -> None:
        super().go_on()
        self.look()

    def _stream(self, logStreamName: str, **_: Any) -> Any:
        if logStreamName in self.streams:
            return refusal("ResourceAlreadyExistsException")
        self.streams.add(logStreamName)
        return {}

    def _codedeploy(self) -> Api:
        api = super()._codedeploy()
        api.answers["get_deployment_target"] = lambda deploymentId, **_: {
            "deploymentTarget": {"ecsTarget": {"lifecycleEvents": self._stages(deploymentId)}}
        }
        return api

    def _stages(self, deployment: str) -> list[dict[str, Any]]:
        known = self.known[deployment]
        if known.undoes or known.stage < 43:
            return []
        status = "Failed" if "Failed" in known.answers.values() else "InProgress"
        return [
            {"lifecycleEventName": "BeforeInstall", "status": "Succeeded"},
            {"lifecycleEventName": HAND_OVER_STAGE, "status": status},
        ]

    def _list_executions(self, statusFilter: str = "", **more: Any) -> dict[str, Any]:
        if more["stateMachineArn"] != SETTINGS.deploy:
            return super()._list_executions(statusFilter, **more)
        arn = SETTINGS.deploy.replace(":stateMachine:", ":execution:")
        return {
            "executions": [
                {
                    "name": name,
                    "executionArn": f"{arn}:{name}",
                    "stateMachineArn": SETTINGS.deploy,
                    "status": "RUNNING",
                    "startDate": datetime.now(UTC),
                }
                for name in self.walks
                if name not in self.executions
            ]
        }

    def _describe(self, executionArn: str) -> Any:
        name = executionArn.rpartition(":")[2]
        if name in self.walks and name not in self.executions:
            ended = self.walks[name].ended
            over = {"stopDate": datetime.fromtimestamp(0, UTC)} if ended else {}
            return {
                "executionArn": executionArn,
                "stateMachineArn": SETTINGS.deploy,
                "status": "FAILED" if ended else "RUNNING",
                "startDate": datetime.now(UTC),
                **over,
            }
        return super()._describe(executionArn)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lasting]:
    memory = Lasting()
    for name, value in SETTINGS.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tasks.wiring, "client", memory.client)
    monkeypatch.setattr(
        "quorumshift.adapters.raft.control.raft_control", lambda *_: memory.service.raft
    )
    monkeypatch.setattr("quorumshift.adapters.clock.SystemClock", lambda: memory.service.clock)
    monkeypatch.setattr("quorumshift.adapters.http_probe.HttpProbe", lambda **_: Answers())
    tasks.wiring.wiring.cache_clear()
    yield memory
    tasks.wiring.wiring.cache_clear()


def to_the_middle(aws: Lasting) -> None:
    aws.begin("one", machine("deploy"), {})
    until(aws, lambda: len(aws.service.voters() & GREEN) == 2)
    assert aws.scaling.suspended is not None
    assert len(aws.scaling.suspended) == 3


def die(aws: Lasting) -> None:
    """Both executions end, and neither could do anything."""

    def breaks(state: str) -> None:
        raise ValueError("nothing works")

    aws.broken = breaks
    for walk in aws.walks.values():
        walk.broken = breaks
    until(aws, lambda: all(walk.ended for walk in aws.walks.values()))
    aws.broken = lambda state: None


def kept_for(aws: Lasting, seconds: int) -> None:
    for _ in range(seconds // EVERY_SECONDS):
        keep.handler({}, None)
        for _ in range(60):
            aws.go_on()
        aws.pass_by(EVERY_SECONDS - 60)


def test_four_minutes_without_aws_in_the_middle_of_a_hand_over_are_waited_for(
    aws: Lasting,
) -> None:
    to_the_middle(aws)

    def out(state: str) -> None:
        raise Transient("no reply")

    working = {name: walk.broken for name, walk in aws.walks.items()}
    for walk in aws.walks.values():
        walk.broken = out
    for _ in range(240):
        aws.go_on()
    assert not [name for name, walk in aws.walks.items() if walk.ended]
    for name, walk in aws.walks.items():
        walk.broken = working[name]
    until(aws, lambda: all(walk.ended for walk in aws.walks.values()))
    assert {name: walk.ended.at for name, walk in aws.walks.items() if walk.ended} == {
        "one": "Deployed",
        "d-1-green": "HandedOver",
    }
    assert aws.service.voters() == GREEN
    assert aws.scaling.suspended == {"ScheduledScalingSuspended"}
    assert aws.lost == []


def test_without_the_keeper_the_quorum_is_lost_with_the_locks_after_everybody_died(
    aws: Lasting,
) -> None:
    to_the_middle(aws)
    die(aws)
    aws.known["d-1"].answers[HAND_OVER_STAGE] = "Failed"  # CodeDeploy's hour is over
    for _ in range(20):
        aws.go_on()
    aws.pass_by(LOCKS + 600)
    for _ in range(20):
        aws.go_on()
    assert aws.lost


@pytest.mark.parametrize("hour_is_over", [False, True])
def test_the_keeper_brings_everything_home_when_everybody_died(
    aws: Lasting, hour_is_over: bool
) -> None:
    to_the_middle(aws)
    die(aws)
    if hour_is_over:
        aws.known["d-1"].answers[HAND_OVER_STAGE] = "Failed"
        for _ in range(20):
            aws.go_on()
    kept_for(aws, THREE_HOURS)
    assert aws.lost == []
    assert aws.service.voters() == BLUE
    assert aws.known["d-1"].rollout.progress is not Progress.RUNNING
    assert aws.known["d-10"].rollout.progress is Progress.SUCCEEDED
    assert aws.scaling.suspended == {"ScheduledScalingSuspended"}
    assert aws.service.locked == set()
    told = [text for subject, text in aws.messages if "looked after" in subject]
    assert 1 <= len(told) == len(set(told)) <= 3, told


def test_locks_are_renewed_for_as_long_as_nobody_can_move_the_votes(aws: Lasting) -> None:
    """No execution can run for longer than a lock lasts; the keeper alone keeps voters alive."""
    to_the_middle(aws)
    die(aws)

    def breaks(state: str) -> None:
        raise ValueError("nothing works")

    aws.broken = breaks
    kept_for(aws, LOCKS + THREE_HOURS)
    assert aws.lost == []
    assert len(aws.service.locked & aws.service.voters()) >= 2


def test_locks_are_renewed_though_nobody_can_be_asked_about_the_deployment(aws: Lasting) -> None:
    to_the_middle(aws)
    die(aws)
    working = dict(aws.apis["codedeploy"].answers)
    for name in working:
        aws.apis["codedeploy"].answers[name] = refusal("InternalFailure", status=500)
    for _ in range((LOCKS + THREE_HOURS) // EVERY_SECONDS):
        with pytest.raises(Transient):
            keep.handler({}, None)
        aws.pass_by(EVERY_SECONDS)
    aws.apis["codedeploy"].answers |= working
    kept_for(aws, THREE_HOURS)
    assert aws.lost == []
    assert aws.service.voters() == BLUE
    assert aws.service.locked == set()


def test_the_keeper_gives_back_locks_that_were_left_and_not_those_of_others(aws: Lasting) -> None:
    """Nothing was ever deployed; whoever moved the votes between deployments has died."""
    service = aws.service
    service.lock(["arn:b1", "arn:b2"], SETTINGS.policy.lock_minutes)
    service.protect("b3", theirs := service.clock.now() + 36_000)
    assert "letGo" not in keep.handler({}, None)["deeds"], "they are new"
    service.clock.sleep(EVERY_SECONDS)
    aws.executions["reconcile-1"] = "RUNNING"
    assert "letGo" not in keep.handler({}, None)["deeds"]
    aws.executions.clear()
    assert "letGo" in keep.handler({}, None)["deeds"]
    assert service.locked == {"b3"}
    assert service.tasks["b3"].locked_until == theirs


def test_the_keeper_leaves_alone_what_is_followed(aws: Lasting) -> None:
    aws.begin("one", machine("deploy"), {})
    deeds: list[str] = []
    for _ in range(400):
        aws.go_on()
        if aws.round % 20 == 0:
            deeds += keep.handler({}, None)["deeds"]
        if all(walk.ended for walk in aws.walks.values()):
            break
    assert aws.walks["one"].ended is not None
    assert aws.walks["one"].ended.at == "Deployed"
    assert set(deeds) <= {"reconcile"}
    assert set(aws.executions) == {"d-1-green"}
