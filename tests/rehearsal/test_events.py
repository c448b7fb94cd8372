"""Events reach functions, topics, queues and state machines; messages are seen."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from quorumshift.rehearsal.aws.events import emit, target_input
from quorumshift.rehearsal.aws.loud import NotRehearsed
from quorumshift.rehearsal.world import Event, World
from tests.rehearsal.conftest import Functions, function_arn

ECHO = "import json\ndef echo(event, context): print('seen ' + json.dumps(event))\n"


def rule(world: World, pattern: dict[str, Any], *targets: dict[str, Any]) -> str:
    """A rule on the default bus with these targets; its name."""
    name = f"rule-{uuid.uuid4().hex[:8]}"
    events = world.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(
        Rule=name,
        Targets=[{"Id": str(number), **target} for number, target in enumerate(targets)],
    )
    return name


def waited_for(world: World, kind: str, holds: Callable[[Event], bool]) -> Event:
    """The first event of this kind for which it holds."""
    deadline = time.monotonic() + 10
    while True:
        for event in world.events.all(kind):
            if holds(event):
                return event
        assert time.monotonic() < deadline, f"no such {kind}"
        time.sleep(0.02)


def topic(world: World) -> str:
    made = world.client("sns").create_topic(Name=f"topic-{uuid.uuid4().hex[:8]}")
    return str(made["TopicArn"])


def messages(world: World, arn: str) -> list[str]:
    """What has been published to a topic."""
    name = arn.rpartition(":")[2]
    return [e.data["message"] for e in world.events.all("notification") if e.data["topic"] == name]


def test_an_aws_services_event_reaches_function_topic_and_queue(
    world: World, functions: Functions
) -> None:
    source = f"aws.test-{uuid.uuid4().hex[:8]}"
    name, arn = functions(ECHO, "echo")["echo"], topic(world)
    queue = world.client("sqs").create_queue(QueueName=f"queue-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    rule(
        world,
        {"source": [source], "detail": {"state": ["START"]}},
        {"Arn": function_arn(name)},
        {"Arn": arn},
        {"Arn": f"arn:aws:sqs:us-east-1:123456789012:{queue.rpartition('/')[2]}"},
    )
    emit(world, source, "A Change", {"state": "START", "deploymentId": "d-1"}, ["arn:one"])
    emit(world, source, "A Change", {"state": "PENDING", "deploymentId": "d-1"})
    waited_for(world, "lambda", lambda event: event.data.get("function") == name)
    (published,) = messages(world, arn)
    event = json.loads(published)
    assert event["detail"] == {"state": "START", "deploymentId": "d-1"}
    assert event["detail-type"] == "A Change"
    assert event["resources"] == ["arn:one"]
    assert event["time"].endswith("Z")
    lines = world.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    seen = [line["message"] for line in lines if line["message"].startswith("seen ")]
    assert [json.loads(line.removeprefix("seen ")) for line in seen] == [event]
    received = world.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(received[0]["Body"]) == event


def test_put_events_and_a_disabled_rule(world: World) -> None:
    events, arn, source = world.client("events"), topic(world), f"own-{uuid.uuid4().hex[:8]}"
    name = rule(world, {"source": [source]}, {"Arn": arn})
    entry = {"Source": source, "DetailType": "x", "Detail": '{"n": 1}'}
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    events.disable_rule(Name=name)
    events.put_events(Entries=[entry])
    assert [json.loads(message)["detail"] for message in messages(world, arn)] == [{"n": 1}]


def test_an_execution_that_ends_starts_another(world: World, role: str) -> None:
    """What the watchdog's rule does, with a state machine in the watchdog's place."""
    client, arn = world.client("stepfunctions"), topic(world)
    machines = {}
    for name in ("watched", "watching"):
        state = {"Type": "Wait", "Seconds": 6000} if name == "watched" else {"Type": "Pass"}
        definition = {"StartAt": "Only", "States": {"Only": {**state, "End": True}}}
        machines[name] = client.create_state_machine(
            name=f"{name}-{uuid.uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=role
        )["stateMachineArn"]
    rule(
        world,
        {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {
                "stateMachineArn": [machines["watched"]],
                "status": ["ABORTED", "TIMED_OUT", "FAILED"],
            },
        },
        {"Arn": machines["watching"], "InputPath": "$.detail"},
        {
            "Arn": arn,
            "InputTransformer": {
                "InputPathsMap": {"status": "$.detail.status", "cause": "$.detail.cause"},
                "InputTemplate": '"execution <status>: <cause>"',
            },
        },
    )
    execution = client.start_execution(stateMachineArn=machines["watched"])["executionArn"]
    client.stop_execution(executionArn=execution, cause='the "wrong" image')
    assert messages(world, arn) == ['execution ABORTED: the "wrong" image']
    (started,) = client.list_executions(stateMachineArn=machines["watching"])["executions"]
    given = client.describe_execution(executionArn=started["executionArn"])["input"]
    assert json.loads(given)["executionArn"] == execution
    assert json.loads(given)["status"] == "ABORTED"


def test_a_target_that_is_gone_is_told_and_kept(world: World) -> None:
    source = f"aws.test-{uuid.uuid4().hex[:8]}"
    queue = world.client("sqs").create_queue(QueueName=f"dead-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    dead = f"arn:aws:sqs:us-east-1:123456789012:{queue.rpartition('/')[2]}"
    name = rule(
        world,
        {"source": [source]},
        {"Arn": function_arn("no-such-function"), "DeadLetterConfig": {"Arn": dead}},
    )
    emit(world, source, "x", {"n": 1})
    told = waited_for(world, "error", lambda event: event.data.get("rule") == name)
    assert "no-such-function" in told.text
    (kept,) = world.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(kept["Body"])["detail"] == {"n": 1}


EVENT = {"source": "aws.x", "detail": {"name": 'say "hi"', "count": 3, "list": [{"id": "a"}]}}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({}, EVENT),
        ({"Input": '{"fixed": true}'}, {"fixed": True}),
        ({"InputPath": "$.detail.list[0].id"}, "a"),
        ({"InputPath": "$['detail'].absent"}, None),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"name": "$.detail.name", "count": "$.detail.count"},
                    "InputTemplate": '{"who": <name>, "n": <count>, "text": "<name> <count>"}',
                }
            },
            {"who": 'say "hi"', "n": 3, "text": 'say "hi" 3'},
        ),
        (
            {"InputTransformer": {"InputTemplate": '{"all": <aws.events.event.json>}'}},
            {"all": EVENT},
        ),
    ],
)
def test_what_a_target_is_given(target: dict[str, Any], expected: Any) -> None:
    assert json.loads(target_input(target, EVENT)) == expected


@pytest.mark.parametrize(
    "target",
    [
        {"InputPath": "$.detail.list[?(@.id)]"},
        {"InputTransformer": {"InputTemplate": '"<unknown>"'}},
    ],
)
def test_what_a_target_cannot_be_given(target: dict[str, Any]) -> None:
    with pytest.raises(NotRehearsed):
        target_input(target, EVENT)


def test_messages_are_seen(world: World) -> None:
    arn = topic(world)
    world.client("sns").publish(TopicArn=arn, Subject="Deployed sample v2", Message="All\nwell")
    name = arn.rpartition(":")[2]
    told = waited_for(world, "notification", lambda event: event.data["topic"] == name)
    assert told.text == "Deployed sample v2"
    assert told.data["message"] == "All\nwell"


@pytest.mark.parametrize("subject", ["x" * 100, "two\nlines"])
def test_a_subject_that_sns_refuses_is_refused(world: World, subject: str) -> None:
    with pytest.raises(ClientError, match="Invalid parameter: Subject"):
        world.client("sns").publish(TopicArn=topic(world), Subject=subject, Message="m")


def test_a_function_that_listens_to_a_topic(world: World, functions: Functions) -> None:
    name, arn = functions(ECHO, "echo")["echo"], topic(world)
    sns = world.client("sns")
    sns.subscribe(TopicArn=arn, Protocol="lambda", Endpoint=function_arn(name))
    sns.publish(TopicArn=arn, Subject="s", Message="m")
    waited_for(world, "lambda", lambda event: event.data.get("function") == name)
    lines = world.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    (seen,) = [line["message"] for line in lines if line["message"].startswith("seen ")]
    record = json.loads(seen.removeprefix("seen "))["Records"][0]
    assert (record["Sns"]["Message"], record["Sns"]["Subject"]) == ("m", "s")
