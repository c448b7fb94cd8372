"""Tells whether the execution that follows a deployment still runs."""

from __future__ import annotations

import itertools
from typing import Any

from quorumshift.adapters.aws.client import every
from quorumshift.domain.marks import mark_for
from quorumshift.ports import Clock

_RUNS = ("RUNNING", "PENDING_REDRIVE")
_MOST = 1000


class Followers:
    """Implements ``ports.Followers`` for one state machine (its ARN)."""

    def __init__(self, stepfunctions: Any, machine: str, clock: Clock) -> None:
        self._stepfunctions = stepfunctions
        self._machine = machine
        self._clock = clock

    def over_for(self, mark: str) -> float | None:
        """Looks for it among the last thousand, newest first; of the one that is found
        DescribeExecution tells, as the list may be late."""
        listed = every(
            self._stepfunctions.list_executions,
            "executions",
            stateMachineArn=self._machine,
            maxResults=100,
        )
        for one in itertools.islice(listed, _MOST):
            if mark_for(one["executionArn"], "none:0").execution == mark:
                return self._over_for(one["executionArn"])
        return None

    def _over_for(self, arn: str) -> float | None:
        found = self._stepfunctions.describe_execution(executionArn=arn)
        if found["status"] in _RUNS:
            return None
        ended = found.get("stopDate")
        return self._clock.now() - ended.timestamp() if ended else 0.0
