"""Suspends a service's automatic scaling for the time of a deployment."""

from __future__ import annotations

from typing import Any

from quorumshift.adapters.aws.client import every

_DIMENSION = "ecs:service:DesiredCount"
_ALL = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


class ServiceScaling:
    """Implements ``ports.Scaling``. A service that does not scale is left alone."""

    def __init__(self, autoscaling: Any, cluster: str, service: str) -> None:
        self._autoscaling = autoscaling
        self._resource = f"service/{cluster}/{service}"

    def suspend(self) -> bool:
        """Stop all scaling; whether there was any to stop."""
        return self._set(True)

    def resume(self) -> bool:
        """Let it scale again; whether there was any to resume."""
        return self._set(False)

    def _set(self, suspended: bool) -> bool:
        targets = every(
            self._autoscaling.describe_scalable_targets,
            "ScalableTargets",
            "NextToken",
            ServiceNamespace="ecs",
            ResourceIds=[self._resource],
            ScalableDimension=_DIMENSION,
        )
        target = next(targets, None)
        if target is None:
            return False
        now = target.get("SuspendedState", {})
        if all(bool(now.get(name)) is suspended for name in _ALL):
            return False
        self._autoscaling.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=self._resource,
            ScalableDimension=_DIMENSION,
            SuspendedState=dict.fromkeys(_ALL, suspended),
        )
        return True
