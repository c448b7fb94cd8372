"""The alarms that stop a deployment.

Each colour has both: the two target groups swap roles with every deployment, so an alarm on one
alone would watch an empty group half of the time. An empty group sends no data, and no data is no
alarm.
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.metrics import target_metric
from infra.parts import TargetGroupParts, TrafficParts
from quorumshift.config import Configuration

_STOPS = (
    "A deployment under way is stopped and rolled back. What runs and what serves: "
    "`quorumshift status`."
)


class DeploymentAlarms(Construct):
    """``all``: response time and unhealthy hosts, of blue and of green."""

    def __init__(
        self,
        scope: Construct,
        configuration: Configuration,
        traffic: TrafficParts,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, "Alarms")
        self._configuration, self._traffic = configuration, traffic
        self.all: list[cloudwatch.Alarm] = []
        for colour, group in (("blue", traffic.blue), ("green", traffic.green)):
            self._add_pair(colour, group)
        if configuration.notifications.alarms:
            for alarm in self.all:
                alarm.add_alarm_action(actions.SnsAction(topic))

    def _add_pair(self, colour: str, group: TargetGroupParts) -> None:
        settings = self._configuration.alarms
        period = Duration.seconds(settings.period_seconds)
        self._add(
            f"{colour}-response-time",
            target_metric(self._traffic, group, "TargetResponseTime", "Average", period),
            settings.response_time_seconds,
            f"The mean response time of {colour} is over {settings.response_time_seconds:g} s.",
        )
        self._add(
            f"{colour}-unhealthy-hosts",
            target_metric(self._traffic, group, "UnHealthyHostCount", "Maximum", period),
            settings.unhealthy_hosts,
            f"More than {settings.unhealthy_hosts} hosts of {colour} are unhealthy.",
        )

    def _add(
        self, name: str, metric: cloudwatch.Metric, threshold: float, description: str
    ) -> None:
        self.all.append(
            cloudwatch.Alarm(
                self,
                "".join(word.title() for word in name.split("-")),
                alarm_name=f"{self._configuration.service.name}-{name}",
                alarm_description=f"{description} {_STOPS}",
                metric=metric,
                threshold=threshold,
                evaluation_periods=self._configuration.alarms.evaluation_periods,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
        )
