"""AWS out of order: for a while no call of a function is answered.

What AWS does by itself goes on: CodeDeploy's stages and questions, ECS, executions, schedules.
"""

from __future__ import annotations

import threading
import time

from quorumshift.rehearsal.world import World

Answer = tuple[int, list[tuple[str, str]], bytes]
UNAVAILABLE: Answer = (503, [("Content-Type", "text/plain")], b"")


class Outage:
    """``seconds`` are AWS's, as CodeDeploy's hour is."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._until = 0.0
        self._refused = 0

    def begin(self, seconds: float) -> None:
        """From now on."""
        with self._lock:
            self._until = time.monotonic() + self._world.real(seconds)
        said = f"AWS answers no function for {seconds:.0f} s"
        self._world.events.say("fault", said)

    def answer(self, caller: str) -> Answer | None:
        """What this caller gets instead of an answer; ``None``: AWS answers. Empty: it is no
        function."""
        with self._lock:
            if not caller or time.monotonic() >= self._until:
                return None
            self._refused += 1
            return UNAVAILABLE

    def end(self) -> int:
        """Wait for its end; how many calls got no answer."""
        while (left := self._until - time.monotonic()) > 0:
            if self._world.stopping.wait(left):
                break
        self._world.events.say("fault", f"AWS answers again; {self._refused} calls got no answer")
        return self._refused
