"""Child processes that never outlive the rehearsal.

Every child asks the kernel to be killed when its parent dies (``PR_SET_PDEATHSIG``), so that even
SIGKILL leaves nothing behind. The kernel takes "parent" to be the *thread* that started the
child, hence one thread that lives as long as the process starts them all.
"""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_PARENT = "QUORUMSHIFT_PARENT"


def die_with_parent() -> None:
    """Called first by every Python child: end when the parent ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = os.environ.get(_PARENT)
    if parent is not None and os.getppid() != int(parent):
        os._exit(1)  # it ended before the kernel knew of our wish


def environment_of_child(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """``env``, or this process's own, with what :func:`die_with_parent` looks for in it."""
    return {**(os.environ if env is None else env), _PARENT: str(os.getpid())}


class Spawner:
    """Starts children from one thread and ends them all in :meth:`close`."""

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[tuple[_Order, Future[subprocess.Popen[bytes]]] | None]
        self._orders = queue.SimpleQueue()
        self._children: list[subprocess.Popen[bytes]] = []
        self._thread = threading.Thread(target=self._run, name="spawner", daemon=True)
        self._thread.start()

    def python(
        self,
        module: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        log: Path,
        stdin: int | None = subprocess.DEVNULL,
        stdout: int | None = None,
        cwd: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start ``python -m module arguments``; output goes to ``log`` unless ``stdout`` is given.

        ``env`` is the child's whole environment, ``None`` this process's own. The child must call
        :func:`die_with_parent` first.
        """
        command = [sys.executable, "-m", module, *arguments]
        whole = environment_of_child(env)
        done: Future[subprocess.Popen[bytes]] = Future()
        self._orders.put((_Order(command, whole, log, stdin, stdout, cwd), done))
        return done.result()

    def close(self, grace: float = 3.0) -> None:
        """SIGTERM to all that still run, SIGKILL after ``grace`` seconds; then none is left."""
        running = [child for child in self._children if child.poll() is None]
        for child in running:
            child.terminate()
        for child in running:
            try:
                child.wait(grace)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._orders.put(None)

    def _run(self) -> None:
        while (order := self._orders.get()) is not None:
            what, done = order
            try:
                child = what.start()
            except OSError as error:
                done.set_exception(error)
            else:
                self._children.append(child)
                done.set_result(child)


class _Order:
    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        stdin: int | None,
        stdout: int | None,
        cwd: Path | None,
    ) -> None:
        self.command = command
        self.env = env
        self.log = log
        self.stdin = stdin
        self.stdout = stdout
        self.cwd = cwd

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            output: int | IO[bytes] = log if self.stdout is None else self.stdout
            return subprocess.Popen(
                self.command,
                env=self.env,
                stdin=self.stdin,
                stdout=output,
                stderr=log,
                cwd=self.cwd,
            )
