"""Starts the state machine ``hand_over`` and tells how its executions stand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import code
from quorumshift.domain.raft import Colour
from quorumshift.domain.undo import ATTEMPTS, HandBack


@dataclass(frozen=True, slots=True)
class Known:
    """One execution. ``hook``: the question it was started to answer; ``why``: its cause."""

    running: bool
    hook: str
    why: str


class HandOvers:
    """Implements ``ports.HandOvers``. Names are derived from the deployment, so that whoever
    starts the same again finds the execution that is there."""

    def __init__(self, stepfunctions: Any, machine: str) -> None:
        self._stepfunctions = stepfunctions
        self._machine = machine

    def start(self, deployment: str, hook: str, goal: Colour) -> bool:
        """Hand the votes to ``goal``, answering the question ``hook`` at the end (empty: none).

        ``False`` when an execution for another question has taken the name; the same question
        twice is one execution.
        """
        name = f"{deployment}-{goal.value}"
        if self._start(name, deployment, hook, goal):
            return True
        known = self._look(name)
        return known is not None and known.hook == hook

    def hand_back(self, deployment: str) -> None:
        """Call the votes home, unless that is being done.

        A hand-over that still runs turns back by itself when it sees that the rollout stopped;
        two of them must never change the members at the same time.
        """
        if self.state(deployment).running:
            return
        for attempt in range(1, ATTEMPTS + 1):
            name = f"{deployment}-blue-{attempt}"
            if self._start(name, deployment, "", Colour.BLUE):
                return

    def state(self, deployment: str) -> HandBack:
        """How the hand-over and the attempts to hand back stand, as far as they were started."""
        forth = self._look(f"{deployment}-{Colour.GREEN.value}")
        if forth is not None and forth.running:
            return HandBack(running=True)
        ended, why = 0, ""
        for attempt in range(1, ATTEMPTS + 1):
            known = self._look(f"{deployment}-blue-{attempt}")
            if known is None:
                break
            if known.running:
                return HandBack(running=True, ended=ended, why=why)
            ended, why = attempt, known.why
        return HandBack(running=False, ended=ended, why=why)

    def _start(self, name: str, deployment: str, hook: str, goal: Colour) -> bool:
        payload = {
            "deploymentId": deployment,
            "lifecycleEventHookExecutionId": hook,
            "goal": goal.value,
        }
        try:
            self._stepfunctions.start_execution(
                stateMachineArn=self._machine, name=name, input=json.dumps(payload)
            )
        except ClientError as error:
            if code(error) == "ExecutionAlreadyExists":
                return False
            raise
        return True

    def _look(self, name: str) -> Known | None:
        arn = self._machine.replace(":stateMachine:", ":execution:") + f":{name}"
        try:
            found = self._stepfunctions.describe_execution(executionArn=arn)
        except ClientError as error:
            if code(error) == "ExecutionDoesNotExist":
                return None
            raise
        asked = json.loads(found.get("input") or "{}")
        return Known(
            running=found["status"] == "RUNNING",
            hook=str(asked.get("lifecycleEventHookExecutionId", "")),
            why=str(found.get("cause") or found["status"]),
        )
