"""Locks on tasks that others may protect as well: what was is what is after."""

from __future__ import annotations

import contextlib
import itertools
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from quorumshift.adapters.aws.client import Client
from quorumshift.adapters.aws.protection import EcsTaskProtection
from quorumshift.domain.errors import ChangeRefused, Transient
from quorumshift.domain.lock_record import TAG
from tests.adapters.aws_api import Api, refusal

TASKS = [f"arn:aws:ecs:eu-west-1:123456789012:task/c/{number}" for number in range(12)]
NOW = 1_790_000_000.0
HOURS = 7200.0


class Tasks:
    """ECS with these tasks: until when each is protected, and its tags. ``now``: epoch seconds."""

    def __init__(self, **until: float) -> None:
        self.now = NOW
        self.until = {task: until.get(f"t{at}") for at, task in enumerate(TASKS)}
        self.tags: dict[str, dict[str, str]] = {task: {} for task in TASKS}
        self.api = Api(
            "ecs",
            describe_tasks=self._describe,
            get_task_protection=self._get,
            update_task_protection=self._update,
            tag_resource=self._tag,
            untag_resource=self._untag,
        )
        clock: Any = SimpleNamespace(now=lambda: self.now)
        self.ours = EcsTaskProtection(Client(lambda: self.api), "c", clock)

    def _describe(self, tasks: list[str], include: list[str], **_: Any) -> dict[str, Any]:
        assert include == ["TAGS"]
        return {
            "tasks": [
                {
                    "taskArn": task,
                    "tags": [{"key": k, "value": v} for k, v in self.tags[task].items()],
                }
                for task in tasks
                if task in self.until
            ]
        }

    def _get(self, tasks: list[str], **_: Any) -> dict[str, Any]:
        return {
            "protectedTasks": [
                {
                    "taskArn": task,
                    "protectionEnabled": True,
                    "expirationDate": datetime.fromtimestamp(until, UTC),
                }
                for task in tasks
                if (until := self.until.get(task)) is not None and until > self.now
            ]
        }

    def _update(
        self, tasks: list[str], protectionEnabled: bool, expiresInMinutes: int = 0, **_: Any
    ) -> dict[str, Any]:
        self.now += 1
        missing = [task for task in tasks if task not in self.until]
        until = self.now + expiresInMinutes * 60 if protectionEnabled else None
        self.until |= {task: until for task in tasks if task in self.until}
        return {"failures": [{"arn": task, "reason": "MISSING"} for task in missing]}

    def _tag(self, resourceArn: str, tags: list[dict[str, str]]) -> dict[str, Any]:
        self.tags[resourceArn] |= {tag["key"]: tag["value"] for tag in tags}
        return {}

    def _untag(self, resourceArn: str, tagKeys: list[str]) -> dict[str, Any]:
        for key in tagKeys:
            self.tags[resourceArn].pop(key, None)
        return {}


def test_a_lock_and_its_end_ten_tasks_at_a_time() -> None:
    ecs = Tasks()
    ecs.ours.lock(TASKS, 120)
    asked = ecs.api.asked("update_task_protection")
    assert [len(one["tasks"]) for one in asked] == [10, 2]
    assert asked[0]["expiresInMinutes"] == 120
    assert all(TAG in tags for tags in ecs.tags.values())
    ecs.ours.release(TASKS)
    assert set(ecs.until.values()) == {None}
    assert not any(ecs.tags.values())


def test_who_locked_nothing_unlocks_nothing() -> None:
    ecs = Tasks(t0=NOW + 60, t1=NOW + 2 * HOURS)
    before = dict(ecs.until)
    ecs.ours.release(TASKS)
    assert ecs.until == before
    assert not ecs.api.asked("update_task_protection")
    assert not ecs.api.asked("untag_resource")


def test_each_task_is_protected_afterwards_as_it_was() -> None:
    ecs = Tasks(t1=NOW + 1800, t2=NOW + 2 * HOURS, t3=NOW + 30)
    ecs.ours.lock(TASKS[:4], 120)
    assert ecs.until[TASKS[1]] == ecs.until[TASKS[0]] == NOW + 1 + HOURS
    assert ecs.until[TASKS[2]] == NOW + 2 * HOURS, "it lasts longer than ours, and is not shortened"
    ecs.now = NOW + 900
    ecs.ours.lock(TASKS[:4], 120)  # a renewal
    ecs.ours.release(TASKS[:4])
    assert ecs.until[TASKS[0]] is None
    assert NOW + 1800 <= (ecs.until[TASKS[1]] or 0) <= NOW + 1870
    assert ecs.until[TASKS[2]] == NOW + 2 * HOURS
    assert ecs.until[TASKS[3]] is None, "which had ended meanwhile"
    assert not any(ecs.tags.values())


