"""How long templates and packages take to make, and how large the packages are."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import page
from benchmarks.page import Section
from infra.packaging import needs, needs_layer
from quorumshift.names import PACKAGES, kebab

TIMES = 3
SYNTH_SECONDS, PACKAGE_SECONDS = 10.0, 20.0
MOST_BYTES, MOST_BYTES_WITH_GRPC = 1_500_000, 4_000_000


def measure(command: str) -> Section:
    """Everything is warm: the libraries are in uv's cache, modules are compiled."""
    with tempfile.TemporaryDirectory() as folder:
        synths = [_timed("infra", Path(folder) / f"synth-{n}") for n in range(TIMES)]
        packagings = [_timed("infra.package", Path(folder) / f"package-{n}") for n in range(TIMES)]
        made = [Path(folder) / f"package-{number}" for number in range(TIMES)]
        alike = len({_bytes(one) for one in made}) == 1
        sizes = {state: _size(made[0] / "functions" / f"{kebab(state)}.zip") for state in PACKAGES}
        layer = max(_size(file) for file in made[0].glob("libraries-*.zip"))
    speak = {state for state, needed in needs(page.ROOT).items() if needs_layer(needed)}
    with_grpc = max(sizes[state] for state in speak) + layer
    rows = [
        ("synthesis of the templates, s", page.spread(synths)),
        ("make package, s", page.spread(packagings)),
        ("packages made", f"{len(sizes)} functions, layers for 2 processors"),
        ("the same bytes each time", "yes" if alike else "no"),
        ("package of a function, kB", page.spread([size / 1000 for size in sizes.values()])),
        (
            f"what speaks gRPC ({len(speak)} functions), largest, with its layer, kB",
            f"{with_grpc / 1000:,.1f}",
        ),
        ("load average of the machine", f"{os.getloadavg()[0]:.1f}"),
    ]
    goals = {
        f"synthesis at most {SYNTH_SECONDS:g} s": max(synths) <= SYNTH_SECONDS,
        f"make package at most {PACKAGE_SECONDS:g} s": max(packagings) <= PACKAGE_SECONDS,
        "the same bytes each time": alike,
        "each package at most 1.5 MB": max(sizes.values()) <= MOST_BYTES,
        "what speaks gRPC at most 4 MB": with_grpc <= MOST_BYTES_WITH_GRPC,
    }
    return Section(
        page.section(command, rows), tuple(goal for goal, met in goals.items() if not met)
    )


def _timed(module: str, output: Path) -> float:
    began = time.monotonic()
    command = [sys.executable, "-m", module, "--output", str(output)]
    subprocess.run(command, cwd=page.ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


def _bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*.zip")))


def _size(file: Path) -> int:
    return file.stat().st_size
