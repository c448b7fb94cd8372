"""Acts a fault out on the running world, through the same doors that reality uses."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator

from quorumshift.adapters.raft.etcd import EtcdRaft
from quorumshift.config import Configuration
from quorumshift.domain.errors import Transient
from quorumshift.domain.raft import Standing
from quorumshift.rehearsal.aws.ecs import EcsEngine
from quorumshift.rehearsal.faults import Deed, Fault
from quorumshift.rehearsal.observer import Observer
from quorumshift.rehearsal.world import Event, World
from quorumshift.settings import PREFIX

MIDDLE_OF_SHIFT = 50
"""Percent of the traffic on green at which a fault of the middle strikes."""
CRASHING_HOOK = "before-allow-traffic"
DEADLINE_SECONDS = 20.0


class Deeds:
    """What a fault does, and when."""

    def __init__(
        self, world: World, configuration: Configuration, ecs: EcsEngine, observer: Observer
    ) -> None:
        self._world = world
        self._configuration = configuration
        self._ecs = ecs
        self._observer = observer

    def before(self, fault: Fault) -> None:
        """What happens before the deployment starts; returns when it is seen to have happened."""
        if fault.deed is Deed.KILL_VOTER_BEFORE:
            self._kill_a_follower()
        elif fault.deed is Deed.CRASH_HOOK:
            self._break_hook()

    @contextlib.contextmanager
    def during(self, fault: Fault | None) -> Iterator[None]:
        """What happens while the deployment runs."""
        if fault is not None and fault.deed is Deed.MOVE_LEADER_DURING_SHIFT:
            self._world.events.listen(self._move_leader_once())
        yield

    def _kill_a_follower(self) -> None:
        victim = next(
            member.address
            for member in self._observer.snapshot().members
            if member.standing is Standing.VOTER and not member.is_leader
        )
        arn = self._ecs.task_at(victim)
        self._world.events.say("fault", f"killing the task at {victim}, a follower", node=victim)
        self._ecs.kill(arn, signal.SIGKILL)
        self._wait_until_silent(victim)

    def _wait_until_silent(self, address: str) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while any(
            member.answering
            for member in self._observer.snapshot().members
            if member.address == address
        ):
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"{address} still answers {DEADLINE_SECONDS:.0f} s after its end"
                )
            self._world.stopping.wait(0.05)

    def _break_hook(self) -> None:
        """Spoil one variable of the hook's environment, as a bad release of it would."""
        function = f"{self._configuration.service.name}-{CRASHING_HOOK}"
        client = self._world.client("lambda")
        variables = client.get_function_configuration(FunctionName=function)["Environment"][
            "Variables"
        ]
        variables[f"{PREFIX}POLICY"] = "spoilt"
        client.update_function_configuration(
            FunctionName=function, Environment={"Variables": variables}
        )
        self._world.events.say("fault", f"the function {function} will raise", function=function)

    def _move_leader_once(self) -> Callable[[Event], None]:
        """Listens for the middle of the shift, and acts once, in a thread of its own."""
        done = threading.Event()

        def listen(event: Event) -> None:
            share = event.data.get("green", 0) if "deployment" in event.data else 0
            if event.kind == "traffic" and share >= MIDDLE_OF_SHIFT and not done.is_set():
                done.set()
                threading.Thread(target=self._move_leader, name="move-leader").start()

        return listen

    def _move_leader(self) -> None:
        raft = EtcdRaft(client_port=self._configuration.raft.port)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            voters = [m for m in self._observer.snapshot().members if m.standing is Standing.VOTER]
            old = next(member.address for member in voters if member.is_leader)
            new = next(m.address for m in voters if not m.is_leader and m.answering)
            members = raft.observe([old]).members
            try:
                raft.transfer(next(m.raft_id for m in members if m.address == new), via=[old])
            except Transient as error:
                if time.monotonic() > deadline:
                    self._world.events.say("error", f"leadership could not be moved: {error}")
                    return
                continue
            self._world.events.say("fault", f"leadership moved from {old} to {new}")
            return
