"""ECS tells EventBridge of each change of a task's status or health, as it describes the task.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from quorumshift.rehearsal.aws.events import emit
from quorumshift.rehearsal.aws.task_record import TaskRecord
from quorumshift.rehearsal.world import World

DETAIL_TYPE = "ECS Task State Change"


def tell(world: World, task: TaskRecord) -> None:
    """Trouble with telling never harms the task; it is said aloud."""
    try:
        emit(world, "aws.ecs", DETAIL_TYPE, _told(task.describe()), [task.arn])
    except Exception as error:  # noqa: BLE001 # as the docstring says
        said = f"task {task.id}: nobody could be told: {type(error).__name__}: {error}"
        world.events.say("error", said, task=task.arn)


def _told(described: dict[str, Any]) -> dict[str, Any]:
    """What is not known is left out, and times are text."""
    return {
        name: value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if isinstance(value, datetime)
        else value
        for name, value in described.items()
        if value is not None
    }
