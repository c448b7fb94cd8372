"""How the tasks of a cluster are protected, and what of that is ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from quorumshift.domain.lock_record import TAG, LockRecord, read_lock_record

_AT_ONCE = 100
"""Tasks that DescribeTasks and GetTaskProtection take."""


class TaskLocks:
    """The tasks of one cluster. What is asked of ``protected_until`` first may be compared with the
    records of ``described``: a lock that is renewed in between ends before its record says."""

    def __init__(self, ecs: Any, cluster: str) -> None:
        self._ecs = ecs
        self._cluster = cluster

    def protected_until(self, tasks: Sequence[str]) -> dict[str, float]:
        """ARN → epoch seconds, of those that are protected."""
        until = {}
        for some in chunks(tasks, _AT_ONCE):
            found = self._ecs.get_task_protection(cluster=self._cluster, tasks=some)
            for one in found["protectedTasks"]:
                if one.get("protectionEnabled") and one.get("expirationDate"):
                    until[str(one["taskArn"])] = one["expirationDate"].timestamp()
        return until

    def described(self, tasks: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The tasks with their tags, as ECS knows them; not those that are gone."""
        for some in chunks(tasks, _AT_ONCE):
            found = self._ecs.describe_tasks(cluster=self._cluster, tasks=some, include=["TAGS"])
            yield from found["tasks"]


def record_of(task: dict[str, Any]) -> LockRecord | None:
    """The record of our lock among the task's tags."""
    values = (str(tag.get("value")) for tag in task.get("tags") or [] if tag.get("key") == TAG)
    return read_lock_record(next(values, None))


def chunks(items: Sequence[str], size: int) -> Iterator[list[str]]:
    """``items`` in order, no more than ``size`` at once."""
    for at in range(0, len(items), size):
        yield list(items[at : at + size])
