"""One embedded AWS for all tests of the rehearsal: moto's state is global to the process."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from quorumshift.rehearsal.aws.alarms import AlarmEngine
from quorumshift.rehearsal.aws.codedeploy import CodeDeployEngine
from quorumshift.rehearsal.aws.ecs import EcsEngine
from quorumshift.rehearsal.aws.load_balancing import BalancerEngine
from quorumshift.rehearsal.aws.server import EmbeddedAws, Engine
from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.world import ACCOUNT, REGION, World

Functions = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """The embedded AWS with every engine, an AWS minute a second."""
    world = World(block=take_block(), speed=60, directory=tmp_path_factory.mktemp("world"))
    engines: list[Engine] = [
        BalancerEngine(world),
        EcsEngine(world),
        CodeDeployEngine(world),
        AlarmEngine(world),
    ]
    embedded = EmbeddedAws(world, engines)
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
    """A role's ARN, for whatever asks for one; it may do everything."""
    return make_role(world, "*")


def make_role(world: World, *actions: str) -> str:
    """A role that grants ``actions``; its ARN."""
    iam, name = world.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
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


@pytest.fixture
def machine(world: World, role: str) -> Callable[..., str]:
    """``machine(states, timeout)``: a state machine that starts at the first of its states."""

    def make(states: dict[str, Any], timeout: int | None = None) -> str:
        definition: dict[str, Any] = {"StartAt": next(iter(states)), "States": states}
        if timeout is not None:
            definition["TimeoutSeconds"] = timeout
        made = world.client("stepfunctions").create_state_machine(
            name=f"machine-{uuid.uuid4().hex[:8]}",
            definition=json.dumps(definition),
            roleArn=role,
        )
        return str(made["stateMachineArn"])

    return make


def function_arn(name: str) -> str:
    """The ARN of a function."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
