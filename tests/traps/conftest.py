"""Every configuration in this repository, as it would be deployed: the traps are set for each."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import tasks.wiring
from quorumshift.config import Configuration, load
from quorumshift.rehearsal.synthesis import assembly
from quorumshift.settings import PREFIX, Settings
from tests.infra.template import Template, merged
from tests.tasks.aws import SETTINGS, MemoryAws
from tests.tasks.conftest import aws as aws
from tests.usecases.service import MemoryService

ROOT = Path(__file__).parents[2]
PLACES = ("quorumshift.toml", "examples/*/quorumshift.toml")
SHIPPED = sorted(path for place in PLACES for path in ROOT.glob(place))


@dataclass(frozen=True, slots=True)
class Shipped:
    """``document``: the templates as CloudFormation gets them, as one. ``variables``: of every
    function."""

    path: Path
    configuration: Configuration
    document: dict[str, Any]
    template: Template
    variables: dict[str, str]

    @property
    def settings(self) -> Settings:
        """What a function reads from its environment."""
        return Settings.read(self.variables)

    def handler(self, state: str) -> str:
        """What the function of a state runs, as the template says it."""
        name = self.configuration.names.function(state)
        functions = self.template.of("AWS::Lambda::Function").values()
        (found,) = [each for each in functions if each["FunctionName"] == name]
        return str(found["Handler"])


def _say(text: str) -> None:
    print(text, file=sys.stderr)


@functools.cache
def read(path: Path) -> Shipped:
    """The service that a configuration describes; synthesized once, and kept by content."""
    document = merged(assembly(path, {}, _say))
    template = Template(document)
    function = next(iter(template.of("AWS::Lambda::Function").values()))
    variables = {
        name: template.text(value)
        for name, value in function["Environment"]["Variables"].items()
        if name.startswith(PREFIX)
    }
    return Shipped(path, load(path), document, template, variables)


@pytest.fixture(scope="session", params=SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def shipped(request: pytest.FixtureRequest) -> Shipped:
    return read(request.param)


Deployed = Callable[[], MemoryAws]


@pytest.fixture
def deployed(aws: MemoryAws, shipped: Shipped, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    """``deployed()``: handlers called from here on have the environment that the template gives
    them, and work on a new service of the size that it gives."""
    for name, value in shipped.variables.items():
        monkeypatch.setenv(name, value)
    # What the tasks in memory run, and where it comes from, is called so.
    monkeypatch.setenv("QUORUMSHIFT_CONTAINER", SETTINGS.container)
    monkeypatch.setenv("QUORUMSHIFT_REPOSITORY", SETTINGS.repository)

    def deploy() -> MemoryAws:
        aws.service = MemoryService(size=shipped.configuration.service.desired_count)
        tasks.wiring.wiring.cache_clear()
        return aws

    return deploy
