"""The process tree of a task: its end is the end of everything in it, as in a container."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

LEAST_STOP_TIMEOUT = 2.0
"""Real seconds between SIGTERM and SIGKILL: draining is real."""


def terminate(process: subprocess.Popen[bytes], grace: float) -> None:
    """SIGTERM, then SIGKILL after ``grace`` real seconds; returns when the process has ended."""
    process.terminate()
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def kill_rest(task_arn: str) -> int:
    """SIGKILL every process that carries the task's ARN in its environment; how many.

    Children of a dead process have lost their parent; the environment still tells whose they are.
    """
    mark = f"QUORUMSHIFT_TASK_ARN={task_arn}".encode()
    ended = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)
                ended += 1
    return ended


def exit_code(returncode: int) -> int:
    """As a container reports it: 128 + the signal's number when one ended the process."""
    return 128 - returncode if returncode < 0 else returncode
