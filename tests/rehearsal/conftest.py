"""One embedded AWS for all tests of the rehearsal: moto's state is global to the process."""

from __future__ import annotations

import importlib
import importlib.util
import io
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.world import ACCOUNT, REGION, World

_ENGINES = {
    "quorumshift.rehearsal.aws.load_balancing": "BalancerEngine",
    "quorumshift.rehearsal.aws.alarms": "AlarmEngine",
    "quorumshift.rehearsal.aws.ecs": "EcsEngine",
    "quorumshift.rehearsal.aws.codedeploy": "CodeDeployEngine",
}

Functions = Callable[..., dict[str, str]]


def _engines(world: World) -> list[Any]:
    found = []
    for module, name in _ENGINES.items():
        if importlib.util.find_spec(module) is not None:
            found.append(getattr(importlib.import_module(module), name)(world))
    return found


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """The embedded AWS with every engine, an AWS minute a second."""
    world = World(block=take_block(), speed=60, directory=tmp_path_factory.mktemp("world"))
    embedded = EmbeddedAws(world, _engines(world))
    embedded.start()
    yield embedded
    embedded.stop()
    world.processes.close()


@pytest.fixture(scope="session")
def world(aws: EmbeddedAws) -> World:
    """The world of the embedded AWS, which is up."""
    return aws.world


@pytest.fixture(scope="session")
def role(world: World) -> str:
    """A role's ARN, for whatever asks for one."""
    name = f"role-{uuid.uuid4().hex[:8]}"
    world.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


@pytest.fixture
def functions(world: World, role: str) -> Functions:
    """``functions(source, "one", "two", timeout=3)``: a package with one module, and a function for
    each of its handlers. Returns their names, which are unique, by handler."""

    def make(source: str, *handlers: str, timeout: int = 5, **variables: str) -> dict[str, str]:
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("code.py", "")  # a package may shadow the standard library
            archive.writestr("handlers.py", source)
        made = {}
        for handler in handlers:
            made[handler] = f"{handler}-{uuid.uuid4().hex[:8]}"
            world.client("lambda").create_function(
                FunctionName=made[handler],
                Role=role,
                Runtime="python3.12",
                Handler=f"handlers.{handler}",
                Code={"ZipFile": package.getvalue()},
                Timeout=timeout,
                Environment={"Variables": variables},
            )
        return made

    return make


def function_arn(name: str) -> str:
    """The ARN of a function."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
