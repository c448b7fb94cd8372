"""Suspends a service's automatic scaling for the time of a deployment, and restores what was."""

from __future__ import annotations

from typing import Any

from quorumshift.adapters.aws.client import every
from quorumshift.domain.suspension import (
    SUSPENSIONS,
    TAG,
    Suspension,
    read_suspension,
    suspended,
)

_WHICH: dict[str, Any] = {
    "ServiceNamespace": "ecs",
    "ScalableDimension": "ecs:service:DesiredCount",
}
_EVERYTHING = frozenset(SUSPENSIONS)


class ServiceScaling:
    """Implements ``ports.Scaling``. A service that does not scale is left alone.

    The record is written before anything is suspended and removed after it was restored, so that a
    death between two calls leaves either nothing to do, or a record that says what to do.
    """

    def __init__(self, autoscaling: Any, cluster: str, service: str) -> None:
        self._autoscaling = autoscaling
        self._resource = f"service/{cluster}/{service}"

    def suspend(self, deployment: str) -> bool:
        """Stop all scaling for this deployment; whether there was any to stop."""
        target = self._target()
        if target is None:
            return False
        arn, now = self._arn(target), _now(target)
        known = self._record(arn)
        before = known.before if known else now
        record = Suspension(deployment, before)
        if record != known:
            self._autoscaling.tag_resource(ResourceARN=arn, Tags={TAG: record.text()})
        if now == _EVERYTHING:
            return False
        self._set(_EVERYTHING)
        return True

    def resume(self, deployment: str | None) -> bool:
        """Restore what was before this deployment (``None``: any) suspended it; whether there was
        anything to restore."""
        target = self._target()
        if target is None:
            return False
        arn, now = self._arn(target), _now(target)
        known = self._record(arn)
        if known is None or deployment not in (None, known.deployment):
            return False
        wanted = known.after(now)
        if wanted != now:
            self._set(wanted)
        self._autoscaling.untag_resource(ResourceARN=arn, TagKeys=[TAG])
        return wanted != now

    def suspended_for(self) -> str | None:
        """The deployment that the record names; ``None``: there is no record."""
        target = self._target()
        known = self._record(self._arn(target)) if target else None
        return known.deployment if known else None

    def _target(self) -> dict[str, Any] | None:
        targets = every(
            self._autoscaling.describe_scalable_targets,
            "ScalableTargets",
            "NextToken",
            ResourceIds=[self._resource],
            **_WHICH,
        )
        return next(targets, None)

    def _arn(self, target: dict[str, Any]) -> str:
        """The model does not promise that a target's description tells it; RegisterScalableTarget
        answers it, and changes nothing where it is given what is."""
        known = target.get("ScalableTargetARN")
        return str(known or self._set(_now(target))["ScalableTargetARN"])

    def _record(self, arn: str) -> Suspension | None:
        tags = self._autoscaling.list_tags_for_resource(ResourceARN=arn).get("Tags") or {}
        return read_suspension(tags.get(TAG))

    def _set(self, wanted: frozenset[str]) -> dict[str, Any]:
        return dict(
            self._autoscaling.register_scalable_target(
                ResourceId=self._resource,
                SuspendedState={name: name in wanted for name in SUSPENSIONS},
                **_WHICH,
            )
        )


def _now(target: dict[str, Any]) -> frozenset[str]:
    return suspended(target.get("SuspendedState") or {})
