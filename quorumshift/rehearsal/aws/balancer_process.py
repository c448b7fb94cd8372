"""The engine's end of the line to the balancer process; ``balancer/control.py`` has the other."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Mapping
from typing import Any

from quorumshift.domain.data import to_json
from quorumshift.rehearsal.balancer.state import Desired
from quorumshift.rehearsal.world import World

_PATIENCE = 10.0

Handler = Callable[[dict[str, Any]], None]


class BalancerProcess:
    """``refused``: listener ARN → port and reason, of the state that was applied last.

    ``handlers``: message kind → who takes it, in the thread that reads. ``lost`` is called when the
    process ends by itself.
    """

    def __init__(
        self, world: World, handlers: Mapping[str, Handler], lost: Callable[[str], None]
    ) -> None:
        self.refused: dict[str, tuple[int, str]] = {}
        self.log = world.directory / "balancer.log"
        self._lost = lost
        self._handlers = dict(handlers) | {"ready": self._on_ready, "applied": self._on_applied}
        self._applied_to = handlers["applied"]
        self._news = threading.Condition()
        self._ready = False
        self._ending = False
        self._sent: Desired | None = None
        self._version = 0
        self._applied = 0
        self._pending: dict[int, Desired] = {}
        self._child = world.processes.python(
            "quorumshift.rehearsal.balancer",
            "--address",
            world.block.balancer,
            "--speed",
            str(world.speed),
            log=self.log,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._reading = threading.Thread(target=self._read, name="balancer-reports", daemon=True)
        self._reading.start()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._child.pid

    @property
    def sent(self) -> Desired | None:
        """The state that was sent last."""
        return self._sent

    def wait_until_ready(self) -> None:
        """Raises ``RuntimeError`` when it does not come up within ten seconds."""
        if not self._wait(lambda: self._ready or self._child.poll() is not None) or not self._ready:
            raise RuntimeError(f"the load balancer did not come up; see {self.log}")

    def send(self, desired: Desired) -> int:
        """Send the state if it is another than before. Returns its version."""
        with self._news:
            if desired != self._sent and not self._ending:
                self._version += 1
                order = {"version": self._version, "desired": to_json(desired)}
                assert self._child.stdin is not None
                self._child.stdin.write(json.dumps(order, separators=(",", ":")).encode() + b"\n")
                self._child.stdin.flush()
                self._sent = self._pending[self._version] = desired
            return self._version

    def wait_for(self, version: int) -> None:
        """Until that state is in force. Raises ``RuntimeError`` after ten seconds."""
        if not self._wait(lambda: self._applied >= version):
            raise RuntimeError(
                f"the load balancer has not applied state {version} within {_PATIENCE:g} s;"
                f" see {self.log}"
            )

    def stop(self) -> None:
        """End the process; its ports are free afterwards."""
        with self._news:
            self._ending = True
            assert self._child.stdin is not None
            self._child.stdin.close()
        try:
            self._child.wait(3)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._reading.join(3)
        assert self._child.stdout is not None
        self._child.stdout.close()

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            message = json.loads(line)
            self._handlers[message["kind"]](message)
        if not self._ending:
            code = self._child.wait()
            self._lost(f"the load balancer ended by itself with status {code}; see {self.log}")

    def _on_ready(self, _: dict[str, Any]) -> None:
        with self._news:
            self._ready = True
            self._news.notify_all()

    def _on_applied(self, message: dict[str, Any]) -> None:
        refused = {one["listener"]: (one["port"], one["error"]) for one in message["refused"]}
        with self._news:
            desired = self._pending.pop(message["version"])
            self.refused = refused
            self._applied = message["version"]
            self._news.notify_all()
        self._applied_to({"desired": desired, "refused": refused})

    def _wait(self, holds: Callable[[], bool]) -> bool:
        with self._news:
            return self._news.wait_for(holds, _PATIENCE)
