"""UpdateTaskProtection and GetTaskProtection, which moto lacks.

The budget: with protection on for more tasks than the service's desired count, ECS refuses with
``DEPLOYMENT_BLOCKED`` (developer guide, task scale-in protection).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.ecs.exceptions import ECSException

from quorumshift.rehearsal.aws.task_record import TaskRecord
from quorumshift.rehearsal.world import World

DEFAULT_MINUTES = 120
MOST_MINUTES = 2880
MOST_TASKS = 10
_one_at_a_time = threading.Lock()

Find = Callable[[str], TaskRecord | None]
Answer = dict[str, list[dict[str, Any]]]


def update(
    world: World,
    names: Sequence[str],
    enabled: bool,
    minutes: int | None,
    find: Find,
    budget: Callable[[TaskRecord], tuple[int, int]],
) -> Answer:
    """Protect tasks, or end it. ``budget(task)``: (protected now, desired count) of its service.

    Raises ``InvalidParameterException`` for a time out of range. The expiry is scaled: at speed
    60, one minute is a real second.
    """
    if minutes is not None and not 1 <= minutes <= MOST_MINUTES:
        raise ECSException(
            "InvalidParameterException",
            f"expiresInMinutes must be between 1 and {MOST_MINUTES}, not {minutes}.",
        )
    until = time.time() + world.real((minutes or DEFAULT_MINUTES) * 60)
    answer: Answer = {"protectedTasks": [], "failures": []}
    for name in names:
        task = find(name)
        with _one_at_a_time:
            failure = _failure(name, task, enabled, budget)
            if task is not None and failure is None:
                task.protected_until = until if enabled else 0.0
        if task is None or failure is not None:
            answer["failures"].append(failure or {})
            continue
        answer["protectedTasks"].append(_describe(world, task))
        what = f"protected for {minutes or DEFAULT_MINUTES} min" if enabled else "not protected"
        world.events.say(
            "task",
            f"task {task.number} ({task.address}): {what}",
            task=task.arn,
            address=task.address,
            protected=enabled,
        )
    return answer


def get(world: World, names: Sequence[str], find: Find) -> Answer:
    """Who is protected, and until when."""
    answer: Answer = {"protectedTasks": [], "failures": []}
    for name in names:
        task = find(name)
        if task is None:
            answer["failures"].append({"arn": name, "reason": "MISSING"})
        else:
            answer["protectedTasks"].append(_describe(world, task))
    return answer


def check_names(names: Sequence[str]) -> None:
    """Raises ``InvalidParameterException`` for none or too many."""
    if not names or len(names) > MOST_TASKS:
        raise ECSException(
            "InvalidParameterException", f"Give 1 to {MOST_TASKS} tasks, not {len(names)}."
        )


def _failure(
    name: str,
    task: TaskRecord | None,
    enabled: bool,
    budget: Callable[[TaskRecord], tuple[int, int]],
) -> dict[str, str] | None:
    if task is None:
        return {"arn": name, "reason": "MISSING"}
    if not task.wanted:
        return {
            "arn": task.arn,
            "reason": "TASK_NOT_VALID",
            "detail": "The task is stopping or has stopped.",
        }
    protected, desired = budget(task)
    if enabled and not task.protected and protected >= desired:
        return {
            "arn": task.arn,
            "reason": "DEPLOYMENT_BLOCKED",
            "detail": f"{protected} tasks of the service are protected, its desired count is"
            f" {desired}.",
        }
    return None


def _describe(world: World, task: TaskRecord) -> dict[str, Any]:
    """The expiry is told in AWS's time, so that who renews "with a quarter left" does so."""
    described: dict[str, Any] = {"taskArn": task.arn, "protectionEnabled": task.protected}
    if task.protected:
        now = time.time()
        expiry = now + (task.protected_until - now) * world.speed
        described["expirationDate"] = datetime.fromtimestamp(expiry, UTC)
    return described
