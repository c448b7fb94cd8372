"""Functions run as on Lambda: their own code, variables, time and log, and nothing of ours."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from quorumshift.rehearsal.aws.calls import Calls
from quorumshift.rehearsal.aws.lambdas import LambdaEngine
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.world import ACCOUNT, REGION, World
from tests.rehearsal.conftest import Functions, make_role
from tests.rehearsal.test_events import waited_for

SOURCE = """
import json, logging, os, sys, time

class Refused(Exception):
    pass

count = 0

def look(event, context):
    return {
        "event": event,
        "variables": dict(os.environ),
        "path": sys.path,
        "checkout": [name for name in sys.modules if name.startswith("quorumshift")],
        "limit": context.memory_limit_in_mb,
        "name": context.function_name,
        "arn": context.invoked_function_arn,
        "request": context.aws_request_id,
        "left": context.get_remaining_time_in_millis(),
    }

def imports(event, context):
    found = {}
    for name in ("quorumshift", "tasks", "infra", "botocore"):
        try:
            found[name] = __import__(name).__file__
        except ImportError:
            found[name] = None
    return found

def libraries(event, context):
    names = ("grpclib", "google.protobuf", "pg8000")
    before = [name for name in names if name in sys.modules]
    return {"before": before, "found": [__import__(name).__name__ for name in names]}

def tells(event, context):
    print("told " + json.dumps(event))

def refuse(event, context):
    raise Refused("node 2 is the leader")

def counts(event, context):
    global count
    count += 1
    return {"count": count, "pid": os.getpid()}

def overlaps(event, context):
    time.sleep(0.2)
    return os.getpid()

def hangs(event, context):
    print("about to hang")
    time.sleep(60)

def dies(event, context):
    print("about to die")
    sys.stdout.flush()
    os._exit(7)

def leaves(event, context):
    raise SystemExit("done")

def unspeakable(event, context):
    return {1, 2}

def writes(event, context):
    print(json.dumps({"evidence": event}))
    print("two", "words")
    logging.getLogger("x").warning("careful")
    sys.stderr.write("to stderr\\n")

def fails_twice(event, context):
    global count
    count += 1
    if count < 3:
        raise Refused(f"attempt {count}")
    print("third time")
