"""The alarms that watch a deployment group."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.rollout import Alarm


class GroupAlarms:
    """Implements ``ports.Alarms``: reads what the group watches, then how those alarms stand."""

    def __init__(self, codedeploy: Any, cloudwatch: Any, application: str, group: str) -> None:
        self._codedeploy = codedeploy
        self._cloudwatch = cloudwatch
        self._application = application
        self._group = group
        self._names: list[str] | None = None

    def look(self) -> tuple[Alarm, ...]:
        """All alarms of the group, whatever their state."""
        names = self._watched()
        if not names:
            return ()
        alarms = self._cloudwatch.describe_alarms(
            AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        return tuple(
            Alarm(one["AlarmName"], one["StateValue"] == "ALARM", one.get("StateReason") or "")
            for kind in ("MetricAlarms", "CompositeAlarms")
            for one in alarms.get(kind, [])
        )

    def _watched(self) -> list[str]:
        if self._names is None:
            group = self._codedeploy.get_deployment_group(
                applicationName=self._application, deploymentGroupName=self._group
            )["deploymentGroupInfo"]
            alarms = group.get("alarmConfiguration") or {}
            self._names = [one["name"] for one in alarms.get("alarms") or []]
        return self._names
