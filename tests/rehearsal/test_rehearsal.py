"""Whole rehearsals through the command: each fault ends as documented, and nothing is left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "quorumshift.cli.main", "rehearse", "--service", "etcd"]
COMMAND += ["--output", "json"]
KEYS = {
    "outcome": str,
    "cause": str,
    "initiator": str,
    "versionServed": str,
    "requests": {"total": int, "failed": int, "p50Ms": float, "p99Ms": float},
    "writes": {"acknowledged": int, "lost": int},
    "quorum": {"lostSeconds": float},
    "leader": {"changes": int, "longestGapSeconds": float},
    "hooks": list,
    "states": list,
    "apiCalls": int,
    "duration": {"seconds": float},
}

ENDS = {
    None: ("Deployed", "2", ""),
    "lost-task": ("Deployed", "2", ""),
    "hand-over-killed": ("Deployed", "2", ""),
}
"""Fault → outcome, the version that serves, a word of the cause: where what ECS, etcd and the
embedded AWS do between them shows only in the whole. ``make bench ARGS='--only faults'`` rehearses
every fault and compares."""


def rehearse(*arguments: str) -> tuple[int, dict[str, Any]]:
    run = subprocess.run(
        [*COMMAND, "--rate", "50", *arguments],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert run.stdout, run.stderr[-4000:]
    assert "\x1b" not in run.stderr, "control codes in a log"
    return run.returncode, json.loads(run.stdout)


def shaped(value: Any, shape: Any) -> bool:
    if isinstance(shape, dict):
        return all(key in value and shaped(value[key], shape[key]) for key in shape)
    return isinstance(value, (int, float) if shape is float else shape)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("fault", [fault for fault in ENDS if fault])
def test_a_rehearsal_ends_as_documented(fault: str) -> None:
    """The one without a fault is the stage of test_every_verb.py."""
    code, result = rehearse("--fault", fault)
    ended_as_documented(fault, result)
    assert code == 0


def ended_as_documented(fault: str | None, result: dict[str, Any]) -> None:
    """What holds of every rehearsal, and what of this one."""
    outcome, version, word = ENDS[fault]
    assert result["outcome"] == outcome, result
    assert shaped(result, KEYS), result
    assert result["versionServed"] == version
    assert word in result["cause"]
    assert result["requests"]["failed"] == 0, result
    assert result["requests"]["total"] > 0
    assert result["writes"]["lost"] == 0
    assert result["writes"]["acknowledged"] > 0
    assert result["quorum"]["lostSeconds"] == 0
    assert "CreateDeployment" in result["states"]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_behind(signal_number: signal.Signals, tmp_path: Path) -> None:
    """After SIGTERM: test_every_verb.py."""
    mark = f"QUORUMSHIFT_TEST_MARK={tmp_path.name}"
    environment = {**os.environ, **dict([mark.split("=")])}
    with subprocess.Popen(
        [*COMMAND, "--rate", "20"],
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if "ValidateRequest" in line:
                break  # everything is up and under load
        folder = next(
            Path(arg).parent for arg in _open_files(run.pid) if "quorumshift-rehearsal-" in arg
        )
        assert list(_processes_in(folder)), "the rehearsal had no processes to leave behind"
        run.send_signal(signal_number)
        run.stderr.read()
        code = run.wait(20)
    assert code == (-signal.SIGKILL if signal_number is signal.SIGKILL else 130)
    nothing_is_left_in(folder)


def nothing_is_left_in(folder: Path) -> None:
    """Soon no process of the rehearsal runs that has this folder."""
    deadline = time.monotonic() + 5
    while left := list(_processes_in(folder)):
        assert time.monotonic() < deadline, f"left behind: {left}"
        time.sleep(0.05)


def _open_files(pid: int) -> Iterator[str]:
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            yield os.readlink(link)


def _processes_in(folder: Path) -> Iterator[tuple[int, str]]:
    """Processes that were started with, or write to, this rehearsal's folder."""
    root = next(part for part in (folder, *folder.parents) if "rehearsal-" in part.name)
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid():
            with contextlib.suppress(OSError):
                said = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                files = list(_open_files(int(process.name)))
                if any(str(root) in text for text in (said, *files)):
                    yield int(process.name), said
