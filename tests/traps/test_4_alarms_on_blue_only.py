"""Trap 4: the alarms watched blue alone, and no data counted as breaching. After the first swap the
old colour is empty, so every later deployment would have been rolled back at once.

The alarms of the template are judged by CloudWatch's rules for whichever colour serves.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from quorumshift.rehearsal.aws.alarm_states import ALARM, MARGIN, OK, Terms, judge
from tests.infra.template import Template
from tests.traps.conftest import Shipped

METRICS = {"TargetResponseTime", "UnHealthyHostCount"}


def watching(template: Template) -> list[dict[str, Any]]:
    """The alarms that the deployment group is stopped by."""
    configuration = template.one("AWS::CodeDeploy::DeploymentGroup")["AlarmConfiguration"]
    assert configuration["Enabled"] is True
    assert configuration.get("IgnorePollAlarmFailure", False) is False
    alarms = template.of("AWS::CloudWatch::Alarm")
    return [alarms[template.target(each["Name"])] for each in configuration["Alarms"]]


def state(alarm: dict[str, Any], value: float | None) -> str | None:
    """The state of an alarm that has had this value, or no data, for long."""
    periods = alarm["EvaluationPeriods"]
    terms = Terms(
        alarm["ComparisonOperator"],
        alarm["Threshold"],
        periods,
        alarm.get("DatapointsToAlarm", periods),
        alarm.get("TreatMissingData", "missing"),
    )
    return judge([value] * (periods + MARGIN), terms).state


def group_of(template: Template, alarm: dict[str, Any]) -> str:
    """The name of the target group that an alarm is on."""
    (dimension,) = [each for each in alarm["Dimensions"] if each["Name"] == "TargetGroup"]
    group = template.target(dimension["Value"])
    if group.startswith("targetgroup/"):  # adopted: its full name
        return group.split("/")[1]
    return str(template.of("AWS::ElasticLoadBalancingV2::TargetGroup")[group]["Name"])


def pair(template: Template) -> list[str]:
    """The names of the two target groups that swap roles."""
    group = template.one("AWS::CodeDeploy::DeploymentGroup")
    (found,) = group["LoadBalancerInfo"]["TargetGroupPairInfoList"]
    return [each["Name"] for each in found["TargetGroups"]]


def faults(template: Template) -> Iterator[str]:
    """What goes wrong with the alarms while one target group serves and the other is empty."""
    for serving in pair(template):
        seen = set()
        for alarm in watching(template):
            if group_of(template, alarm) == serving:
                assert state(alarm, 0.0) == OK
                if state(alarm, 1e6) == ALARM:
                    seen.add(alarm["MetricName"])
            elif (without := state(alarm, None)) != OK:
                yield f"{serving} serves: without data {alarm['AlarmName']} is {without}"
        yield from (f"nobody watches {name} of {serving}" for name in METRICS - seen)


def test_either_colour_is_watched_and_an_empty_one_rings_nothing(shipped: Shipped) -> None:
    assert list(faults(shipped.template)) == []


def test_alarms_on_blue_alone_are_found_out(shipped: Shipped) -> None:
    spoilt = Template(copy.deepcopy(shipped.document))
    blue, green = pair(spoilt)
    configuration = spoilt.one("AWS::CodeDeploy::DeploymentGroup")["AlarmConfiguration"]
    alarms = spoilt.of("AWS::CloudWatch::Alarm")
    configuration["Alarms"] = [
        each
        for each in configuration["Alarms"]
        if group_of(spoilt, alarms[spoilt.target(each["Name"])]) == blue
    ]
    assert set(faults(spoilt)) == {f"nobody watches {metric} of {green}" for metric in METRICS}


@pytest.mark.parametrize("treatment", ["breaching", "missing", "ignore"])
def test_no_data_that_is_not_fine_is_found_out(shipped: Shipped, treatment: str) -> None:
    spoilt = Template(copy.deepcopy(shipped.document))
    for alarm in watching(spoilt):
        alarm["TreatMissingData"] = treatment
    assert len(list(faults(spoilt))) == len(watching(spoilt))
    assert all("without data" in fault for fault in faults(spoilt))
