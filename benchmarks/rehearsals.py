"""Whole rehearsals, one after another: how long, how much memory, what failed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.memory import Peak


@dataclass(frozen=True, slots=True)
class Run:
    """One rehearsal: real seconds from the command to its end, bytes at the peak, its result."""

    seconds: float
    peak_bytes: int
    result: dict[str, Any]


def rehearse(*arguments: str) -> Run:
    """Run ``quorumshift rehearse`` once. Raises ``RuntimeError`` with what it said if it broke."""
    command = [str(Path(sys.executable).parent / "quorumshift"), "rehearse", "--output", "json"]
    began = time.monotonic()
    with subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        peak = Peak(process.pid)
        output, progress = process.communicate(timeout=600)
    seconds = time.monotonic() - began
    if not output.strip():
        raise RuntimeError(f"exit code {process.returncode}:\n{progress[-3000:]}")
    return Run(seconds, peak.stop(), json.loads(output))
