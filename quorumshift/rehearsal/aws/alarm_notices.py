"""What CloudWatch tells others when an alarm changes: the message to SNS, and the event.

Shapes: "Alarm events and EventBridge" (AWS) and the SNS messages that alarms send.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from quorumshift.rehearsal.world import ACCOUNT, REGION


def sns_message(alarm: Any, before: str) -> str:
    """JSON text for the topics; ``before`` is the former state."""
    message = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": ACCOUNT,
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": _stamp(alarm),
        "Region": REGION,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before,
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
        "Trigger": {
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "StatisticType": "Statistic",
            "Statistic": (alarm.statistic or "").upper(),
            "Unit": alarm.unit,
            "Dimensions": [{"value": one.value, "name": one.name} for one in alarm.dimensions],
            "Period": alarm.period,
            "EvaluationPeriods": alarm.evaluation_periods,
            "DatapointsToAlarm": alarm.datapoints_to_alarm or alarm.evaluation_periods,
            "ComparisonOperator": alarm.comparison_operator,
            "Threshold": alarm.threshold,
            "TreatMissingData": alarm.treat_missing_data or "missing",
            "EvaluateLowSampleCountPercentile": "",
        },
    }
    return json.dumps(message)


def event_detail(alarm: Any, before: Mapping[str, str]) -> dict[str, Any]:
    """``detail`` of ``CloudWatch Alarm State Change``; ``before``: the former state as the event
    has it (value, reason, reasonData, timestamp)."""
    return {
        "alarmName": alarm.name,
        "configuration": {
            "description": alarm.description,
            "metrics": [
                {
                    "id": "m1",
                    "metricStat": {
                        "metric": {
                            "dimensions": {one.name: one.value for one in alarm.dimensions},
                            "name": alarm.metric_name,
                            "namespace": alarm.namespace,
                        },
                        "period": alarm.period,
                        "stat": alarm.statistic,
                    },
                    "returnData": True,
                }
            ],
        },
        "previousState": dict(before),
        "state": {
            "reason": alarm.state_reason,
            "reasonData": alarm.state_reason_data,
            "timestamp": _stamp(alarm),
            "value": alarm.state_value,
        },
    }


def _stamp(alarm: Any) -> str:
    at = alarm.state_updated_timestamp
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"
