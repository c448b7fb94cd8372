"""CodeDeploy: one deployment after the other, its stages and questions, its roll-backs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.crash.hub import FOREVER, Hub, Process
from tests.crash.service import Service, TaskSet

HOOK_FAILED = "HOOK_EXECUTION_FAILURE"
HOOK_SECONDS = 3600.0
"""How long CodeDeploy waits for an answer."""
INSTALL_SECONDS = 3600.0
SHIFT = (10, 50, 100)
SHIFT_SECONDS = 10.0
TERMINATION_SECONDS = 30.0
TEST_SECONDS = 1.0
STAGES = (
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "AllowTestTraffic",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AllowTraffic",
    "AfterAllowTraffic",
)
OVER = ("Succeeded", "Failed", "Stopped")


class Over(Exception):
    """It goes no further. The first two arguments: status, and the error's code."""


@dataclass
class Deployment:
    """``stages``: name → status. ``asked``: question → when it was put; ``answers``: question →
    answer. ``late``: the questions whose hour passed without one. ``final``: blue is being ended,
    which nobody stops any more."""

    id: str
    description: str
    revision: str
    created: float
    status: str = "Created"
    code: str = ""
    message: str = ""
    stages: dict[str, str] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    ignores_alarms: bool = False
    undoes: str = ""
    undone_by: str = ""
    stopped: bool = False
    final: bool = False
    green: TaskSet | None = None
    process: Process | None = None

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.status in OVER


