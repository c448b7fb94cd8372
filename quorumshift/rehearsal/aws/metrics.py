"""The load balancer's metrics in CloudWatch, and metrics read by scaled period.

A minute of AWS's lasts 60 / speed real seconds. Metric data carry real time stamps, and period
``n`` holds those from ``n * 60 / speed`` on, in seconds since 1970; every process of a rehearsal
counts alike. So an alarm can watch whatever is in CloudWatch, whoever put it there.

Names, dimensions and when a metric is reported at all: "CloudWatch metrics for your Application
Load Balancer" (AWS). One process is one load balancer node, in the first of its zones.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from quorumshift.rehearsal.balancer.core import AWS_PERIOD
from quorumshift.rehearsal.balancer.counters import Statistic
from quorumshift.rehearsal.balancer.state import Desired
from quorumshift.rehearsal.world import ACCOUNT, REGION, World

NAMESPACE = "AWS/ApplicationELB"
LATENESS = ("Rehearsal", "BalancerLateness")
"""Namespace and name of what AWS has not: seconds by which the balancer came too late to what was
due, because the machine had no time for it."""
STATISTICS = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")

Dimensions = frozenset[tuple[str, str]]
Datum = tuple[str, dict[str, float], str]
"""Metric name, statistic set, unit."""


def period(world: World) -> float:
    """A minute of AWS's in real seconds."""
    return AWS_PERIOD / world.speed


def put_balancer_metrics(world: World, desired: Desired, message: Mapping[str, Any]) -> None:
    """Put what the balancer process counted in one period into moto's CloudWatch."""
    from moto.cloudwatch.models import cloudwatch_backends

    at = datetime.fromtimestamp((message["bucket"] + 0.5) * period(world), UTC)
    zones = _zones()
    data: list[dict[str, Any]] = []
    groups = {group.arn: group for group in desired.groups if group.used}
    for arn, counted in message["groups"].items():
        if arn in groups:
            balancer = groups[arn].balancer
            own = {"TargetGroup": arn.rpartition(":")[2], "LoadBalancer": balancer}
            for metric in _group_data(counted):
                data += _entries(metric, own, zones.get(balancer), at)
    for name, counted in message["balancers"].items():
        for metric in _balancer_data(counted):
            data += _entries(metric, {"LoadBalancer": name}, zones.get(name), at)
    backend = cloudwatch_backends[ACCOUNT][REGION]
    if data:
        backend.put_metric_data(NAMESPACE, data)
    if message["late"]["count"]:
        namespace, name = LATENESS
        late = _entries((name, message["late"], "Seconds"), {}, None, at)
        backend.put_metric_data(namespace, late)


class MetricStore:
    """Everything that moto's CloudWatch holds, by scaled period; read in step with it."""

    def __init__(self, world: World) -> None:
        self._period = period(world)
        self._read = 0
        self._series: dict[tuple[str, str, Dimensions], dict[int, Statistic]] = {}

    def update(self) -> None:
        """Take in what has come since the last time."""
        from moto.cloudwatch.models import cloudwatch_backends

        data = cloudwatch_backends[ACCOUNT][REGION].metric_data
        if len(data) < self._read:  # moto was reset
            self._read = 0
            self._series.clear()
        fresh = list(itertools.islice(data, self._read, None))
        self._read += len(fresh)
        for datum in fresh:
            dimensions = frozenset((str(one.name), str(one.value)) for one in datum.dimensions)
            series = self._series.setdefault((datum.namespace, datum.name, dimensions), {})
            bucket = int(_seconds(datum.timestamp) // self._period)
            _merge(series.setdefault(bucket, Statistic()), datum)

    def statistic(
        self, namespace: str, name: str, dimensions: Dimensions, buckets: Iterable[int]
    ) -> Statistic | None:
        """The union of some scaled minutes; ``None`` when there is no datum in them."""
        series = self._series.get((namespace, name, dimensions), {})
        union = Statistic()
        for bucket in buckets:
            if bucket in series:
                one = series[bucket]
                _join(union, one.sum, one.count, one.minimum, one.maximum)
        return union if union.count else None


def value(statistic: Statistic, name: str) -> float:
    """One of ``STATISTICS``, of a set that is not empty."""
    values = {
        "Average": statistic.sum / statistic.count,
        "Sum": statistic.sum,
        "Minimum": statistic.minimum,
        "Maximum": statistic.maximum,
        "SampleCount": float(statistic.count),
    }
    return values[name]


def _group_data(counted: Mapping[str, Any]) -> list[Datum]:
    data = [("RequestCount", _one(counted["requests"]), "Count")]
    if counted["time"]["count"]:
        data.append(("TargetResponseTime", counted["time"], "Seconds"))
    data += [
        (f"HTTPCode_Target_{first}XX_Count", _one(number), "Count")
        for first, number in counted["codes"].items()
        if first in "2345"
    ]
    if counted["refused"]:
        data.append(("TargetConnectionErrorCount", _one(counted["refused"]), "Count"))
    for name, key in (("HealthyHostCount", "healthy"), ("UnHealthyHostCount", "unhealthy")):
        if counted[key]["count"]:
            data.append((name, counted[key], "Count"))
    return [datum for datum in data if datum[0] != "RequestCount" or counted["requests"]]


def _balancer_data(counted: Mapping[str, Any]) -> list[Datum]:
    data = []
    if counted["requests"]:
        data.append(("RequestCount", _one(counted["requests"]), "Count"))
    by_class: dict[str, int] = {}
    for status, number in counted["own"].items():
        by_class[status[0]] = by_class.get(status[0], 0) + number
        if status in ("500", "502", "503", "504"):
            data.append((f"HTTPCode_ELB_{status}_Count", _one(number), "Count"))
    data += [
        (f"HTTPCode_ELB_{first}XX_Count", _one(number), "Count")
        for first, number in by_class.items()
    ]
    return data


def _one(number: float) -> dict[str, float]:
    return {"sum": number, "count": 1, "minimum": number, "maximum": number}


def _entries(
    metric: Datum, own: Mapping[str, str], zone: str | None, at: datetime
) -> list[dict[str, Any]]:
    """The metric with its dimensions, and once more by zone."""
    name, statistic, unit = metric
    sets = [own] if zone is None else [own, {**own, "AvailabilityZone": zone}]
    return [
        {
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": text} for key, text in sorted(one.items())],
            "Timestamp": at.replace(tzinfo=None),  # as moto keeps them: UTC, without saying so
            "Unit": unit,
            "StatisticValues": {
                "SampleCount": statistic["count"],
                "Sum": statistic["sum"],
                "Minimum": statistic["minimum"],
                "Maximum": statistic["maximum"],
            },
        }
        for one in sets
    ]


def _zones() -> dict[str, str]:
    from moto.elbv2.models import elbv2_backends

    from quorumshift.rehearsal.aws.balancer_state import full_name

    return {
        full_name(balancer.arn): str(balancer.availability_zones[0].zone_name)
        for balancer in list(elbv2_backends[ACCOUNT][REGION].load_balancers.values())
        if balancer.subnets
    }


def _seconds(stamp: datetime) -> float:
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()


def _merge(into: Statistic, datum: Any) -> None:
    if hasattr(datum, "sample_count"):
        _join(into, datum.sum, int(datum.sample_count), datum.min, datum.max)
    else:
        into.add(float(datum.value))


def _join(into: Statistic, total: float, count: int, low: float, high: float) -> None:
    if not count:
        return
    into.minimum = low if not into.count else min(into.minimum, low)
    into.maximum = high if not into.count else max(into.maximum, high)
    into.sum += total
    into.count += count
