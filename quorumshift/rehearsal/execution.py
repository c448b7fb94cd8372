"""One execution of the state machine ``deploy``, followed through its history."""

from __future__ import annotations

import json
import uuid
from typing import Any

from quorumshift.rehearsal.result import Hook
from quorumshift.rehearsal.world import ACCOUNT, REGION, World

SUCCEEDED = "Deployed"


class Execution:
    """Starts the execution and reads from its history, the only store there is."""

    def __init__(self, world: World, service: str) -> None:
        self._world = world
        self._client = world.client("stepfunctions")
        self._machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{service}-deploy"
        self._arn = ""

    def start(self, request: dict[str, Any]) -> None:
        """Start it with this request."""
        self._arn = self._client.start_execution(
            stateMachineArn=self._machine,
            name=f"rehearsal-{uuid.uuid4().hex[:8]}",
            input=json.dumps(request),
        )["executionArn"]

    def ended(self) -> bool:
        """Whether it has ended."""
        return bool(self._describe()["status"] != "RUNNING")

    def outcome(self) -> tuple[str, str]:
        """How it ended: the name of its last state, and the cause where it failed."""
        described = self._describe()
        if described["status"] == "SUCCEEDED":
            return SUCCEEDED, ""
        return str(described.get("error", "Failed")), str(described.get("cause", ""))

    def states(self) -> tuple[str, ...]:
        """The states, in the order in which they were first entered."""
        entered = (
            event["stateEnteredEventDetails"]["name"]
            for event in self._history()
            if "stateEnteredEventDetails" in event
        )
        return tuple(dict.fromkeys(entered))

    def hooks(self) -> tuple[Hook, ...]:
        """The hooks' answers, as the last observation of them in the history tells."""
        for event in reversed(self._history()):
            details = event.get("stateExitedEventDetails")
            if details is None:
                continue
            hooks = json.loads(details["output"]).get("observation", {}).get("hooks")
            if hooks:
                return tuple(Hook(h["name"], h["verdict"], h["reason"]) for h in hooks)
        return ()

    def _describe(self) -> dict[str, Any]:
        return dict(self._client.describe_execution(executionArn=self._arn))

    def _history(self) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("get_execution_history").paginate(executionArn=self._arn)
        return [event for page in pages for event in page["events"]]
