"""The templates that these tests read: synthesized once, and kept by content like a rehearsal's.

``template`` is the plain sample's; what every service has is looked at there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from quorumshift.rehearsal.database_authority import ca_file
from quorumshift.rehearsal.synthesis import assembly
from tests.infra.template import Template

ROOT = Path(__file__).parents[2]
ETCD = ROOT / "examples" / "etcd" / "quorumshift.toml"
SNAKETRON = ROOT / "quorumshift.toml"


def _say(text: str) -> None:
    print(text, file=sys.stderr)


@pytest.fixture(scope="session")
def cloud_assembly() -> Path:
    return assembly(ETCD, {}, _say)


@pytest.fixture(scope="session")
def template(cloud_assembly: Path) -> Template:
    document: dict[str, Any] = json.loads((cloud_assembly / "sample.template.json").read_text())
    return Template(document)


@pytest.fixture(scope="session")
def snaketron_assembly() -> Path:
    return assembly(SNAKETRON, {"database.ca_file": str(ca_file())}, _say)


@pytest.fixture(scope="session")
def snaketron(snaketron_assembly: Path) -> Template:
    path = snaketron_assembly / "snaketron-prod.template.json"
    return Template(json.loads(path.read_text()))
