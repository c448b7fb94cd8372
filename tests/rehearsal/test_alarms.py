"""Alarms: CloudWatch's rules as a table, and an alarm's life through the AWS APIs."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from quorumshift.rehearsal.aws.alarm_states import (
    ALARM,
    INSUFFICIENT,
    MARGIN,
    OK,
    TREATMENTS,
    Terms,
    judge,
    reason,
)
from quorumshift.rehearsal.aws.alarms import BUSY_SECONDS, AlarmEngine
from quorumshift.rehearsal.aws.metrics import LATENESS, NAMESPACE, period
from quorumshift.rehearsal.world import World

KEEP = None
_numbers = itertools.count(1)

# AWS's own tables ("Configuring how CloudWatch alarms treat missing data"), in the order of
# missing, ignore, breaching, notBreaching. X breaches, 0 does not, - is missing.
THREE_OF_THREE = {
    "0-X-X": (OK, OK, OK, OK),
    "0----": (OK, OK, OK, OK),
    "-----": (INSUFFICIENT, KEEP, ALARM, OK),
    "0XX-X": (ALARM, ALARM, ALARM, ALARM),
    "--X--": (ALARM, KEEP, ALARM, OK),
}
TWO_OF_THREE = {
    "0-X-X": (ALARM, ALARM, ALARM, ALARM),
    "00X0X": (ALARM, ALARM, ALARM, ALARM),
    "0-X--": (OK, OK, ALARM, OK),
    "----0": (OK, OK, ALARM, OK),
    "---X-": (ALARM, KEEP, ALARM, OK),
}
# Not in the tables, but in the words: too early to tell.
EARLY = {"----X": (KEEP, KEEP, ALARM, OK)}


def cases() -> list[Any]:
    return [
        pytest.param(points, needed, treatment, state, id=f"{needed}of3-{points}-{treatment}")
        for needed, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE), (3, EARLY))
        for points, states in table.items()
        for treatment, state in zip(TREATMENTS, states, strict=True)
    ]


def values(points: str) -> list[float | None]:
    return [{"X": 2.0, "0": 0.5, "-": None}[point] for point in points]


@pytest.mark.parametrize(("points", "needed", "treatment", "state"), cases())
def test_missing_data(points: str, needed: int, treatment: str, state: str | None) -> None:
    terms = Terms("GreaterThanThreshold", 1.0, 3, needed, treatment)
    assert len(points) == terms.periods + MARGIN
    assert judge(values(points), terms).state == state


def test_comparisons() -> None:
    for name, states in {
        "GreaterThanThreshold": (OK, OK, ALARM),
        "GreaterThanOrEqualToThreshold": (OK, ALARM, ALARM),
        "LessThanThreshold": (ALARM, OK, OK),
        "LessThanOrEqualToThreshold": (ALARM, ALARM, OK),
    }.items():
        terms = Terms(name, 1.0, 1, 1, "missing")
        assert tuple(judge([None, None, at], terms).state for at in (0.9, 1.0, 1.1)) == states


def test_reasons_read_as_cloudwatchs() -> None:
    terms = Terms("GreaterThanThreshold", 1.0, 2, 2, "notBreaching")
    alarm = judge([0.5, 0.5, 1.5, 1.25], terms)
    assert reason(alarm, terms, OK, ["a", "b"]) == (
        "Threshold Crossed: 2 out of the last 2 datapoints [1.25 (b), 1.5 (a)] were greater than"
        " the threshold (1.0) (minimum 2 datapoints for OK -> ALARM transition)."
    )
    fine = judge([1.5, 1.5, 1.5, 0.5], terms)
    assert reason(fine, terms, ALARM, ["a", "b"]) == (
        "Threshold Crossed: 1 out of the last 2 datapoints [0.5 (b)] was not greater than the"
        " threshold (1.0) (minimum 1 datapoint for ALARM -> OK transition)."
    )
    nothing = judge([None] * 4, terms)
    assert reason(nothing, terms, ALARM, []) == (
        "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints"
        " were treated as [NonBreaching]."
    )


class Watched:
    """An alarm on a metric of the test's own, with a topic and two queues that hear of it."""

    def __init__(self, world: World, **how: Any) -> None:
        self.world = world
        self.name = f"alarm{next(_numbers)}"
        self.cloudwatch = world.client("cloudwatch")
        topic = world.client("sns").create_topic(Name=self.name)["TopicArn"]
        self.notices = self._queue("notices")
        self.events = self._queue("events")
        world.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=self.notices[1])
        pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [self.name]}}
        world.client("events").put_rule(Name=self.name, EventPattern=json.dumps(pattern))
        world.client("events").put_targets(
            Rule=self.name, Targets=[{"Id": "queue", "Arn": self.events[1]}]
        )
        values: dict[str, Any] = {
            "AlarmName": self.name,
            "Namespace": "Test",
            "MetricName": "Slowness",
            "Dimensions": [{"Name": "Of", "Value": self.name}],
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 2,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [topic],
            "OKActions": [topic],
        }
        values |= how
        self.cloudwatch.put_metric_alarm(**{k: v for k, v in values.items() if v is not None})

    def _queue(self, what: str) -> tuple[str, str]:
        sqs = self.world.client("sqs")
        url = sqs.create_queue(QueueName=f"{self.name}-{what}")["QueueUrl"]
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, asked["Attributes"]["QueueArn"]

    def heard(self, queue: tuple[str, str]) -> list[Any]:
        got = self.world.client("sqs").receive_message(QueueUrl=queue[0], MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in got.get("Messages", [])]

    def put(self, value: float) -> None:
        self.cloudwatch.put_metric_data(
            Namespace="Test",
            MetricData=[
                {
                    "MetricName": "Slowness",
                    "Dimensions": [{"Name": "Of", "Value": self.name}],
                    "Timestamp": time.time(),
                    "Value": value,
                }
            ],
        )

    def put_until(self, value: float, state: str) -> None:
        until(lambda: self.put(value) or self.state() == state)  # type: ignore[func-returns-value] # put, then look

    def state(self) -> str:
        return str(self.described()["StateValue"])

    def described(self) -> Any:
        return self.cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"][0]

    def close(self) -> None:
        self.cloudwatch.delete_alarms(AlarmNames=[self.name])


