"""The watchdog as it is packaged, at the other end of its rule: what is stopped is resumed once.

The definition is the one that is deployed; the functions of its states are stand-ins.
"""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from infra.packaging import sources
from quorumshift.names import HAND_OVER_STATES
from quorumshift.rehearsal.synthesis import ROOT
from quorumshift.rehearsal.world import World
from tests.rehearsal.conftest import Functions, function_arn
from tests.rehearsal.machines import ended, kinds
from tests.rehearsal.stage import until
from tests.tasks.aws import SETTINGS

GOLDEN = ROOT / "workflows" / "golden" / "hand_over.asl.json"
STAND_INS = """
import os, time

def observe(event, context):
    while os.path.exists(os.environ["HOLD"]):
        time.sleep(0.01)
    return {}

def plan(event, context):
    return {"decision": "done", "goal": "blue", "settleSeconds": 1}

def answer_failed(event, context):
    return {"answered": False, "error": "E", "cause": "C", "handedBack": True}
"""


@pytest.fixture
def hold(tmp_path: Path) -> Path:
    """While this file exists, ``Observe`` does not end."""
    file = tmp_path / "hold"
    file.touch()
    return file


@pytest.fixture
def hand_over(world: World, role: str, functions: Functions, hold: Path) -> str:
    """The state machine ``hand_over``, watched; its ARN."""
    name = f"hand-over-{uuid.uuid4().hex[:8]}"
    made = functions(STAND_INS, "observe", "plan", "answer_failed", HOLD=str(hold))
    definition = GOLDEN.read_text(encoding="utf-8")
    for state in HAND_OVER_STATES:
        stand_in = {"Observe": "observe", "Plan": "plan"}.get(state, "answer_failed")
        definition = definition.replace(f"${{{state}}}", function_arn(made[stand_in]))
    arn = world.client("stepfunctions").create_state_machine(
        name=name, definition=definition, roleArn=role
    )["stateMachineArn"]
    topic = world.client("sns").create_topic(Name=name)["TopicArn"]
    watchdog = f"watchdog-{uuid.uuid4().hex[:8]}"
    world.client("lambda").create_function(
        FunctionName=watchdog,
        Role=role,
        Runtime="python3.12",
        Handler="tasks.watchdog.handler",
        Code={"ZipFile": package()},
        Timeout=20,
        Environment={"Variables": replace(SETTINGS, hand_over=arn, topic=topic).environment()},
    )
    pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"stateMachineArn": [arn], "status": ["ABORTED", "TIMED_OUT", "FAILED"]},
    }
    events = world.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": function_arn(watchdog)}])
    return str(arn)


def package() -> bytes:
    """What goes to Lambda."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path in sources(ROOT):
            archive.write(ROOT / path, path)
    return file.getvalue()


def start(world: World, hand_over: str) -> str:
    """Call votes home; the execution's ARN."""
    asked = {"deploymentId": "d-9", "lifecycleEventHookExecutionId": "", "goal": "blue"}
    return str(
        world.client("stepfunctions").start_execution(
            stateMachineArn=hand_over, name="d-9-blue-1", input=json.dumps(asked)
        )["executionArn"]
    )


def stop_and_see_it_resumed(world: World, execution: str) -> None:
    client = world.client("stepfunctions")
    client.stop_execution(executionArn=execution)
    until(lambda: client.describe_execution(executionArn=execution)["redriveCount"] == 1)


def test_a_hand_over_that_is_stopped_is_resumed_and_ends_well(
    world: World, hand_over: str, hold: Path
) -> None:
    execution = start(world, hand_over)
    until(lambda: "LambdaFunctionStarted" in kinds(world, execution))
    stop_and_see_it_resumed(world, execution)
    hold.unlink()
    result = ended(world, execution)
    assert (result["status"], result["redriveCount"]) == ("SUCCEEDED", 1)
    found = kinds(world, execution)
    resumed = ["ExecutionAborted", "ExecutionRedriven", "TaskStateEntered"]
    at = found.index("ExecutionAborted")
    assert found[at : at + 3] == resumed
    topic = hand_over.rpartition(":")[2]
    (told,) = until(
        lambda: [e for e in world.events.all("notification") if e.data["topic"] == topic]
    )
    assert "It goes on where it stood, once" in told.data["message"]


def test_one_that_is_stopped_twice_stays_stopped(world: World, hand_over: str, hold: Path) -> None:
    execution = start(world, hand_over)
    stop_and_see_it_resumed(world, execution)
    client = world.client("stepfunctions")
    client.stop_execution(executionArn=execution)
    (target,) = world.client("events").list_targets_by_rule(Rule=hand_over.rpartition(":")[2])[
        "Targets"
    ]
    watchdog = target["Arn"].rpartition(":")[2]
    until(lambda: [e.data["function"] for e in world.events.all("lambda")].count(watchdog) == 2)
    assert client.describe_execution(executionArn=execution)["status"] == "ABORTED"
    hold.unlink()