class Engine:
    """``ask`` sends a hook's question to its function; ``rings`` tells of the group's alarms."""

    def __init__(
        self, hub: Hub, service: Service, ask: Callable[[str, dict[str, str]], None]
    ) -> None:
        self.all: dict[str, Deployment] = {}
        self.rings: Callable[[], bool] = lambda: False
        self._hub = hub
        self._service = service
        self._ask = ask

    def running(self) -> Deployment | None:
        """The one that has not ended."""
        return next((one for one in self.all.values() if not one.over), None)

    def create(self, description: str, revision: str, *, ignores_alarms: bool) -> Deployment | None:
        """Begin one, unless one is under way."""
        if self.running() is not None:
            return None
        number = sum(not one.undoes for one in self.all.values()) + 1
        made = Deployment(f"d-{number:09}", description, revision, self._hub.now)
        made.ignores_alarms = ignores_alarms
        made.stages = dict.fromkeys(STAGES, "Pending")
        self.all[made.id] = made
        made.process = self._hub.spawn(lambda: self._act(made, self._roll_out))
        return made

    def stop(self, one: Deployment) -> bool:
        """Stop it and roll it back; whether it had not ended."""
        if one.over:
            return False
        if not one.undoes:
            one.stopped = True
            self._service.touch()
        return True

    def answer(self, one: Deployment, question: str, status: str) -> str:
        """Take an answer; why not, or empty."""
        if question not in one.asked:
            return "InvalidLifecycleEventHookExecutionIdException"
        if question in one.answers or question in one.late or one.over:
            return "LifecycleEventAlreadyCompletedException"
        one.answers[question] = status
        self._service.touch()
        return ""

    def _act(self, one: Deployment, how: Callable[[Deployment], None]) -> None:
        self._hub.sleep(2)
        one.status = "InProgress"
        try:
            how(one)
        except Over as why:
            status, code = why.args
            for name, stage in one.stages.items():
                if stage == "InProgress":
                    one.stages[name] = "Failed"
            one.code, one.message = code, f"{code} was said"
            self._undo(one)
            one.status = status
            return
        one.status = "Succeeded"

    def _roll_out(self, one: Deployment) -> None:
        service = self._service
        self._hook(one, "BeforeInstall")
        one.stages["Install"] = "InProgress"
        green = one.green = service.make_set(one.id, one.revision)
        self._wait(one, lambda: service.steady(green), INSTALL_SECONDS, "TIMEOUT")
        one.stages["Install"] = "Succeeded"
        self._hook(one, "AfterInstall")
        one.stages["AllowTestTraffic"] = "InProgress"
        service.lead(service.production, {green.group: 100})
        self._pause(one, TEST_SECONDS)
        one.stages["AllowTestTraffic"] = "Succeeded"
        self._hook(one, "AfterAllowTestTraffic")
        self._hook(one, "BeforeAllowTraffic")
        one.stages["AllowTraffic"] = "InProgress"
        blue = service.primary
        for share in SHIFT:
            service.lead({green.group: share, blue.group: 100 - share})
            self._pause(one, SHIFT_SECONDS)
        one.stages["AllowTraffic"] = "Succeeded"
        self._hook(one, "AfterAllowTraffic")
        self._pause(one, TERMINATION_SECONDS)
        one.final = True
        service.primary = green
        service.drain(blue)
        self._wait(one, lambda: blue not in service.sets, FOREVER, "")

    def _hook(self, one: Deployment, stage: str) -> None:
        one.stages[stage] = "InProgress"
        question = f"{one.id}/{stage}"
        one.asked[question] = self._hub.now
        self._ask(stage, {"DeploymentId": one.id, "LifecycleEventHookExecutionId": question})
        try:
            self._wait(one, lambda: question in one.answers, HOOK_SECONDS, "HOOK_TIMEOUT")
        except Over as why:
            if why.args[1] == "HOOK_TIMEOUT":
                one.late.append(question)
                raise Over("Failed", HOOK_FAILED) from why
            raise
        if one.answers[question] != "Succeeded":
            raise Over("Failed", HOOK_FAILED)
        one.stages[stage] = "Succeeded"

    def _pause(self, one: Deployment, seconds: float) -> None:
        self._wait(one, lambda: False, seconds, "")

    def _wait(
        self, one: Deployment, holds: Callable[[], bool], seconds: float, otherwise: str
    ) -> None:
        deadline = self._hub.now + seconds
        while True:
            if one.stopped and not one.final:
                raise Over("Stopped", "MANUAL_STOP")
            if self.rings() and not (one.ignores_alarms or one.final):
                raise Over("Stopped", "ALARM_ACTIVE")
            if holds():
                return
            if self._hub.now >= deadline:
                if otherwise:
                    raise Over("Failed", otherwise)
                return
            self._service.moved.wait(deadline - self._hub.now)

    def _undo(self, one: Deployment) -> None:
        """The roll-back, where there is something to roll back."""
        if one.undoes or one.green is None:
            return
        undo = Deployment(f"{one.id}-UNDO", "", "", self._hub.now, undoes=one.id)
        one.undone_by = undo.id
        self.all[undo.id] = undo
        green: TaskSet = one.green
        undo.process = self._hub.spawn(lambda: self._act(undo, lambda _: self._roll_back(green)))

    def _roll_back(self, green: TaskSet) -> None:
        service = self._service
        blue = next(
            (each for each in service.sets if each is not green and not each.draining), None
        )
        if blue is None:
            raise Over("Failed", "ECS_UPDATE_ERROR")
        to_blue = {blue.group: 100, green.group: 0}
        service.lead(to_blue, to_blue)
        service.primary = blue
        service.drain(green)
        while green in service.sets:
            service.moved.wait(FOREVER)


def info(one: Deployment) -> dict[str, Any]:
    """What GetDeployment tells of it, times apart."""
    undo = {
        "rollbackDeploymentId": one.undone_by,
        "rollbackTriggeringDeploymentId": one.undoes,
    }
    told: dict[str, Any] = {
        "deploymentId": one.id,
        "status": one.status,
        "description": one.description,
        "rollbackInfo": {key: value for key, value in undo.items() if value},
    }
    if one.code:
        told["errorInformation"] = {"code": one.code, "message": one.message}
    if one.ignores_alarms:
        told["overrideAlarmConfiguration"] = {"enabled": False}
    return told
