"""The template that these tests read: synthesized once, and kept by content like a rehearsal's."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from quorumshift.rehearsal.synthesis import assembly
from tests.infra.template import Template

ROOT = Path(__file__).parents[2]


def _say(text: str) -> None:
    print(text, file=sys.stderr)


@pytest.fixture(scope="session")
def cloud_assembly() -> Path:
    return assembly(ROOT / "quorumshift.toml", {}, _say)


@pytest.fixture(scope="session")
def template(cloud_assembly: Path) -> Template:
    document: dict[str, Any] = json.loads((cloud_assembly / "sample.template.json").read_text())
    return Template(document)
