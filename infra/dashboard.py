"""One page for a deployment: users, colours, and the Raft cluster below them."""

from __future__ import annotations

from urllib.parse import quote

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.grants import Arns
from infra.metrics import target_metric
from infra.parts import TrafficParts
from quorumshift.domain import poll_metrics as polled
from quorumshift.names import Names
from quorumshift.settings import evidence_group

_PERIOD = Duration.minutes(1)


class Dashboard(Construct):
    """What the load balancer, Step Functions and the polls of a deployment measure."""

    def __init__(self, scope: Construct, names: Names, arns: Arns, traffic: TrafficParts) -> None:
        super().__init__(scope, "Dashboard")
        self._names, self._arns, self._traffic = names, arns, traffic
        cloudwatch.Dashboard(
            self,
            "Page",
            dashboard_name=names.root,
            widgets=[
                [cloudwatch.TextWidget(markdown=self._words(), width=24, height=3)],
                [
                    _graph("Executions of deploy", self._executions()),
                    _graph(
                        "Traffic of the green task set, percent",
                        [self._polled(polled.GREEN_TRAFFIC, "Maximum")],
                    ),
                ],
                [
                    _graph("Requests", self._of_both("RequestCount", "Sum")),
                    _graph(
                        "Response time, seconds", self._of_both("TargetResponseTime", "Average")
                    ),
                    _graph("Healthy hosts", self._of_both("HealthyHostCount", "Minimum")),
                ],
                [
                    _graph("Raft voters", [self._polled(polled.VOTERS, "Minimum")]),
                    _graph("Leader changes", [self._polled(polled.LEADER_CHANGES, "Sum")]),
                    _graph("Lag, log entries", [self._polled(polled.LAG, "Maximum")]),
                ],
            ],
        )

    def _words(self) -> str:
        """Links stay within CloudWatch's own console, so that they hold in each partition."""
        group = quote(evidence_group(self._names.service), safe="").replace("%", "$25")
        return (
            f"**{self._names.service}**: what runs and what serves: `quorumshift status`. Follow a "
            "deployment: `quorumshift watch`. Stop it and roll it back: `quorumshift stop`. Go "
            "back to the revision before: `quorumshift rollback`. Where the votes would go: "
            f"`quorumshift plan`. State machines: `{self._names.deploy}`, "
            f"`{self._names.hand_over}`. [Evidence of the hooks](#logsV2:log-groups/log-group/"
            f"{group}), [alarms](#alarmsV2:?search={self._names.root})"
        )

    def _executions(self) -> list[cloudwatch.IMetric]:
        machine = self._arns.state_machine(self._names.deploy)
        return [
            cloudwatch.Metric(
                namespace="AWS/States",
                metric_name=f"Executions{end}",
                dimensions_map={"StateMachineArn": machine},
                statistic="Sum",
                period=_PERIOD,
                label=end.lower(),
            )
            for end in ("Started", "Succeeded", "Failed", "TimedOut", "Aborted")
        ]

    def _polled(self, metric: str, statistic: str) -> cloudwatch.IMetric:
        return cloudwatch.Metric(
            namespace=polled.NAMESPACE,
            metric_name=metric,
            dimensions_map={polled.DIMENSION: self._names.service},
            statistic=statistic,
            period=_PERIOD,
        )

    def _of_both(self, metric: str, statistic: str) -> list[cloudwatch.IMetric]:
        colours = {"blue": self._traffic.blue, "green": self._traffic.green}
        return [
            target_metric(self._traffic, group, metric, statistic, _PERIOD, label=colour)
            for colour, group in colours.items()
        ]


def _graph(title: str, metrics: list[cloudwatch.IMetric]) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(title=title, left=metrics, width=8)
