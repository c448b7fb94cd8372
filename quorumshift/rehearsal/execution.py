"""One execution of the state machine ``deploy``, followed through its history."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from quorumshift.adapters.aws.history import read_event
from quorumshift.domain.chronicle import Chronicle
from quorumshift.domain.findings import checks
from quorumshift.names import Names
from quorumshift.rehearsal.result import Hook, Outcome
from quorumshift.rehearsal.world import ACCOUNT, REGION, World

ENDS = {
    "Deployed": Outcome.DEPLOYED,
    "RolledBack": Outcome.ROLLED_BACK,
    "Failed": Outcome.FAILED,
    "FailedUnheard": Outcome.FAILED,
}
"""The states that end an execution."""
INITIATOR = "rehearsal"


class Execution:
    """Deploys what ``request`` asks for with an execution, and reads from its history, the only
    store there is."""

    def __init__(self, world: World, names: Names, request: Mapping[str, Any]) -> None:
        self._names = names
        self._request = request
        self._client = world.client("stepfunctions")
        self._arn = ""

    def start(self) -> None:
        """Start it."""
        self._arn = self._client.start_execution(
            stateMachineArn=machine_arn(self._names.deploy),
            name=f"rehearsal-{uuid.uuid4().hex[:8]}",
            input=json.dumps({**self._request, "initiator": INITIATOR}),
        )["executionArn"]

    def ended(self) -> bool:
        """Whether it has ended."""
        return bool(self._describe()["status"] != "RUNNING")

    def outcome(self) -> tuple[Outcome, str]:
        """How it ended, and the cause where it failed; what was stopped has failed.

        Raises ``RuntimeError`` when it broke: it ended in no state that ends a deployment.
        """
        described = self._describe()
        if described["status"] == "ABORTED":
            return Outcome.FAILED, f"the execution was stopped: {described.get('cause', '')}"
        last = self.states(first_entries=False)[-1]
        if last not in ENDS or described["status"] not in ("SUCCEEDED", "FAILED"):
            raise RuntimeError(
                f"the execution is {described['status']} at {last}: "
                f"{described.get('error', '')} {described.get('cause', '')}"
            )
        return ENDS[last], str(described.get("cause") or "")

    def states(self, first_entries: bool = True) -> tuple[str, ...]:
        """The states as they were entered; each one's first entry alone unless told otherwise."""
        entered = [visit.state for visit in self._chronicle().visits]
        return tuple(dict.fromkeys(entered) if first_entries else entered)

    def hooks(self) -> tuple[Hook, ...]:
        """The hooks' answers, as the latest state that tells of them knows them."""
        return tuple(
            Hook(check["name"], "proceed" if check["passed"] else "abort", check["reason"])
            for check in checks(self._chronicle().document)
        )

    def initiator(self) -> str:
        """Who asked for it, as its input says."""
        return str(json.loads(self._describe()["input"]).get("initiator", ""))

    def _describe(self) -> dict[str, Any]:
        return dict(self._client.describe_execution(executionArn=self._arn))

    def _chronicle(self) -> Chronicle:
        found = Chronicle()
        pages = self._client.get_paginator("get_execution_history").paginate(executionArn=self._arn)
        for page in pages:
            for event in filter(None, map(read_event, page["events"])):
                found.take(event)
        return found


def machine_arn(machine: str) -> str:
    """The ARN of a state machine."""
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{machine}"
