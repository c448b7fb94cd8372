"""The product's arm: whole executions of the state machine ``hand_over``, and their histories."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.stage import Stage
from quorumshift.domain.raft import Colour
from quorumshift.rehearsal.world import ACCOUNT, REGION

LONGEST_SECONDS = 180.0
_RAFT_STEPS = ("admit", "promote", "transfer", "remove", "replaceAll")


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay in a state. ``step``: what ``Act`` did there, ``refused``: why it did not."""

    state: str
    seconds: float
    step: str = ""
    address: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Executed:
    """One execution. ``began``, ``ended``: epoch seconds. ``problem``: empty if it succeeded."""

    began: float
    ended: float
    problem: str
    visits: tuple[Visit, ...]

    @property
    def seconds(self) -> float:
        """From its start to its end."""
        return self.ended - self.began

    @property
    def changes(self) -> tuple[tuple[str, str], ...]:
        """What was done to the Raft cluster, in order: (step, address)."""
        done = [v for v in self.visits if v.step in _RAFT_STEPS and not v.refused]
        return tuple((visit.step, visit.address) for visit in done)


_numbers = itertools.count(1)


def hand_over(stage: Stage, goal: Colour) -> Executed:
    """Run one to its end. Raises ``Stuck`` when it has none."""
    client = stage.world.client("stepfunctions")
    machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{stage.names.hand_over}"
    asked = {
        "deploymentId": stage.deployment,
        "lifecycleEventHookExecutionId": "",
        "goal": goal.value,
    }
    name = f"benchmark-{next(_numbers)}-{goal.value}"
    arn = client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(asked))[
        "executionArn"
    ]
    told: dict[str, Any] = {}

    def ended() -> bool:
        told.update(client.describe_execution(executionArn=arn))
        return bool(told["status"] != "RUNNING")

    stage.wait_until(ended, f"the execution {name} to end", LONGEST_SECONDS)
    succeeded = told["status"] == "SUCCEEDED"
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
    return Executed(
        began=told["startDate"].timestamp(),
        ended=told["stopDate"].timestamp(),
        problem="" if succeeded else f"{told['status']}: {told.get('cause') or 'no cause'}",
        visits=visits(event for page in pages for event in page["events"]),
    )


def visits(history: Iterable[Mapping[str, Any]]) -> tuple[Visit, ...]:
    """An execution's stays in its states, in order; no state runs beside another."""
    found: list[Visit] = []
    entered = None
    for event in history:
        if "stateEnteredEventDetails" in event:
            entered = event["timestamp"]
        elif (details := event.get("stateExitedEventDetails")) and entered is not None:
            seconds = (event["timestamp"] - entered).total_seconds()
            found.append(_visit(details["name"], seconds, json.loads(details["output"])))
    return tuple(found)


def _visit(state: str, seconds: float, output: Mapping[str, Any]) -> Visit:
    if state == "Act" and (step := output["plan"]["plan"]["step"]):
        refused = str(output["act"]["refused"])
        return Visit(state, seconds, step["kind"], step["address"], refused)
    return Visit(state, seconds)
