"""One service, all that deploys it, and what goes wrong: a whole run, and how it ended."""

from __future__ import annotations

import functools
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import tasks.wiring
from quorumshift.domain.handover_search import search
from quorumshift.domain.keeping import EVERY_SECONDS
from tests.adapters.memory_raft import MemoryRaft
from tests.crash.aws import ALARM, Aws
from tests.crash.calls import Calls, FaultyProbe, FaultyRaft
from tests.crash.cluster import JumpingCluster
from tests.crash.engine import Engine
from tests.crash.faults import Fault, Schedule
from tests.crash.functions import Functions
from tests.crash.hub import Hub
from tests.crash.invariants import Watcher
from tests.crash.machines import DEPLOY, Execution, Machines
from tests.crash.service import Service, Task
from tests.crash.verdict import judge
from tests.tasks.aws import DEFINITION, SETTINGS
from tests.workflows.interpreter import through_json

BEGAN = 1_800_000_000.0
SERVICE = replace(SETTINGS, poll_seconds=30)
FIRST = "one"
LONGEST_SECONDS = 14 * 3600.0
"""Of a run, after which whatever still runs is found to have no end."""


known_paths = functools.lru_cache(maxsize=10_000)(search)
"""Runs ask for the same paths again and again."""


class Clock:
    """``ports.Clock``."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def now(self) -> float:
        """Epoch seconds."""
        return self._hub.now

    def sleep(self, seconds: float) -> None:
        """Wait; others go on."""
        self._hub.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Ran:
    """``ends``: execution → the state or status it ended with. ``wrong``: what must never be, a
    sentence each, and ``kinds`` of it. ``lasted``: seconds until the last execution had ended;
    ``calls``: how many."""

    schedule: Schedule
    ends: dict[str, str]
    wrong: tuple[str, ...]
    lasted: float
    calls: int
    kinds: tuple[str, ...] = ()


class World:
    """See the modules for its parts."""

    def __init__(self, schedule: Schedule = (), size: int = 3, *, strict: bool = False) -> None:
        """``strict``: payloads pass through JSON, which takes time, and which a handler that does
        not write into its event never notices."""
        self.schedule = schedule
        self.size = size
        self._timed = [one for one in schedule if not one.of_a_call]
        blue = [f"10.0.0.{number}" for number in range(1, size + 1)]
        self.cluster = JumpingCluster(blue, BEGAN)
        self.hub = Hub(BEGAN, self.cluster.pass_to, self._look)
        self.functions = Functions(self.hub, lambda: self.calls.out("lambda"))
        self.calls = Calls(self.hub, self.functions, schedule, BEGAN)
        self.service = Service(self.hub, self.cluster, size, f"{DEFINITION}11")
        self.service.changed = self._task_changed
        self.engine = Engine(self.hub, self.service, self._ask)
        self.machines = Machines(
            self.hub,
            self.functions,
            self._execution_changed,
            through_json if strict else lambda data: data,
        )
        self.aws = Aws(self.hub, self.service, self.engine, self.machines)
        protect = self.aws.operations["ecs"]["update_task_protection"]
        self.aws.operations["ecs"]["update_task_protection"] = lambda **given: self._step(
            "lock" if given["protectionEnabled"] else "release",
            ", ".join(given["tasks"]),
            lambda: protect(**given),
        )
        self.engine.rings = lambda: self.aws.listens and bool(self.aws.alarms)
        self.raft = FaultyRaft(self.calls, MemoryRaft(self.cluster), self._step)
        self.watcher = Watcher(self)
        self.keeps = True
        self.misled: list[tuple[float, float]] = []

    began = BEGAN

    @property
    def first(self) -> Execution:
        """The execution that the run is about."""
        return self.machines.all[f"{DEPLOY}/{FIRST}"]

    def _look(self) -> None:
        self.watcher.look()

    def is_misled(self, at: float) -> bool:
        """Whether a person leads users to nobody at this time."""
        return any(begin <= at <= end for begin, end in self.misled)

    def faults_left(self) -> bool:
        """Whether something is still to happen, or is out of order."""
        return self.hub.now < BEGAN + max((one.at + one.seconds for one in self._timed), default=0)

    # What AWS does by itself.

    def _ask(self, stage: str, event: dict[str, str]) -> None:
        self.functions.send(stage, event, lambda record: self.functions.send("Watchdog", record))

    def _task_changed(self, task: Task, status: str) -> None:
        self.hub.after(1, lambda: self.functions.send("Reconcile", {"source": "aws.ecs"}))

    def _execution_changed(self, one: Execution) -> None:
        event = {
            "source": "aws.states",
            "detail": {
                "executionArn": one.arn,
                "stateMachineArn": SETTINGS.deploy if one.machine == DEPLOY else SETTINGS.hand_over,
                "name": one.name,
                "status": one.status,
                "startDate": round(one.started * 1000),
                "stopDate": round((one.stopped or 0) * 1000),
                "input": one.given,
                "redriveCount": one.redrives,
            },
        }
        if one.status in ("ABORTED", "TIMED_OUT", "FAILED"):
            self.functions.send("Watchdog", event)
        if one.machine == DEPLOY or one.status == "SUCCEEDED":
            self.functions.send("Reconcile", event)

    def _step(self, operation: str, whom: str, do: Callable[[], Any]) -> Any:
        """A change that a function of ours makes."""
        before, stood = self.watcher.healthy_voters(), self.cluster.has_quorum()
        done = do()
        self.watcher.stepped(f"{operation} {whom}", before, stood)
        if operation == "admit":
            self.service.admitted(whom)
        return done

    def _keep(self) -> None:
        if self.keeps:
            self.functions.send("Keep", {})
        self.hub.after(EVERY_SECONDS, self._keep)

    # What people and the weather do.

    def begin(self, name: str, given: dict[str, Any]) -> None:
        """Start an execution that deploys."""
        self.machines.start(DEPLOY, name, json.dumps(given))

    def _do(self, fault: Fault) -> None:
        kind = fault.kind
        if kind.startswith("stop:"):
            self._stop(kind.removeprefix("stop:"))
        elif kind in ("second", "skip"):
            self.begin(kind, {"whenBusy": "skip"} if kind == "skip" else {})
        elif kind == "scaleIn":
            least = min(3, self.size)
            if "DynamicScalingInSuspended" not in self.aws.suspended:
                self.service.scale(max(least, self.service.desired - 1))
        elif kind == "scaleOut":
            if "DynamicScalingOutSuspended" not in self.aws.suspended:
                self.service.scale(self.service.desired + 1)
        elif kind == "task":
            self._lose(fault)
        elif kind == "protect":
            task = self.service.tasks[fault.which % len(self.service.tasks)]
            if not task.locked(self.hub.now):
                task.protected_until = self.hub.now + fault.seconds
                self.service.lock(task, task.protected_until)
        elif kind == "misled":
            self._mislead(fault)
        elif kind == "freeze":
            self._freeze(fault)
        elif kind in ("alarm", "silenced"):
            self.aws.listens = kind == "alarm"
            self.aws.alarms.add(ALARM)
            self.service.touch()
            self.hub.after(fault.seconds, self.aws.alarms.clear)

    def _stop(self, what: str) -> None:
        if what == "deployment":
            one = self.engine.running()
            if one is not None:
                self.engine.stop(one)
            return
        for execution in list(self.machines.all.values()):
            if execution.machine == what:
                self.machines.stop(execution)

    def _lose(self, fault: Fault) -> None:
        """One task, if the cluster stands without it."""
        tasks = self.service.tasks
        if tasks and self.watcher.bears_a_loss():
            task = tasks[fault.which % len(tasks)]
            self.service.end(task, "SpotInterruption")

    def _mislead(self, fault: Fault) -> None:
        """Unless somebody has led them elsewhere since, they are led back."""
        service = self.service
        before, nobody = service.production, dict.fromkeys(service.production, 0)
        self.misled.append((self.hub.now, self.hub.now + fault.seconds))
        service.lead(nobody)

        def back() -> None:
            if service.production is nobody:
                service.lead(before)

        self.hub.after(fault.seconds, back)

    def _freeze(self, fault: Fault) -> None:
        """One voter, if the cluster stands without it; it comes back."""
        voters = [one for one in self.cluster.voters() if one.up]
        if not voters or not self.watcher.bears_a_loss():
            return
        one = voters[fault.which % len(voters)]
        one.up = False
        self.service.touch()

        def back() -> None:
            if any(task.address == one.address for task in self.service.tasks):
                one.up, one.since = True, self.cluster.now
                self.service.touch()

        self.hub.after(fault.seconds, back)

    # A run.

    def run(self) -> Ran:
        """Everything, until nothing is left to be done."""
        with self._wired():
            self.begin(FIRST, {})
            self.hub.after(EVERY_SECONDS, self._keep)
            for fault in self.schedule:
                if not (fault.of_a_call or fault.api):
                    self.hub.after(fault.at, functools.partial(self._do, fault))
            self.hub.run(self.watcher.at_rest, LONGEST_SECONDS)
            for kind, said in judge(self):
                self.watcher.say(kind, said)
            self.hub.close()
        ends = {
            name: one.ended.at if one.ended else one.status
            for name, one in self.machines.all.items()
        }
        wrong = tuple(self.watcher.wrong.values())
        lasted, kinds = self.watcher.rested - BEGAN, tuple(self.watcher.wrong)
        return Ran(self.schedule, ends, wrong, lasted, len(self.calls.made), kinds)

    @contextmanager
    def _wired(self) -> Iterator[None]:
        """Handlers called from here on see this world."""
        clients: dict[str, Any] = {}

        def client(name: str) -> Any:
            if name not in clients:
                clients[name] = self.calls.client(name, self.aws.operations.get(name, {}))
            return clients[name]

        places = {
            "tasks.wiring.client": client,
            "quorumshift.domain.handover_path.search": lambda problem, start: known_paths(
                problem, tuple(start)
            ),
            "quorumshift.adapters.raft.control.raft_control": lambda *_: self.raft,
            "quorumshift.adapters.clock.SystemClock": lambda: Clock(self.hub),
            "quorumshift.adapters.http_probe.HttpProbe": lambda **_: FaultyProbe(self.calls),
        }
        with ExitStack() as stack:
            stack.enter_context(mock.patch.dict(os.environ, SERVICE.environment()))
            stack.enter_context(redirect_stdout(io.StringIO()))
            stack.enter_context(redirect_stderr(io.StringIO()))
            for place, value in places.items():
                stack.enter_context(mock.patch(place, value))
            tasks.wiring.wiring.cache_clear()
            stack.callback(tasks.wiring.wiring.cache_clear)
            yield
