"""Step Functions: executions of the rendered machines, which can be stopped and resumed."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.crash.functions import Functions
from tests.crash.hub import Hub, Process
from tests.tasks.aws import SETTINGS
from tests.workflows.event_costs import BOTH_ENDS
from tests.workflows.interpreter import Copied, Ended, run, through_json

GOLDEN = Path(__file__).parents[2] / "workflows" / "golden"
DEPLOY, HAND_OVER = "deploy", "hand_over"
ARNS = {DEPLOY: SETTINGS.deploy, HAND_OVER: SETTINGS.hand_over}


@functools.cache
def definition(machine: str) -> dict[str, Any]:
    """As it is deployed."""
    return dict(json.loads((GOLDEN / f"{machine}.asl.json").read_text(encoding="utf-8")))


@dataclass
class Execution:
    """``state`` and ``data``: what was entered last. ``calls``: of functions. ``ended``: how, if it
    did so by itself."""

    machine: str
    name: str
    given: str
    started: float
    status: str = "RUNNING"
    stopped: float | None = None
    redrives: int = 0
    state: str = ""
    data: Any = None
    states: list[str] = field(default_factory=list)
    calls: int = 0
    ended: Ended | None = None
    process: Process | None = None

    @property
    def events(self) -> int:
        """Of its history (``tests/workflows/event_costs.py``), all tries of its tasks included."""
        return BOTH_ENDS + 2 * len(self.states) + 3 * self.calls

    @property
    def arn(self) -> str:
        """Its own."""
        return ARNS[self.machine].replace(":stateMachine:", ":execution:") + f":{self.name}"


class Machines:
    """``changed`` is told of each end, as EventBridge would be. ``copied``: see the interpreter."""

    def __init__(
        self,
        hub: Hub,
        functions: Functions,
        changed: Callable[[Execution], None],
        copied: Copied = through_json,
    ) -> None:
        self.all: dict[str, Execution] = {}
        self._hub = hub
        self._functions = functions
        self._changed = changed
        self._copied = copied

    def start(self, machine: str, name: str, given: str) -> Execution | None:
        """Start one. The same name and input, while it runs, is the same execution; ``None``: the
        name is taken (API reference of StartExecution)."""
        known = self.all.get(f"{machine}/{name}")
        if known is not None:
            return known if known.status == "RUNNING" and known.given == given else None
        one = Execution(machine, name, given, self._hub.now)
        self.all[f"{machine}/{name}"] = one
        self._go(one, "", json.loads(given))
        return one

    def named(self, arn: str) -> Execution | None:
        """By its ARN."""
        return next((one for one in self.all.values() if one.arn == arn), None)

    def stop(self, one: Execution, status: str = "ABORTED") -> None:
        """End it from outside. A function that is at work goes on."""
        if one.status != "RUNNING":
            return
        one.status, one.stopped = status, self._hub.now
        if one.process is not None:
            one.process.kill()
        self._hub.after(1, lambda: self._changed(one))

    def redrive(self, one: Execution) -> bool:
        """Let it go on at the state where it ended. Whether that can be."""
        if one.status in ("RUNNING", "SUCCEEDED"):
            return False
        one.status, one.stopped, one.ended = "RUNNING", None, None
        one.redrives += 1
        self._go(one, one.state, one.data)
        return True

    def _go(self, one: Execution, begin: str, data: Any) -> None:
        at = datetime.fromtimestamp(one.started, UTC).isoformat().replace("+00:00", "Z")
        context = {"Execution": {"Id": one.arn, "Name": one.name, "StartTime": at}}
        process: Process | None = None

        def told(name: str, state: Any) -> None:
            one.state, one.data = name, state
            one.states.append(name)

        def body() -> Ended:
            asl = definition(one.machine)
            sleep = self._hub.sleep

            def call(state: str, payload: Any) -> Any:
                one.calls += 1
                return self._functions.call(state, payload)

            return run(asl, data, call, context, sleep, begin, told, self._copied)

        def ended(process: Process) -> None:
            if process is not one.process or one.status != "RUNNING":
                return
            if process.error is not None:
                raise process.error
            found: Ended = process.value
            one.ended, one.stopped = found, self._hub.now
            one.status = "FAILED" if found.error else "SUCCEEDED"
            self._hub.after(1, lambda: self._changed(one))

        process = one.process = self._hub.spawn(body, ended)
        limit = definition(one.machine)["TimeoutSeconds"]

        def late() -> None:
            if process is one.process:
                self.stop(one, "TIMED_OUT")

        self._hub.after(limit, late)
