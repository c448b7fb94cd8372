"""A child process that reports in lines of JSON, and its handle.

The child writes ``{"snapshot": …}`` now and then, and ``{"result": …}`` once after it has read the
line ``finish`` from its standard input; then it ends. Nothing else goes to its standard output.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from quorumshift.domain.data import from_json, to_json

if TYPE_CHECKING:  # the children import this package too, and need no AWS client
    from quorumshift.rehearsal.world import World

S = TypeVar("S")
R = TypeVar("R")

_TAIL_LINES = 15


async def standard_input() -> asyncio.StreamReader:
    """For the child: its orders, to be read line by line without blocking."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def write_report(**report: Any) -> None:
    """For the child: one line, ``snapshot=`` or ``result=`` a dataclass."""
    print(json.dumps({kind: to_json(what) for kind, what in report.items()}), flush=True)


class ReporterFailed(RuntimeError):
    """The child ended or stayed silent; the message holds the end of its log."""


class Reporter(Generic[S, R]):
    """The handle. ``S`` is the dataclass of a snapshot, ``R`` of the result. Thread-safe."""

    def __init__(
        self,
        world: World,
        module: str,
        arguments: tuple[str, ...],
        snapshot: type[S],
        result: type[R],
    ) -> None:
        self._world = world
        self._module = module
        self._arguments = arguments
        self._snapshot_type, self._result_type = snapshot, result
        self._log: Path = world.directory / f"{module.rpartition('.')[2]}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._changed = threading.Condition()
        self._snapshot: S | None = None
        self._result: R | None = None
        self._ended = False

    def start(self) -> None:
        """Start the child."""
        self._process = self._world.processes.python(
            self._module,
            *self._arguments,
            log=self._log,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        threading.Thread(target=self._read, name=f"{self._module} reader", daemon=True).start()

    def snapshot(self) -> S | None:
        """The last snapshot; ``None`` before the first. Raises :class:`ReporterFailed` when the
        child has ended without a result."""
        with self._changed:
            self._check("running")
            return self._snapshot

    def wait_for(self, holds: Callable[[S], bool], what: str, seconds: float) -> S:
        """The first snapshot of which ``holds`` is true. Raises :class:`ReporterFailed`."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ended or (self._snapshot is not None and holds(self._snapshot)),
                seconds,
            )
            self._check(what)
            if self._snapshot is None or not holds(self._snapshot):
                raise self._failure(
                    f"waited {seconds:.0f} s for {what}; the last report was {self._snapshot}"
                )
            return self._snapshot

    def finish(self, seconds: float, *details: str) -> R:
        """Tell the child to finish, and return its result. Asking again gives the same.
        ``details``: words that follow the order on its line."""
        if self._process is None or self._process.stdin is None:
            raise ReporterFailed(f"{self._module} was not started")
        if not self._process.stdin.closed:
            try:
                self._process.stdin.write(f"{' '.join(('finish', *details))}\n".encode())
                self._process.stdin.close()
            except BrokenPipeError:
                pass  # it has ended: said below, with its log
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._result is not None, seconds)
            self._check("its result")
            if self._result is None:
                raise self._failure(f"no result within {seconds:.0f} s")
            return self._result

    def _check(self, what: str) -> None:
        if self._ended and self._result is None:
            code = None if self._process is None else self._process.wait()
            raise self._failure(f"ended with exit code {code} instead of {what}")

    def _failure(self, what: str) -> ReporterFailed:
        lines = self._log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return ReporterFailed("\n".join([f"{self._module}: {what} (log: {self._log})", *lines]))

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            with self._process.stdout as lines:
                for line in lines:
                    self._take(json.loads(line))
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _take(self, report: dict[str, Any]) -> None:
        with self._changed:
            if "result" in report:
                self._result = from_json(self._result_type, report["result"])
            else:
                self._snapshot = from_json(self._snapshot_type, report["snapshot"])
            self._changed.notify_all()
