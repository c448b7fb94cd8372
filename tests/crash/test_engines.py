"""The simulated engines keep what the rehearsal's promise (``tests/rehearsal`` asks those)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.crash.engine_contract import PROMISES, Bench, Ids
from tests.crash.world import World

DAY = 86_400.0


class Simulated:
    """See :class:`Bench`."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.world = World()
        self.world.engine._ask = self._ask
        self.world.service.changed = lambda task, status: None
        self._questions: dict[str, Ids] = {}

    def _api(self, service: str, operation: str, **given: Any) -> Any:
        return self.world.aws.operations[service][operation](**given)

    def _ask(self, stage: str, ids: Ids) -> None:
        if stage in self.held:
            self._questions[stage] = ids
        else:
            self.world.hub.after(1, lambda: self.answer(ids, "Succeeded"))

    def deploy(self) -> str:
        properties = {"TaskDefinition": "arn:aws:ecs:us-east-1:1:task-definition/sample:12"}
        content = json.dumps({"Resources": [{"TargetService": {"Properties": properties}}]})
        revision = {"appSpecContent": {"content": content}}
        made = self._api("codedeploy", "create_deployment", description="", revision=revision)
        return str(made["deploymentId"])

    def stop(self, deployment: str) -> None:
        self._api("codedeploy", "stop_deployment", deploymentId=deployment)

    def info(self, deployment: str) -> dict[str, Any]:
        found = self._api("codedeploy", "get_deployment", deploymentId=deployment)
        return dict(found["deploymentInfo"])

    def question(self, stage: str) -> Ids:
        self.until(lambda: stage in self._questions)
        return self._questions.pop(stage)

    def answer(self, ids: Ids, status: str) -> None:
        self._api(
            "codedeploy",
            "put_lifecycle_event_hook_execution_status",
            deploymentId=ids["DeploymentId"],
            lifecycleEventHookExecutionId=ids["LifecycleEventHookExecutionId"],
            status=status,
        )

    def tasks(self, status: str) -> list[str]:
        sets = self._api("ecs", "describe_task_sets")["taskSets"]
        named = {one["id"] for one in sets if one["status"] == status}
        return [task.arn for task in self.world.service.tasks if task.set.id in named]

    def protect(self, tasks: list[str], on: bool) -> list[dict[str, Any]]:
        given = {"tasks": tasks, "protectionEnabled": on}
        return list(self._api("ecs", "update_task_protection", **given)["failures"])

    def until(self, holds: Callable[[], Any]) -> None:
        self.world.hub.run(lambda: bool(holds()), DAY)
        assert holds()


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_the_simulated_engines_keep_it(promise: Callable[[Bench], None]) -> None:
    promise(Simulated())
