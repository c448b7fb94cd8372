"""What the load balancer measures of a target group."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.parts import TargetGroupParts, TrafficParts


def target_metric(
    traffic: TrafficParts,
    group: TargetGroupParts,
    name: str,
    statistic: str,
    period: Duration,
    label: str | None = None,
) -> cloudwatch.Metric:
    """``name``: as Elastic Load Balancing calls it (its User Guide for Application Load Balancers,
    "CloudWatch metrics"). The dimensions are full names, which is what ARNs end with."""
    return cloudwatch.Metric(
        namespace="AWS/ApplicationELB",
        metric_name=name,
        dimensions_map={"TargetGroup": group.full_name, "LoadBalancer": traffic.balancer},
        statistic=statistic,
        period=period,
        label=label,
    )
