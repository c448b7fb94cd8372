"""Vote locks: ECS task protection (UpdateTaskProtection)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import message
from quorumshift.domain.errors import ChangeRefused

_AT_ONCE = 10
"""Tasks that one call takes (API reference of UpdateTaskProtection)."""
_GONE = ("MISSING", "TASK_NOT_VALID")


class EcsTaskProtection:
    """Implements ``ports.TaskProtection`` for the tasks of one cluster."""

    def __init__(self, ecs: Any, cluster: str) -> None:
        self._ecs = ecs
        self._cluster = cluster

    def lock(self, tasks: Sequence[str], minutes: int) -> None:
        """Protect these tasks (ARNs), or protect them for longer. Raises ``ChangeRefused``."""
        failures = self._update(tasks, protectionEnabled=True, expiresInMinutes=minutes)
        if failures:
            first = failures[0]
            raise ChangeRefused(
                f"ECS will not protect task {_short(first.get('arn', ''))}: {first.get('reason')} "
                f"{first.get('detail', '')}; a service may protect as many tasks as it wants"
            )

    def release(self, tasks: Sequence[str]) -> None:
        """End the protection. Raises ``ChangeRefused`` unless the task is simply gone."""
        failures = self._update(tasks, protectionEnabled=False)
        left = [one for one in failures if one.get("reason") not in _GONE]
        if left:
            raise ChangeRefused(
                f"ECS will not end the protection of task {_short(left[0].get('arn', ''))}: "
                f"{left[0].get('reason')} {left[0].get('detail', '')}; it ends by itself"
            )

    def _update(self, tasks: Sequence[str], **what: Any) -> list[dict[str, Any]]:
        failures: list[dict[str, Any]] = []
        for at in range(0, len(tasks), _AT_ONCE):
            some = list(tasks[at : at + _AT_ONCE])
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
