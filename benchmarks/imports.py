"""How long a function's handler takes to import, beside one that imports boto3.

Each in a fresh interpreter and from an unpacked package without compiled files, which is how Lambda
has it; botocore and boto3 are compiled, as in Lambda's runtime. Processor time is measured, so that
what else the machine does counts little. The other handler imports boto3 and
makes the clients that this one may need, as handlers do that make their clients at the top.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import page
from benchmarks.page import Section
from infra.function_specs import READ_SECRET, SPECS, FunctionSpec
from infra.packaging import package
from quorumshift.names import module

TIMES = 3
MOST, MOST_WITHOUT_AWS = 0.75, 0.35
_CLIENTS = {"states": "stepfunctions", "elasticloadbalancing": "elbv2"}
_TIMED = "import time; began = time.process_time()\n{}\nprint(time.process_time() - began)"
_BOTO3 = "import boto3\nfor name in {!r}: boto3.client(name)"
_OURS = "import {module}"
_READY = (
    "import {module}\nfrom tasks.wiring import client\nfor name in {names!r}: client(name).meta"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians, in seconds of processor time. ``ready``: our import, and all its clients made."""

    state: str
    clients: int
    ours: float
    ready: float
    boto3: float

    @property
    def ratio(self) -> float:
        """Of the imports: the goal's."""
        return self.ours / self.boto3

    @property
    def most(self) -> float:
        """The goal."""
        return MOST if self.clients else MOST_WITHOUT_AWS


def measure(command: str) -> Section:
    """All functions, in turns with their counterparts."""
    with tempfile.TemporaryDirectory() as folder:
        packages = package(page.ROOT, Path(folder) / "packages")
        found = [_of(spec, packages[spec.state], Path(folder) / spec.state) for spec in SPECS]
    head = (
        "function",
        "clients",
        "import, ms",
        "boto3's, ms",
        "import ÷ boto3's",
        "ready ÷ boto3's",
    )
    rows = [
        (
            *(one.state, str(one.clients), f"{one.ours * 1000:.0f}", f"{one.boto3 * 1000:.0f}"),
            *(f"{one.ratio:.2f}", f"{one.ready / one.boto3:.2f}"),
        )
        for one in found
    ]
    missed = [
        f"import of {one.state}: {one.ratio:.2f} of boto3's, at most {one.most}"
        for one in found
        if one.ratio > one.most
    ]
    load = f"Load average of the machine: {os.getloadavg()[0]:.1f}."
    text = f"{page.measured_by(command)}\n\n{page.table(head, rows)}\n{load}\n"
    return Section(text, tuple(missed))


def clients(spec: FunctionSpec) -> tuple[str, ...]:
    """botocore's names of the services whose actions the function is granted for its own calls."""
    prefixes = {action.partition(":")[0] for action in spec.actions} - {"iam"}
    if spec.reaches_nodes:
        prefixes |= {action.partition(":")[0] for action in READ_SECRET}
    return tuple(sorted(_CLIENTS.get(prefix, prefix) for prefix in prefixes))


def _of(spec: FunctionSpec, zipped: Path, folder: Path) -> Measured:
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    names = clients(spec)
    texts = (
        _OURS.format(module=module(spec.state)),
        _READY.format(module=module(spec.state), names=names) if names else "",
        _BOTO3.format(names),
    )
    taken = [[_seconds(text or texts[0], folder) for text in texts] for _ in range(TIMES)]
    ours, ready, boto3 = (statistics.median(column) for column in zip(*taken, strict=True))
    return Measured(spec.state, len(names), ours, ready, boto3)


def _seconds(text: str, folder: Path) -> float:
    code = f"import sys; sys.path.insert(0, {str(folder)!r})\n" + _TIMED.format(text)
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", code],
        env={"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1", "HOME": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout)
