"""One page for a deployment: users, colours, and the Raft cluster below them."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from infra.grants import Arns
from infra.load_balancing import LoadBalancing
from quorumshift.domain import poll_metrics as polled
from quorumshift.names import Names

_PERIOD = Duration.minutes(1)


class Dashboard(Construct):
    """What the load balancer, Step Functions and the polls of a deployment measure."""

    def __init__(
        self, scope: Construct, names: Names, arns: Arns, balancing: LoadBalancing
    ) -> None:
        super().__init__(scope, "Dashboard")
        self._names, self._arns = names, arns
        groups = {"blue": balancing.blue, "green": balancing.green}
        cloudwatch.Dashboard(
            self,
            "Page",
            dashboard_name=names.root,
            widgets=[
                [
                    _graph("Executions of deploy", self._executions()),
                    _graph(
                        "Traffic of the green task set, percent",
                        [self._polled(polled.GREEN_TRAFFIC, "Maximum")],
                    ),
                ],
                [
                    _graph("Requests", [_requests(*each) for each in groups.items()]),
                    _graph("Response time, seconds", [_time(*each) for each in groups.items()]),
                    _graph("Healthy hosts", [_healthy(*each) for each in groups.items()]),
                ],
                [
                    _graph("Raft voters", [self._polled(polled.VOTERS, "Minimum")]),
                    _graph("Leader changes", [self._polled(polled.LEADER_CHANGES, "Sum")]),
                    _graph("Lag, log entries", [self._polled(polled.LAG, "Maximum")]),
                ],
            ],
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


def _graph(title: str, metrics: list[cloudwatch.IMetric]) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(title=title, left=metrics, width=8)


def _requests(colour: str, group: elb.ApplicationTargetGroup) -> cloudwatch.IMetric:
    return group.metrics.request_count(period=_PERIOD, label=colour)


def _time(colour: str, group: elb.ApplicationTargetGroup) -> cloudwatch.IMetric:
    return group.metrics.target_response_time(period=_PERIOD, label=colour)


def _healthy(colour: str, group: elb.ApplicationTargetGroup) -> cloudwatch.IMetric:
    return group.metrics.healthy_host_count(period=_PERIOD, statistic="Minimum", label=colour)
