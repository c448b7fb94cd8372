"""State machines on the embedded AWS: made, started and waited for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from quorumshift.rehearsal.world import World
from tests.rehearsal.conftest import function_arn

Machines = Callable[..., str]


def start(world: World, machine: str, data: Any = None, **more: Any) -> str:
    answer = world.client("stepfunctions").start_execution(
        stateMachineArn=machine, input=json.dumps(data or {}), **more
    )
    return str(answer["executionArn"])


def ended(world: World, execution: str) -> dict[str, Any]:
    client = world.client("stepfunctions")
    deadline = time.monotonic() + 20
    while (now := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return dict(now)


def run(world: World, machine: str, data: Any = None) -> dict[str, Any]:
    return ended(world, start(world, machine, data))


def kinds(world: World, execution: str) -> list[str]:
    history = world.client("stepfunctions").get_execution_history(executionArn=execution)
    return [event["type"] for event in history["events"]]


def task(name: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": function_arn(name), **more}