def until(holds: Callable[[], object], seconds: float = 8) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


def test_ok_then_alarm_then_ok_and_everybody_hears_of_it(world: World) -> None:
    alarm = Watched(world, EvaluationPeriods=1)
    assert alarm.state() == "INSUFFICIENT_DATA"
    until(lambda: alarm.state() == "OK")  # no data is not breaching
    alarm.put_until(1.5, "ALARM")
    described = alarm.described()
    assert described["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoint ")
    assert json.loads(described["StateReasonData"])["recentDatapoints"] == [1.5]
    alarm.cloudwatch.put_metric_alarm(
        **{
            key: described[key]
            for key in (
                "AlarmName",
                "AlarmActions",
                "OKActions",
                "Namespace",
                "MetricName",
                "Dimensions",
                "Statistic",
                "Period",
                "EvaluationPeriods",
                "Threshold",
                "ComparisonOperator",
                "TreatMissingData",
            )
        }
    )
    assert alarm.state() == "ALARM"  # changing an alarm does not change its state
    alarm.put_until(0.5, "OK")
    notices: list[Any] = []
    until(lambda: notices.extend(alarm.heard(alarm.notices)) or len(notices) >= 3)  # type: ignore[func-returns-value] # gather, then look
    told = [json.loads(notice["Message"]) for notice in notices]
    assert [(one["OldStateValue"], one["NewStateValue"]) for one in told] == [
        ("INSUFFICIENT_DATA", "OK"),
        ("OK", "ALARM"),
        ("ALARM", "OK"),
    ]
    assert told[1]["Trigger"]["MetricName"] == "Slowness"
    events = alarm.heard(alarm.events)
    assert [event["detail"]["state"]["value"] for event in events] == ["OK", "ALARM", "OK"]
    assert {event["detail-type"] for event in events} == {"CloudWatch Alarm State Change"}
    assert events[1]["detail"]["previousState"]["value"] == "OK"
    said = [e.data["state"] for e in world.events.all("alarm") if e.data["alarm"] == alarm.name]
    assert said == ["OK", "ALARM", "OK"]
    alarm.close()


def test_missing_data_counts_as_the_alarm_says(world: World) -> None:
    made = {
        treatment: Watched(world, TreatMissingData=treatment, EvaluationPeriods=1)
        for treatment in TREATMENTS
    }
    until(lambda: made["breaching"].state() == "ALARM" and made["notBreaching"].state() == "OK")
    assert made["missing"].state() == made["ignore"].state() == "INSUFFICIENT_DATA"
    for alarm in made.values():
        alarm.close()


def test_what_cannot_be_evaluated_is_said_aloud(world: World) -> None:
    query = {
        "Id": "m",
        "MetricStat": {
            "Metric": {"Namespace": "Test", "MetricName": "Slowness"},
            "Period": 60,
            "Stat": "Sum",
        },
    }
    nothing = dict.fromkeys(("Namespace", "MetricName", "Dimensions", "Statistic", "Period"))
    alarms = {
        "metric math": Watched(world, Metrics=[query], **nothing),
        "p99": Watched(world, Statistic=None, ExtendedStatistic="p99"),
        "period of 10 s": Watched(world, Period=10),
    }
    for what, alarm in alarms.items():
        until(
            lambda: any(
                event.data.get("alarm") == alarm.name and what in event.text  # noqa: B023 # at once
                for event in world.events.all("error")
            )
        )
        assert alarm.state() == "INSUFFICIENT_DATA"
        alarm.close()


@pytest.mark.parametrize("metric", ["TargetResponseTime", "UnHealthyHostCount"])
def test_a_machine_without_time_makes_no_alarm_ring(world: World, metric: str) -> None:
    cloudwatch = world.client("cloudwatch")
    engine = AlarmEngine(
        world
    )  # not started: asked about periods long ago, which no other looks at
    name, group = f"busy-{next(_numbers)}", f"targetgroup/busy-{metric}/1"
    dimensions = [{"Name": "TargetGroup", "Value": group}]
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=NAMESPACE,
        MetricName=metric,
        Dimensions=dimensions,
        Statistic="Average",
        Period=60,
        EvaluationPeriods=2,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )

    def put(bucket: int, value: float, late: float) -> None:
        at = datetime.fromtimestamp((bucket + 0.5) * period(world), UTC)
        datum = {"MetricName": metric, "Dimensions": dimensions, "Timestamp": at, "Value": value}
        cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=[datum])
        datum = {"MetricName": LATENESS[1], "Timestamp": at, "Value": late}
        cloudwatch.put_metric_data(Namespace=LATENESS[0], MetricData=[datum])

    def rang() -> bool:
        events = world.events.all("alarm")
        return any((e.data.get("alarm"), e.data.get("state")) == (name, ALARM) for e in events)

    first = 1_000_000 + 1_000 * next(_numbers)
    for bucket in range(first, first + 3):
        put(bucket, 9.0, late=BUSY_SECONDS)
    engine.evaluate(first + 2)
    assert not rang()
    assert any("too busy to judge a target" in e.text for e in world.events.all("stage"))
    for bucket in range(first + 10, first + 13):
        put(bucket, 9.0, late=BUSY_SECONDS / 4)
    engine.evaluate(first + 12)
    assert rang()
