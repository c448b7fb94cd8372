"""Schedules fire when AWS's would, and reach their targets."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from quorumshift.names import Names
from quorumshift.rehearsal.aws.loud import Refused
from quorumshift.rehearsal.aws.schedule_clock import ScheduleClock
from quorumshift.rehearsal.aws.schedule_times import parse
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.scheduled import NotSkipped, Scheduled
from quorumshift.rehearsal.world import World
from tests.rehearsal.conftest import Functions, function_arn, make_role
from tests.rehearsal.test_events import ECHO, waited_for

FRIDAY = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "zone", "then"),
    [
        ("cron(30 3 ? * MON-FRI *)", "UTC", "2026-03-30T03:30"),
        ("cron(0/20 12 * * ? *)", "UTC", "2026-03-27T12:20"),
        ("cron(0 4 ? * 1 *)", "UTC", "2026-03-29T04:00"),
        ("cron(15 10,14 28 MAR ? 2026)", "UTC", "2026-03-28T10:15"),
        # Berlin changes to summer time between the two days.
        ("cron(0 5 28 * ? *)", "Europe/Berlin", "2026-03-28T04:00"),
        ("cron(0 5 30 * ? *)", "Europe/Berlin", "2026-03-30T03:00"),
        ("cron(0 5 * * ? 2025)", "UTC", None),
        ("rate(5 minutes)", "UTC", "2026-03-27T12:05"),
        ("rate(1 day)", "UTC", "2026-03-28T12:00"),
        ("at(2026-04-01T08:00:00)", "Europe/Berlin", "2026-04-01T06:00"),
        ("at(2026-03-01T08:00:00)", "UTC", None),
    ],
)
def test_the_next_time(expression: str, zone: str, then: str | None) -> None:
    found = parse(expression, zone).after(FRIDAY)
    expected = datetime.fromisoformat(then).replace(tzinfo=UTC) if then else None
    assert found == expected


@pytest.mark.parametrize(
    ("expression", "zone", "after", "then"),
    [
        # 2:30 does not exist on the 29th of March: the clocks go from 2:00 to 3:00.
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28T12:00", "2026-03-30T00:30"),
        ("cron(30 2,3 * * ? *)", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:30"),
        # It exists twice on the 25th of October: the clocks go from 3:00 to 2:00.
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("cron(0 4 29 2 ? *)", "UTC", "2096-03-01T00:00", "2104-02-29T04:00"),
    ],
)
def test_a_missing_hour_is_skipped_and_one_that_comes_twice_counts_once(
    expression: str, zone: str, after: str, then: str
) -> None:
    """As the User Guide has it ("Daylight savings time on EventBridge Scheduler")."""
    moment, expected = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (after, then))
    assert parse(expression, zone).after(moment) == expected


def test_a_rate_begins_at_once_and_a_cron_does_not() -> None:
    assert parse("rate(1 hour)").first(FRIDAY) == FRIDAY
    assert parse("cron(0 12 * * ? *)").first(FRIDAY) == FRIDAY.replace(day=28)


@pytest.mark.parametrize(
    "expression",
    [
        *("every day", "cron(0 4 * * *)", "cron(60 4 * * ? *)", "cron(0 4 1 * * *)"),
        *("rate(2 weeks)", "rate(0 minutes)", "rate(1.5 hours)", "rate(minute)", "at(tomorrow)"),
    ],
)
def test_what_is_no_schedule_is_refused(expression: str) -> None:
    with pytest.raises(Refused):
        parse(expression)


def test_a_schedule_fires_and_a_disabled_one_does_not(
    world: World, role: str, functions: Functions
) -> None:
    name, scheduler = functions(ECHO, "echo")["echo"], world.client("scheduler")
    quiet, loud = (f"schedule-{uuid.uuid4().hex[:8]}" for _ in range(2))
    for schedule, state in ((quiet, "DISABLED"), (loud, "ENABLED")):
        scheduler.create_schedule(
            Name=schedule,
            ScheduleExpression="rate(1 minute)",
            FlexibleTimeWindow={"Mode": "OFF"},
            State=state,
            Target={
                "Arn": function_arn(name),
                "RoleArn": role,
                "Input": json.dumps({"from": schedule}),
            },
        )
    try:
        waited_for(world, "lambda", lambda event: event.data.get("function") == name)
        lines = world.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        seen = {line["message"].strip() for line in lines if line["message"].startswith("seen ")}
        assert seen == {f"seen {json.dumps({'from': loud})}"}
    finally:
        scheduler.delete_schedule(Name=loud)


def test_a_clock_can_be_set() -> None:
    clock = ScheduleClock(60.0)
    clock.run_from(FRIDAY)
    assert FRIDAY <= clock.now() < FRIDAY + timedelta(hours=1)
    assert clock.now() < clock.now()


def test_a_held_schedule_does_not_fire_and_others_do(
    aws: EmbeddedAws, world: World, role: str, functions: Functions
) -> None:
    """As the canary and the keeper in a rehearsal: a rate is due at once, and both are made
    before the one that fires."""
    target, scheduler = functions(ECHO, "echo")["echo"], world.client("scheduler")
    held, free = (f"schedule-{uuid.uuid4().hex[:8]}" for _ in range(2))
    aws.schedules.hold(held)
    for name in (held, free):
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression="rate(1 minute)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": function_arn(target), "RoleArn": role, "Input": "{}"},
        )
    try:
        waited_for(world, "schedule", lambda event: event.text == f"{free} fires")
        assert not [event for event in world.events.all("schedule") if held in event.text]
        aws.schedules.approach(held, 0)
        waited_for(world, "schedule", lambda event: event.text == f"{held} fires")
    finally:
        for name in (held, free):
            scheduler.delete_schedule(Name=name)


def test_nothing_fires_until_the_time_of_a_schedule_is_approached(
    aws: EmbeddedAws, world: World, role: str, functions: Functions
) -> None:
    """The time is the schedule's own: 4 o'clock in Tokyo, or within two minutes after."""
    target, scheduler = functions(ECHO, "echo")["echo"], world.client("scheduler")
    name = f"schedule-{uuid.uuid4().hex[:8]}"
    aws.schedules.hold(name)
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression="cron(0 4 * * ? *)",
        ScheduleExpressionTimezone="Asia/Tokyo",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 2},
        Target={"Arn": function_arn(target), "RoleArn": role, "Input": "{}"},
    )
    try:
        aws.schedules.approach(name, 30)
        waited_for(world, "lambda", lambda event: event.data.get("function") == target)
        said = [event.text for event in world.events.all("schedule") if name in event.text]
        assert re.match(rf"it is \w+ (18:59|19:0[012]) UTC; {name} fires at 19:0[012]$", said[0])
        assert said[1:] == [f"{name} fires"]
    finally:
        scheduler.delete_schedule(Name=name)


@pytest.mark.parametrize("state", ["DISABLED", None])
def test_a_schedule_that_will_not_fire_has_no_time_to_approach(
    aws: EmbeddedAws, world: World, role: str, state: str | None
) -> None:
    name, scheduler = f"schedule-{uuid.uuid4().hex[:8]}", world.client("scheduler")
    if state:
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression="cron(0 4 * * ? *)",
            FlexibleTimeWindow={"Mode": "OFF"},
            State=state,
            Target={"Arn": function_arn("x"), "RoleArn": role},
        )
    with pytest.raises(LookupError, match=f"{name} will not fire"):
        aws.schedules.approach(name, 30)


@pytest.mark.parametrize("end", ["Skipped", "Deployed"])
def test_a_second_deployment_that_is_not_skipped_is_an_error(
    aws: EmbeddedAws, world: World, role: str, end: str
) -> None:
    names = Names(f"service-{uuid.uuid4().hex[:8]}")
    machine = world.client("stepfunctions").create_state_machine(
        name=names.deploy,
        definition=json.dumps({"StartAt": end, "States": {end: {"Type": "Succeed"}}}),
        roleArn=role,
    )["stateMachineArn"]
    world.client("scheduler").create_schedule(
        Name=names.canary,
        ScheduleExpression="cron(0 4 * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": machine, "RoleArn": role, "Input": '{"initiator": "schedule"}'},
    )
    second = Scheduled(world, names, aws.schedules)
    try:
        second.start()
    finally:
        world.client("scheduler").delete_schedule(Name=names.canary)
    assert second.initiator() == "schedule"
    if end == "Skipped":
        second.skipped()
    else:
        with pytest.raises(NotSkipped, match="ended in Deployed while another"):
            second.skipped()


@pytest.mark.parametrize(
    ("actions", "says", "kept"),
    [
        (("states:*", "sqs:SendMessage"), "State Machine Does Not Exist", True),
        (("sqs:SendMessage",), "not authorized to perform: states:StartExecution", True),
        (("states:*",), "not authorized to perform: sqs:SendMessage", False),
    ],
)
def test_a_schedule_that_cannot_deliver_says_so_and_keeps_its_message(
    world: World, actions: tuple[str, ...], says: str, kept: bool
) -> None:
    scheduler, sqs = world.client("scheduler"), world.client("sqs")
    name = f"schedule-{uuid.uuid4().hex[:8]}"
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression="rate(30 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:states:us-east-1:123456789012:stateMachine:nobody",
            "RoleArn": make_role(world, *actions),
            "Input": '{"lost": true}',
            "DeadLetterConfig": {"Arn": f"arn:aws:sqs:us-east-1:123456789012:{name}"},
        },
    )
    try:
        said = waited_for(world, "error", lambda event: event.text.startswith(f"schedule {name}:"))
        assert says in said.text
        found = sqs.receive_message(QueueUrl=queue).get("Messages", [])
        assert [json.loads(message["Body"]) for message in found] == [{"lost": True}] * kept
    finally:
        scheduler.delete_schedule(Name=name)


def test_an_expression_that_would_never_fire_is_refused(world: World, role: str) -> None:
    with pytest.raises(ClientError, match="none of rate, cron and at"):
        world.client("scheduler").create_schedule(
            Name="never",
            ScheduleExpression="daily",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": function_arn("x"), "RoleArn": role},
        )
