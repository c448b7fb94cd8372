"""The alarms that watch a deployment group."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quorumshift.adapters.aws.client import every
from quorumshift.domain.rollout import Alarm

_AT_ONCE = 100
"""Names that DescribeAlarms takes."""
_KINDS = ("MetricAlarms", "CompositeAlarms")


@dataclass(frozen=True, slots=True)
class Watched:
    """What a group's alarm configuration says. ``off``: CodeDeploy passes over these alarms."""

    names: tuple[str, ...]
    off: bool


def watched(group: Mapping[str, Any]) -> Watched:
    """Read ``deploymentGroupInfo`` of GetDeploymentGroup. A configuration that does not say whether
    it counts, counts."""
    configuration = group.get("alarmConfiguration") or {}
    names = tuple(str(one["name"]) for one in configuration.get("alarms") or ())
    return Watched(names, configuration.get("enabled") is False)


def described(cloudwatch: Any, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Those of these alarms that there are, as DescribeAlarms tells them."""
    for at in range(0, len(names), _AT_ONCE):
        some = list(names[at : at + _AT_ONCE])
        yield from every(functools.partial(_page, cloudwatch), "both", "NextToken", AlarmNames=some)


def _page(cloudwatch: Any, **arguments: Any) -> dict[str, Any]:
    """One page of both lists: one token leads on in both."""
    page = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"], **arguments)
    both = [one for kind in _KINDS for one in page.get(kind) or ()]
    return {"both": both, "NextToken": page.get("NextToken")}


class GroupAlarms:
    """Implements ``ports.Alarms``: reads what the group watches, then how those alarms stand."""

    def __init__(self, codedeploy: Any, cloudwatch: Any, application: str, group: str) -> None:
        self._codedeploy = codedeploy
        self._cloudwatch = cloudwatch
        self._application = application
        self._group = group

    def look(self) -> tuple[Alarm, ...]:
        """All alarms of the group, whatever their state. None of them rings where they are off."""
        group = self._codedeploy.get_deployment_group(
            applicationName=self._application, deploymentGroupName=self._group
        )["deploymentGroupInfo"]
        found = watched(group)
        return tuple(
            Alarm(
                name=one["AlarmName"],
                ringing=one["StateValue"] == "ALARM" and not found.off,
                reason=one.get("StateReason") or "",
                off=found.off,
            )
            for one in described(self._cloudwatch, found.names)
        )