"""


def invoke(world: World, name: str, event: Any = None) -> tuple[Any, str | None]:
    """The payload, and the kind of error if it is one."""
    answer = world.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}))
    return json.loads(answer["Payload"].read()), answer.get("FunctionError")


def test_it_sees_its_own_variables_alone(
    world: World, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_DEVELOPER", "x")
    name = functions(SOURCE, "look", timeout=7, SERVICE="sample")["look"]
    seen, error = invoke(world, name, {"a": 1})
    assert error is None
    assert seen["event"] == {"a": 1}
    variables = seen["variables"]
    assert variables["SERVICE"] == "sample"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == seen["name"] == name
    assert variables["AWS_ENDPOINT_URL"] == world.endpoint
    assert variables["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert len(variables["AWS_ACCESS_KEY_ID"]) == 20
    allowed = ("AWS_", "_HANDLER", "LAMBDA_", "HOME", "LANG", "PATH", "SERVICE", "TZ")
    assert [key for key in variables if not key.startswith(allowed)] == []
    assert seen["limit"] == "128"
    assert seen["arn"].endswith(f":function:{name}")
    assert 6000 < seen["left"] <= 7000


def test_it_sees_nothing_of_the_checkout(world: World, functions: Functions) -> None:
    names = functions(SOURCE, "look", "imports")
    seen, _ = invoke(world, names["look"])
    assert seen["checkout"] == []
    assert os.getcwd() not in seen["path"]
    found, _ = invoke(world, names["imports"])
    assert found.pop("botocore")  # the runtime's
    assert found == {"quorumshift": None, "tasks": None, "infra": None}


def test_it_finds_what_a_layer_would_hold_and_nobody_loads_it_in_advance(
    world: World, functions: Functions
) -> None:
    found, _ = invoke(world, functions(SOURCE, "libraries")["libraries"])
    assert found == {"before": [], "found": ["grpclib", "google", "pg8000"]}


def test_errors_carry_class_message_and_trace(world: World, functions: Functions) -> None:
    answer, error = invoke(world, functions(SOURCE, "refuse")["refuse"])
    assert error == "Unhandled"
    assert answer["errorType"] == "Refused"
    assert answer["errorMessage"] == "node 2 is the leader"
    assert len(answer["stackTrace"]) == 1
    assert "in refuse" in answer["stackTrace"][0]


def test_it_stays_warm_and_is_alone(world: World, functions: Functions) -> None:
    one, other = functions(SOURCE, "counts")["counts"], functions(SOURCE, "counts")["counts"]
    seen = [invoke(world, one)[0] for _ in range(3)]
    assert [answer["count"] for answer in seen] == [1, 2, 3]
    assert len({answer["pid"] for answer in seen}) == 1
    assert invoke(world, other)[0]["count"] == 1


def test_overlapping_invocations_get_environments_of_their_own(
    world: World, functions: Functions
) -> None:
    name = functions(SOURCE, "overlaps")["overlaps"]
    seen: list[int] = []
    threads = [
        threading.Thread(target=lambda: seen.append(invoke(world, name)[0])) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(set(seen)) == 3


def test_new_variables_mean_a_new_environment(world: World, functions: Functions) -> None:
    name = functions(SOURCE, "counts", A="1")["counts"]
    first, _ = invoke(world, name)
    world.client("lambda").update_function_configuration(
        FunctionName=name, Environment={"Variables": {"A": "2"}}
    )
    second, _ = invoke(world, name)
    assert (first["count"], second["count"]) == (1, 1)
    assert first["pid"] != second["pid"]


def test_time_is_up(world: World, functions: Functions) -> None:
    name = functions(SOURCE, "hangs", timeout=1)["hangs"]
    began = time.monotonic()
    answer, error = invoke(world, name)
    assert 1 <= time.monotonic() - began < 3
    assert error == "Unhandled"
    assert answer["errorType"] == "Sandbox.Timedout"
    assert answer["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    lines = log(world, name)
    assert "about to hang" in lines
    assert any(line.endswith("Task timed out after 1.00 seconds") for line in lines)


def test_the_process_ends(world: World, functions: Functions) -> None:
    names = functions(SOURCE, "dies", "leaves")
    for name in names.values():
        for _ in range(2):  # the second time too: it was not given back
            answer, error = invoke(world, name)
            assert error == "Unhandled"
            assert answer["errorType"] == "Runtime.ExitError"
    assert "about to die" in log(world, names["dies"])


@pytest.mark.parametrize(
    ("handler", "kind", "said"),
    [
        ("absent", "Runtime.HandlerNotFound", "Handler 'absent' missing on module 'handlers'"),
        ("unspeakable", "Runtime.MarshalError", "Unable to marshal response: .*set"),
    ],
)
def test_errors_of_the_runtime(
    world: World, functions: Functions, handler: str, kind: str, said: str
) -> None:
    answer, error = invoke(world, functions(SOURCE, handler)[handler])
    assert error == "Unhandled"
    assert answer["errorType"] == kind
    assert re.match(said, answer["errorMessage"])


def test_code_that_cannot_be_imported(world: World, functions: Functions) -> None:
    answer, _ = invoke(world, functions("import no_such_module", "any")["any"])
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert "No module named 'no_such_module'" in answer["errorMessage"]
    answer, _ = invoke(world, functions("raise KeyError('settings')", "any")["any"])
    assert answer["errorType"] == "KeyError"
    assert "handlers.py" in answer["stackTrace"][0]


def log(world: World, name: str) -> list[str]:
    """What CloudWatch Logs has of a function."""
    found = world.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")
    return [event["message"] for event in found["events"]]


def test_what_it_writes_is_in_cloudwatch_logs(world: World, functions: Functions) -> None:
    name = functions(SOURCE, "writes")["writes"]
    invoke(world, name, {"term": 3})
    start, first, second, warning, stderr, end, report = log(world, name)
    request = start.split()[2]
    assert start == f"START RequestId: {request} Version: $LATEST"
    assert json.loads(first) == {"evidence": {"term": 3}}
    assert second == "two words"
    assert warning.startswith("[WARNING]\t")
    assert warning.endswith(f"Z\t{request}\tcareful")
    assert stderr == "to stderr"
    assert end == f"END RequestId: {request}"
    assert f"REPORT RequestId: {request}\tDuration: " in report
    assert "\tMemory Size: 128 MB\tMax Memory Used: " in report
    found = world.client("logs").filter_log_events(
        logGroupName=f"/aws/lambda/{name}", filterPattern='"evidence"'
    )["events"]
    assert [event["message"] for event in found] == [first]


def test_asynchronous_invocations_are_tried_three_times(world: World, functions: Functions) -> None:
    """After one of AWS's minutes and after two more: three seconds here."""
    names = functions(SOURCE, "fails_twice", "refuse")
    client = world.client("lambda")
    client.put_function_event_invoke_config(FunctionName=names["refuse"], MaximumRetryAttempts=0)
    for name in names.values():
        answer = client.invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
        assert answer["StatusCode"] == 202
        assert answer["Payload"].read() == b""
    deadline = time.monotonic() + 20
    while "third time" not in _log_or_nothing(world, names["fails_twice"]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    starts = [line for line in log(world, names["fails_twice"]) if line.startswith("START")]
    assert len(starts) == 3
    assert len(set(starts)) == 1  # one request, three attempts
    assert len([x for x in log(world, names["refuse"]) if x.startswith("START")]) == 1
    said = [event for event in world.events.all("lambda") if event.data.get("gaveUp")]
    assert names["refuse"] in [event.data["function"] for event in said]


def test_what_is_given_up_goes_to_the_on_failure_destination(
    world: World, functions: Functions
) -> None:
    names = functions(SOURCE, "refuse", "tells")
    client = world.client("lambda")
    watcher = client.get_function_configuration(FunctionName=names["tells"])["FunctionArn"]
    client.put_function_event_invoke_config(
        FunctionName=names["refuse"],
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": watcher}},
    )
    event = {"DeploymentId": "d-1"}
    client.invoke(FunctionName=names["refuse"], InvocationType="Event", Payload=json.dumps(event))
    deadline = time.monotonic() + 20
    while not (told := [x for x in _log_or_nothing(world, names["tells"]) if "told" in x]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    record = json.loads(told[0].partition("told ")[2])
    assert record["requestPayload"] == event
    assert record["responsePayload"]["errorType"] == "Refused"
    assert record["requestContext"]["functionArn"].endswith(f"{names['refuse']}:$LATEST")
    assert record["requestContext"]["approximateInvokeCount"] == 1


def test_a_record_is_handed_over_in_the_function_s_own_name(
    aws: EmbeddedAws, world: World, functions: Functions
) -> None:
    """What its role does not grant is not delivered; what it does is the function's call."""
    names, client = functions(SOURCE, "refuse", "tells"), world.client("lambda")
    watcher = client.get_function_configuration(FunctionName=names["tells"])["FunctionArn"]
    client.put_function_event_invoke_config(
        FunctionName=names["refuse"],
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": watcher}},
    )

    def fail(action: str) -> None:
        client.update_function_configuration(
            FunctionName=names["refuse"], Role=make_role(world, action)
        )
        client.invoke(FunctionName=names["refuse"], InvocationType="Event", Payload=b"{}")

    fail("sqs:SendMessage")
    refused = f"{names['refuse']} is not authorized to perform: lambda:InvokeFunction"
    waited_for(world, "error", lambda event: refused in event.text)
    fail("lambda:InvokeFunction")
    waited_for(world, "lambda", lambda event: event.data.get("function") == names["tells"])
    mine = [call.action for call in aws.calls.all() if call.caller == names["refuse"]]
    assert mine == ["lambda:InvokeFunction"]


def _log_or_nothing(world: World, name: str) -> list[str]:
    groups = world.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")
    return log(world, name) if groups["logGroups"] else []


def test_each_invocation_is_told(world: World, functions: Functions) -> None:
    name = functions(SOURCE, "refuse")["refuse"]
    invoke(world, name)
    told = [e for e in world.events.all("lambda") if e.data.get("function") == name]
    assert [e.data["error"] for e in told] == ["Refused"]
    assert told[0].data["ms"] >= 0
    assert told[0].text.startswith(name)


def test_the_log_tail_is_given_when_asked_for(world: World, functions: Functions) -> None:
    name = functions(SOURCE, "writes")["writes"]
    client = world.client("lambda")
    asked = client.invoke(FunctionName=name, LogType="Tail")
    assert "LogResult" in asked
    assert "LogResult" not in client.invoke(FunctionName=name)


def test_after_the_end_nothing_is_started_any_more(
    world: World, functions: Functions, tmp_path: Path
) -> None:
    from moto.awslambda.models import lambda_backends

    made = functions(SOURCE, "counts")["counts"]
    engine = LambdaEngine(World(block=world.block, speed=60, directory=tmp_path), Calls())
    engine.folder.mkdir()
    engine.stop()
    outcome = engine.invoke(lambda_backends[ACCOUNT][REGION].get_function(made), {})
    assert outcome.failed
    assert "has ended" in outcome.payload
    assert list(engine.folder.iterdir()) == []