def test_what_a_task_sets_for_itself_meanwhile_stays() -> None:
    ecs = Tasks()
    ecs.ours.lock(TASKS[:1], 120)
    ecs.now = NOW + 600
    theirs = ecs.until[TASKS[0]] = ecs.now + HOURS
    ecs.ours.release(TASKS[:1])
    assert ecs.until[TASKS[0]] == theirs
    assert not ecs.tags[TASKS[0]]
    ecs.ours.release(TASKS[:1])
    assert ecs.until[TASKS[0]] == theirs


@pytest.mark.parametrize("before", [None, NOW + 1800, NOW + 2 * HOURS])
@pytest.mark.parametrize("deed", ["lock", "renew", "release"])
def test_a_death_between_any_two_calls_loses_nothing(before: float | None, deed: str) -> None:
    """Whatever comes next, a lock or its end: afterwards it is as it was."""
    for dies_at, next_deed in itertools.product(range(1, 8), ["lock", "release"]):
        ecs = Tasks()
        ecs.until[TASKS[0]] = before
        if deed != "lock":
            ecs.ours.lock(TASKS[:1], 120)
            ecs.now += 400
        answers = ecs.api.answers
        ecs.api.answers = dying(answers, dies_at)
        with contextlib.suppress(MemoryError):
            if deed == "release":
                ecs.ours.release(TASKS[:1])
            else:
                ecs.ours.lock(TASKS[:1], 120)
        ecs.api.answers = answers
        if next_deed == "lock":
            ecs.ours.lock(TASKS[:1], 120)
        ecs.ours.release(TASKS[:1])
        after = ecs.until[TASKS[0]]
        assert not ecs.tags[TASKS[0]]
        if before is None:
            assert after is None
        else:
            assert after is not None
            assert before <= after <= before + 130


def dying(answers: dict[str, Any], at: int) -> dict[str, Any]:
    """The function dies before its ``at``-th call."""
    calls = itertools.count(1)

    def before(answer: Any) -> Any:
        def call(**given: Any) -> Any:
            if next(calls) == at:
                raise MemoryError
            return answer(**given)

        return call

    return {name: before(answer) for name, answer in answers.items()}


def test_a_budget_that_is_spent_refuses_the_change() -> None:
    ecs = Tasks()
    blocked = {"failures": [{"arn": TASKS[3], "reason": "DEPLOYMENT_BLOCKED"}]}
    ecs.api.answers["update_task_protection"] = blocked
    with pytest.raises(ChangeRefused, match="task 3: DEPLOYMENT_BLOCKED"):
        ecs.ours.lock(TASKS[3:4], 120)
    ecs.ours.release(TASKS[3:4])  # there is nothing to give back
    assert not ecs.tags[TASKS[3]]


@pytest.mark.parametrize("reason", ["MISSING", "TASK_NOT_VALID"])
def test_a_task_that_is_gone_needs_no_release(reason: str) -> None:
    ecs = Tasks()
    ecs.ours.lock(TASKS[:1], 120)
    answer = {"failures": [{"arn": TASKS[0], "reason": reason}]}
    ecs.api.answers["update_task_protection"] = answer
    ecs.ours.release(TASKS[:1])
    with pytest.raises(ChangeRefused, match=reason):
        ecs.ours.lock(TASKS[:1], 120)
    del ecs.until[TASKS[1]]
    ecs.ours.release(TASKS[1:2])
    assert not ecs.api.asked("untag_resource")


@pytest.mark.parametrize("operation", ["update_task_protection", "tag_resource"])
def test_ecs_saying_no_is_a_refusal_and_a_throttle_is_not(operation: str) -> None:
    ecs = Tasks()
    ecs.api.answers[operation] = refusal("ClientException")
    with pytest.raises(ChangeRefused, match="ClientException was said"):
        ecs.ours.lock(TASKS[:1], 120)
    ecs.api.answers[operation] = refusal("ServerException", status=500)
    with pytest.raises(Transient):
        ecs.ours.lock(TASKS[:1], 120)


def test_without_its_record_nothing_is_locked() -> None:
    """Nobody could tell such a lock from the task's own protection."""
    ecs = Tasks()
    ecs.api.answers["tag_resource"] = refusal("AccessDeniedException")
    with pytest.raises(ChangeRefused, match=f"refused the tag {TAG} on task 0"):
        ecs.ours.lock(TASKS[:1], 120)
    assert ecs.until[TASKS[0]] is None
