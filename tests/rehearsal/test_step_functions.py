"""The interpreter does what Amazon States Language and the API say, in the rehearsal's time."""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime

import pytest
from botocore.exceptions import ClientError

from quorumshift.rehearsal.world import World
from tests.rehearsal.conftest import Functions
from tests.rehearsal.machines import Machines, ended, kinds, run, start, task

SOURCE = """
import time

class Refused(Exception): pass
class Transient(Exception): pass

attempts = 0

def echo(event, context): return event
def refuse(event, context): raise Refused("2 of 3 voters are healthy")
def slow(event, context): time.sleep(0.6); return "slow"
def third(event, context):
    global attempts
    attempts += 1
    if attempts % 3: raise Transient(f"attempt {attempts}")
    return attempts
"""


def test_waits_take_awss_time(world: World, machine: Machines) -> None:
    states = {
        "Fixed": {"Type": "Wait", "Seconds": 15, "Next": "FromState"},
        "FromState": {"Type": "Wait", "SecondsPath": "$.timing.pollSeconds", "End": True},
    }
    result = run(world, machine(states), {"timing": {"pollSeconds": 15}})
    took = (result["stopDate"] - result["startDate"]).total_seconds()
    assert result["status"] == "SUCCEEDED"
    assert 0.5 <= took < 1.5  # 30 of AWS's seconds


def test_retries_back_off_in_awss_time(
    world: World, machine: Machines, functions: Functions
) -> None:
    name = functions(SOURCE, "third")["third"]
    retry = {
        "ErrorEquals": ["Transient"],
        "IntervalSeconds": 6,
        "BackoffRate": 100.0,
        "MaxDelaySeconds": 30,
        "MaxAttempts": 5,
    }
    result = run(world, machine({"Try": task(name, Retry=[retry], End=True)}))
    took = (result["stopDate"] - result["startDate"]).total_seconds()
    assert result["output"] == "3"
    assert 0.6 <= took < 1.6  # 6 s and 30 s of AWS's, not 6 and 600


def test_retries_run_out(world: World, machine: Machines, functions: Functions) -> None:
    retry = {
        "ErrorEquals": ["Refused"],
        "IntervalSeconds": 1,
        "MaxAttempts": 2,
        "MaxDelaySeconds": 2,
        "JitterStrategy": "FULL",
    }
    name = functions(SOURCE, "refuse")["refuse"]
    execution = start(world, machine({"Try": task(name, Retry=[retry], End=True)}))
    assert ended(world, execution)["error"] == "Refused"
    assert kinds(world, execution).count("LambdaFunctionFailed") == 3


def test_catch_keeps_the_state_and_fail_says_why(
    world: World, machine: Machines, functions: Functions
) -> None:
    catch = {"ErrorEquals": ["Refused"], "ResultPath": "$.failure", "Next": "Ask"}
    states = {
        "Try": task(functions(SOURCE, "refuse")["refuse"], Catch=[catch], End=True),
        "Ask": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.request.image", "IsPresent": True, "Next": "RolledBack"}],
            "Default": "Lost",
        },
        "RolledBack": {
            "Type": "Fail",
            "ErrorPath": "$.failure.Error",
            "CausePath": "$.failure.Cause",
        },
        "Lost": {"Type": "Fail", "Error": "Lost"},
    }
    result = run(world, machine(states), {"request": {"image": "v2"}})
    assert (result["status"], result["error"]) == ("FAILED", "Refused")
    cause = json.loads(result["cause"])
    assert cause["errorMessage"] == "2 of 3 voters are healthy"
    assert cause["errorType"] == "Refused"


def test_the_context_object(world: World, machine: Machines, functions: Functions) -> None:
    parameters = {
        "input.$": "$",
        "id.$": "$$.Execution.Id",
        "name.$": "$$.Execution.Name",
        "startTime.$": "$$.Execution.StartTime",
    }
    name = functions(SOURCE, "echo")["echo"]
    states = {"Keep": task(name, Parameters=parameters, ResultPath="$.kept", End=True)}
    execution = start(world, machine(states), {"a": 1}, name="release-7")
    result = json.loads(ended(world, execution)["output"])
    assert result["a"] == 1
    kept = result["kept"]
    assert kept.pop("startTime").endswith("Z")
    assert kept == {"input": {"a": 1}, "id": execution, "name": "release-7"}


def test_executions_without_a_name_are_told_apart(world: World, machine: Machines) -> None:
    arn = machine({"Nothing": {"Type": "Pass", "End": True}})
    assert len({start(world, arn), start(world, arn), start(world, arn)}) == 3


