"""Vote locks: ECS task protection (UpdateTaskProtection), and whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import message
from quorumshift.adapters.aws.task_locks import TaskLocks, chunks, record_of
from quorumshift.domain.errors import ChangeRefused
from quorumshift.domain.lock_record import TAG, LockRecord, giving_back, locking
from quorumshift.ports import Clock

_AT_ONCE = 10
"""Tasks that one call takes (API reference of UpdateTaskProtection)."""
_GONE = ("MISSING", "TASK_NOT_VALID")

Held = dict[str, tuple[LockRecord | None, float | None]]
"""ARN → the record of our lock, and until when the task is protected."""


class EcsTaskProtection:
    """Implements ``ports.TaskProtection`` for the tasks of one cluster.

    The record is written before the lock and taken away after it was given back. Both begin with
    a look of their own: what a plan has seen may be minutes old, and others protect tasks, too.
    """

    def __init__(self, ecs: Any, cluster: str, clock: Clock) -> None:
        self._ecs = ecs
        self._cluster = cluster
        self._locks = TaskLocks(ecs, cluster)
        self._clock = clock

    def lock(self, tasks: Sequence[str], minutes: int) -> None:
        """Protect these tasks (ARNs), or protect them for longer. Raises ``ChangeRefused``."""
        held, now = self._held(tasks), self._clock.now()
        todo = [task for task in tasks if task not in held]  # ECS says why not
        for task, (known, until) in held.items():
            if record := locking(known, until, now, minutes):
                self._record(task, record)
                todo.append(task)
        failures = self._update(todo, protectionEnabled=True, expiresInMinutes=minutes)
        if failures:
            first = failures[0]
            raise ChangeRefused(
                f"ECS will not protect task {_short(first.get('arn', ''))}: {first.get('reason')} "
                f"{first.get('detail', '')}; a service may protect as many tasks as it wants"
            )

    def release(self, tasks: Sequence[str]) -> None:
        """Give our locks back: protect the tasks as they were before, or no longer. Raises
        ``ChangeRefused`` unless the task is simply gone."""
        held, now = self._held(tasks), self._clock.now()
        back = {task: giving_back(known, until, now) for task, (known, until) in held.items()}
        ending = [task for task, minutes in back.items() if minutes == 0]
        failures = self._update(ending, protectionEnabled=False)
        for task, minutes in back.items():
            if minutes:
                again: dict[str, Any] = {"protectionEnabled": True, "expiresInMinutes": minutes}
                failures += self._update([task], **again)
        left = [one for one in failures if one.get("reason") not in _GONE]
        failed = {str(one.get("arn")) for one in failures}
        self._forget([task for task, (known, _) in held.items() if known and task not in failed])
        if left:
            raise ChangeRefused(
                f"ECS will not end the protection of task {_short(left[0].get('arn', ''))}: "
                f"{left[0].get('reason')} {left[0].get('detail', '')}; it ends by itself"
            )

    def _held(self, tasks: Sequence[str]) -> Held:
        until = self._locks.protected_until(tasks)
        return {
            str(task["taskArn"]): (record_of(task), until.get(str(task["taskArn"])))
            for task in self._locks.described(tasks)
        }

    def _record(self, task: str, record: LockRecord) -> None:
        try:
            self._ecs.tag_resource(resourceArn=task, tags=[{"key": TAG, "value": record.text()}])
        except ClientError as error:
            raise ChangeRefused(
                f"ECS refused the tag {TAG} on task {_short(task)}, without which nobody could "
                f"tell a lock of ours from the task's own protection: {message(error)}"
            ) from error

    def _forget(self, tasks: Sequence[str]) -> None:
        for task in tasks:
            try:
                self._ecs.untag_resource(resourceArn=task, tagKeys=[TAG])
            except ClientError as error:
                raise ChangeRefused(
                    f"ECS refused to take the tag {TAG} from task {_short(task)}: {message(error)}"
                ) from error

    def _update(self, tasks: Sequence[str], **what: Any) -> list[dict[str, Any]]:
        failures: list[dict[str, Any]] = []
        for some in chunks(tasks, _AT_ONCE):
            try:
                answer = self._ecs.update_task_protection(cluster=self._cluster, tasks=some, **what)
            except ClientError as error:
                raise ChangeRefused(
                    f"ECS refused to change the protection of {', '.join(map(_short, some))}: "
                    f"{message(error)}"
                ) from error
            failures += answer.get("failures", [])
        return failures


def _short(arn: str) -> str:
    return arn.rpartition("/")[2]
