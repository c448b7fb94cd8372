"""CloudWatch's alarms, evaluated once in every scaled minute.

While the machine is so busy that the load balancer comes too late to its own work, what it
measures is the machine's doing and no target's: then no alarm on it begins to ring, and the story
says so.

An alarm that cannot be evaluated here (metric math, percentiles, anomaly bands, composite rules,
periods that are no whole minutes) is said aloud once and stays in INSUFFICIENT_DATA.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from quorumshift.rehearsal.aws.alarm_notices import event_detail, sns_message
from quorumshift.rehearsal.aws.alarm_questions import MINUTE, CannotEvaluate, Question, read
from quorumshift.rehearsal.aws.alarm_states import (
    ALARM,
    INSUFFICIENT,
    OK,
    Judgement,
    judge,
    reason,
)
from quorumshift.rehearsal.aws.events import emit
from quorumshift.rehearsal.aws.metrics import LATENESS, NAMESPACE, MetricStore, period, value
from quorumshift.rehearsal.aws.wrapping import wrap
from quorumshift.rehearsal.world import ACCOUNT, REGION, World

_LATEST = 0.25
_TELL_BUSY_EVERY = 10.0
BUSY_SECONDS = 0.02
"""Mean lateness of the balancer from which on its measures say nothing of a target. It is 1 to 5 ms
on two cores that have nothing else to do, and 10 to 450 ms beside 24 busy processes."""
_PUT_METRIC_ALARM = (
    "self name namespace metric_name comparison_operator evaluation_periods period threshold"
    " statistic description dimensions alarm_actions metric_data_queries datapoints_to_alarm"
    " extended_statistic ok_actions insufficient_data_actions unit actions_enabled"
    " treat_missing_data evaluate_low_sample_count_percentile threshold_metric_id rule tags"
)


class AlarmEngine:
    """Sets the alarms' states in moto and tells SNS, EventBridge and the rehearsal's story."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._store = MetricStore(world)
        self._told: set[str] = set()
        self._busy_told = -_TELL_BUSY_EVERY
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)

    def install(self) -> None:
        """Patch moto: a new alarm begins in INSUFFICIENT_DATA, and one that is put again keeps
        its state, as on AWS; moto says OK to both."""
        from moto.cloudwatch.models import CloudWatchBackend

        wrap(CloudWatchBackend, "put_metric_alarm", _PUT_METRIC_ALARM, _put_metric_alarm)

    def start(self) -> None:
        """Begin to evaluate."""
        self._thread.start()

    def stop(self) -> None:
        """Evaluate no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(3)

    def evaluate(self, bucket: int) -> None:
        """Judge every alarm by the data up to and with the scaled minute ``bucket``."""
        backend = _backend()
        self._store.update()
        for alarm in list(backend.alarms.values()):
            try:
                question = read(alarm)
            except CannotEvaluate as error:
                self._refuse(alarm, str(error))
                continue
            points = [self._point(question, at, bucket) for at in question.ages]
            judgement = judge(points, question.terms)
            if judgement.state == ALARM and self._too_busy(question, bucket):
                continue
            if judgement.state is not None and judgement.state != alarm.state_value:
                ages = [
                    age
                    for age, point in zip(question.ages, points, strict=True)
                    if point is not None
                ][-question.terms.periods :]
                self._change(alarm, question, judgement, bucket, ages)

    def _run(self) -> None:
        length = period(self.world)
        lag = min(length / 4, _LATEST)  # until the balancer has told of the minute that is over
        bucket = int(time.time() // length)
        while not self._stopping.wait(max(0.0, (bucket + 1) * length + lag - time.time())):
            bucket = int((time.time() - lag) // length) - 1
            try:
                self.evaluate(bucket)
            except Exception as error:  # noqa: BLE001 # the alarms must go on, and all must know
                said = f"the alarms could not be evaluated: {type(error).__name__}: {error}"
                self.world.events.say("error", said)
            bucket += 1

    def _point(self, question: Question, age: int, bucket: int) -> float | None:
        """The data point that ends ``age`` periods before ``bucket`` does."""
        last = bucket - age * question.minutes
        statistic = self._store.statistic(
            question.namespace,
            question.metric,
            question.dimensions,
            range(last - question.minutes + 1, last + 1),
        )
        return value(statistic, question.statistic) if statistic is not None else None

    def _too_busy(self, question: Question, bucket: int) -> bool:
        """Whether the balancer had no time of its own in what ``question`` looks at."""
        if question.namespace != NAMESPACE:
            return False
        first = bucket - (max(question.ages) + 1) * question.minutes + 1
        late = self._store.statistic(*LATENESS, frozenset(), range(first, bucket + 1))
        if late is None or (mean := value(late, "Average")) < BUSY_SECONDS:
            return False
        said = (
            f"this machine is too busy to judge a target: the load balancer is {mean:.2f} s late "
            "with its own work; its alarms rest until it is in time"
        )
        if self._busy_told + _TELL_BUSY_EVERY < time.monotonic():
            self._busy_told = time.monotonic()
            self.world.events.say("stage", said)
        return True

    def _change(
        self,
        alarm: Any,
        question: Question,
        judgement: Judgement,
        bucket: int,
        ages: Sequence[int],
    ) -> None:
        began = [
            datetime.fromtimestamp(
                (bucket - (age + 1) * question.minutes + 1) * period(self.world), UTC
            )
            for age in ages
        ]
        why = reason(
            judgement,
            question.terms,
            alarm.state_value,
            [f"{at:%d/%m/%y %H:%M:%S}" for at in began],
        )
        data = {
            "version": "1.0",
            "queryDate": _stamp(datetime.now(UTC)),
            "startDate": _stamp(began[0]) if began else None,
            "statistic": question.statistic,
            "period": question.minutes * MINUTE,
            "recentDatapoints": list(judgement.used),
            "threshold": question.terms.threshold,
            "evaluatedDatapoints": [
                {"timestamp": _stamp(at), "value": point}
                for at, point in zip(reversed(began), reversed(judgement.used), strict=True)
            ],
        }
        assert judgement.state is not None
        self._set(alarm, judgement.state, why, {k: v for k, v in data.items() if v is not None})

    def _refuse(self, alarm: Any, what: str) -> None:
        said = f"alarm {alarm.name} cannot be evaluated in a rehearsal: {what}"
        if said not in self._told:
            self._told.add(said)
            self.world.events.say("error", said, alarm=alarm.name)
        if alarm.state_value != INSUFFICIENT:
            self._set(alarm, INSUFFICIENT, said, {})

    def _set(self, alarm: Any, state: str, why: str, data: dict[str, Any]) -> None:
        before = {
            "value": alarm.state_value,
            "reason": alarm.state_reason,
            "reasonData": alarm.state_reason_data,
            "timestamp": _stamp(alarm.state_updated_timestamp),
        }
        _backend().set_alarm_state(alarm.name, why, json.dumps(data), state)
        text = f"{alarm.name}: {before['value']} -> {state}: {why}"
        self.world.events.say(
            "alarm", text, alarm=alarm.name, state=state, before=before["value"], reason=why
        )
        if alarm.actions_enabled:
            self._act(alarm, before["value"])
        detail = event_detail(alarm, before)
        emit(
            self.world,
            "aws.cloudwatch",
            "CloudWatch Alarm State Change",
            detail,
            (alarm.alarm_arn,),
        )

    def _act(self, alarm: Any, before: str) -> None:
        actions = {
            ALARM: alarm.alarm_actions,
            OK: alarm.ok_actions,
            INSUFFICIENT: alarm.insufficient_data_actions,
        }[alarm.state_value]
        for arn in actions or ():
            if ":sns:" not in arn:
                said = f"alarm {alarm.name}: the rehearsal does not do the action {arn}"
                self.world.events.say("error", said, alarm=alarm.name)
                continue
            subject = f'{alarm.state_value}: "{alarm.name}" in {REGION}'[:99]
            try:
                self.world.client("sns").publish(
                    TopicArn=arn, Subject=subject, Message=sns_message(alarm, before)
                )
            except Exception as error:  # noqa: BLE001 # one action's trouble is not the others'
                said = f"alarm {alarm.name}: {arn} was not notified: {error}"
                self.world.events.say("error", said, alarm=alarm.name)


def _put_metric_alarm(original: Any, backend: Any, name: str, *values: Any, **named: Any) -> Any:
    before = backend.alarms.get(name)
    alarm = original(name, *values, **named)
    if before is None:
        alarm.state_value = INSUFFICIENT
    else:
        for field in ("value", "reason", "reason_data", "updated_timestamp"):
            setattr(alarm, f"state_{field}", getattr(before, f"state_{field}"))
        alarm.history = before.history
    return alarm


def _backend() -> Any:
    from moto.cloudwatch.models import cloudwatch_backends

    return cloudwatch_backends[ACCOUNT][REGION]


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"
