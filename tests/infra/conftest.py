"""The templates that these tests read: synthesized once, and kept by content like a rehearsal's,
the stacks of a service as one.

``template`` is the plain sample's; what every service has is looked at there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from quorumshift.rehearsal.database_authority import ca_file
from quorumshift.rehearsal.synthesis import assembly
from tests.infra.template import Template, merged
from tests.test_config_adopt import ALL

ROOT = Path(__file__).parents[2]
ETCD = ROOT / "examples" / "etcd" / "quorumshift.toml"
SNAKETRON = ROOT / "quorumshift.toml"
ADOPT = ROOT / "examples" / "adopt" / "quorumshift.toml"
SLACK_SECRET = {"notifications.slack_secret": "snaketron-prod/slack"}


def _say(text: str) -> None:
    print(text, file=sys.stderr)


@pytest.fixture(scope="session")
def cloud_assembly() -> Path:
    return assembly(ETCD, {}, _say)


@pytest.fixture(scope="session")
def template(cloud_assembly: Path) -> Template:
    return Template(merged(cloud_assembly))


@pytest.fixture(scope="session")
def snaketron_assembly() -> Path:
    return assembly(SNAKETRON, {"database.ca_file": str(ca_file()), **SLACK_SECRET}, _say)


@pytest.fixture(scope="session")
def snaketron(snaketron_assembly: Path) -> Template:
    return Template(merged(snaketron_assembly))


@pytest.fixture(scope="session")
def adopting_assembly() -> Path:
    return assembly(ADOPT, {}, _say)


@pytest.fixture(scope="session")
def adopting(adopting_assembly: Path) -> Template:
    return Template(merged(adopting_assembly))


@pytest.fixture(scope="session")
def with_everything() -> Path:
    """The plain sample, of which everything is there that can be adopted."""
    return assembly(ETCD, {f"adopt.{name}": value for name, value in ALL.items()}, _say)