def test_a_name_is_an_idempotency_key(world: World, machine: Machines) -> None:
    arn = machine({"Rest": {"Type": "Wait", "Seconds": 6000, "End": True}})
    first = start(world, arn, {"a": 1}, name="once")
    assert start(world, arn, {"a": 1}, name="once") == first
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start(world, arn, {"a": 2}, name="once")
    world.client("stepfunctions").stop_execution(executionArn=first)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start(world, arn, {"a": 1}, name="once")


def test_a_name_is_one_execution_however_many_ask_at_once(world: World, machine: Machines) -> None:
    arn = machine({"Rest": {"Type": "Wait", "Seconds": 6000, "End": True}})
    threads = [threading.Thread(target=start, args=(world, arn, {}), kwargs={"name": "once"})]
    threads += [threading.Thread(target=start, args=(world, arn, {}), kwargs={"name": "once"})]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    listed = world.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    assert len(listed) == 1
    world.client("stepfunctions").stop_execution(executionArn=listed[0]["executionArn"])


def test_stopping_a_wait(world: World, machine: Machines) -> None:
    arn = machine({"Rest": {"Type": "Wait", "Seconds": 6000, "End": True}})
    execution = start(world, arn)
    client = world.client("stepfunctions")
    client.stop_execution(executionArn=execution, error="ByHand", cause="wrong image")
    result = client.describe_execution(executionArn=execution)
    assert result["status"] == "ABORTED"
    assert (result["error"], result["cause"]) == ("ByHand", "wrong image")
    assert isinstance(result["stopDate"], datetime)


def test_stopping_a_task_is_not_undone_by_its_end(
    world: World, machine: Machines, functions: Functions
) -> None:
    states = {
        "Slow": task(functions(SOURCE, "slow")["slow"], Next="After"),
        "After": {"Type": "Pass", "End": True},
    }
    execution = start(world, machine(states))
    time.sleep(0.2)
    client = world.client("stepfunctions")
    client.stop_execution(executionArn=execution)
    assert client.describe_execution(executionArn=execution)["status"] == "ABORTED"
    deadline = time.monotonic() + 10
    while (found := kinds(world, execution))[-1] != "ExecutionAborted":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "PassStateEntered" not in found
    assert client.describe_execution(executionArn=execution)["status"] == "ABORTED"


def test_the_machines_time_is_up(world: World, machine: Machines) -> None:
    arn = machine({"Rest": {"Type": "Wait", "Seconds": 6000, "End": True}}, timeout=1)
    result = run(world, arn)
    assert result["status"] == "TIMED_OUT"
    assert (result["stopDate"] - result["startDate"]).total_seconds() >= 1


def test_a_states_time_is_up(world: World, machine: Machines, functions: Functions) -> None:
    name = functions("import time\ndef hang(event, context): time.sleep(3)\n", "hang")["hang"]
    catch = {"ErrorEquals": ["States.Timeout"], "ResultPath": "$.failure", "Next": "Late"}
    states = {
        "Slow": task(name, TimeoutSeconds=1, Catch=[catch], End=True),
        "Late": {"Type": "Fail", "Error": "Late"},
    }
    assert run(world, machine(states))["error"] == "Late"


def test_a_function_that_is_not_there(world: World, machine: Machines) -> None:
    result = run(world, machine({"Try": task("no-such-function", End=True)}))
    assert result["error"] == "Lambda.ResourceNotFoundException"


def test_the_history_in_pages_and_backwards(world: World, machine: Machines) -> None:
    execution = start(world, machine({"Nothing": {"Type": "Pass", "End": True}}))
    ended(world, execution)
    client = world.client("stepfunctions")
    forward = kinds(world, execution)
    assert forward[0] == "ExecutionStarted"
    assert forward[-1] == "ExecutionSucceeded"
    pages = client.get_paginator("get_execution_history").paginate(
        executionArn=execution, reverseOrder=True, PaginationConfig={"PageSize": 3}
    )
    sizes, backwards = [], []
    for page in pages:
        sizes.append(len(page["events"]))
        backwards += [event["type"] for event in page["events"]]
    assert sizes == [3, 1]
    assert backwards == forward[::-1]


def test_the_live_view_is_told(world: World, machine: Machines) -> None:
    arn = machine({"First": {"Type": "Pass", "Next": "Last"}, "Last": {"Type": "Succeed"}})
    execution = start(world, arn, name="seen")
    ended(world, execution)
    name = arn.rpartition(":")[2]
    told = [event for event in world.events.all() if event.data.get("machine") == name]
    assert [event.text for event in told] == [
        f"{name} seen: RUNNING",
        "First entered",
        "First left",
        "Last entered",
        "Last left",
        f"{name} seen: SUCCEEDED",
    ]
    assert told[1].kind == "state"
    assert told[1].data == {
        "machine": name,
        "execution": "seen",
        "state": "First",
        "verb": "entered",
    }
