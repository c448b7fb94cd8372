"""The embedded engines keep what the crash matrix's do, asked in the same words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.crash.engine_contract import PROMISES, Bench, Ids
from tests.rehearsal.stage import until
from tests.rehearsal.test_codedeploy import Group, Questions, group, questions

__all__ = ["group", "questions"]
SECONDS = 20
HOOKS = ("BeforeInstall", "AfterAllowTraffic")


class Embedded:
    """See :class:`Bench`."""

    def __init__(self, made: Group, asked: Questions) -> None:
        self._group, self._questions = made, asked
        made.create()
        made.hooks = {stage: stage for stage in HOOKS}

    @property
    def held(self) -> set[str]:
        return {stage for stage in HOOKS if self._questions.answers.get(stage, "yes") is None}

    @held.setter
    def held(self, stages: set[str]) -> None:
        self._questions.asked.clear()
        self._questions.answers = dict.fromkeys(stages)

    def deploy(self) -> str:
        return self._group.deploy()

    def stop(self, deployment: str) -> None:
        self._group.api.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)

    def info(self, deployment: str) -> dict[str, Any]:
        return self._group.info(deployment)

    def question(self, stage: str) -> Ids:
        return dict(until(lambda: [ids for name, ids in self._questions.asked if name == stage])[0])

    def answer(self, ids: Ids, status: str) -> None:
        self._questions.answer(ids, status)

    def tasks(self, status: str) -> list[str]:
        named = {one["id"] for one in self._group.stage.task_sets() if one["status"] == status}
        return [t["taskArn"] for t in self._group.stage.tasks() if t["startedBy"] in named]

    def protect(self, tasks: list[str], on: bool) -> list[dict[str, Any]]:
        return list(self._group.stage.protect(tasks, on)["failures"])

    def until(self, holds: Callable[[], Any]) -> None:
        until(holds, SECONDS)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_the_embedded_engines_keep_it(
    promise: Callable[[Bench], None], group: Group, questions: Questions
) -> None:
    promise(Embedded(group, questions))
