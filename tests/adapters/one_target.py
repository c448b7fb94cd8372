"""Application Auto Scaling with at most one scalable target: what it is suspended from, its tags.

Not moto's: that asks moto's ECS for the service, and where an embedded AWS runs in this process,
another ECS stands in its place. And moto knows no tags of targets.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.adapters.aws_api import Api

ARN = "arn:aws:application-autoscaling:us-east-1:123456789012:scalable-target/1234abcd"


class OneTarget:
    """``suspended``: the names that are on; ``None``: the service does not scale. ``tells_arn``:
    whether its description does."""

    def __init__(self, *suspended: str, scales: bool = True, tells_arn: bool = True) -> None:
        self.suspended: set[str] | None = set(suspended) if scales else None
        self.tags: dict[str, str] = {}
        self._tells_arn = tells_arn
        self.api = Api(
            "application-autoscaling",
            describe_scalable_targets=self._describe,
            register_scalable_target=self._register,
            tag_resource=self._tag,
            untag_resource=self._untag,
            list_tags_for_resource=lambda ResourceARN: {"Tags": dict(self._tags(ResourceARN))},
        )

    def _tags(self, arn: str) -> dict[str, str]:
        assert arn == ARN
        return self.tags

    def _tag(self, ResourceARN: str, Tags: dict[str, str]) -> dict[str, Any]:
        self._tags(ResourceARN).update(Tags)
        return {}

    def _untag(self, ResourceARN: str, TagKeys: list[str]) -> dict[str, Any]:
        for key in TagKeys:
            self._tags(ResourceARN).pop(key, None)
        return {}

    def _describe(self, ResourceIds: list[str], **_: Any) -> dict[str, Any]:
        if self.suspended is None:
            return {"ScalableTargets": []}
        target = {
            "ServiceNamespace": "ecs",
            "ResourceId": ResourceIds[0],
            "ScalableDimension": "ecs:service:DesiredCount",
            "MinCapacity": 3,
            "MaxCapacity": 9,
            "RoleARN": "arn:aws:iam::123456789012:role/scaling",
            "CreationTime": datetime(2026, 11, 22, tzinfo=UTC),
            "SuspendedState": dict.fromkeys(self.suspended, True),
            **({"ScalableTargetARN": ARN} if self._tells_arn else {}),
        }
        return {"ScalableTargets": [target]}

    def _register(
        self, SuspendedState: dict[str, bool], ResourceId: str, **which: Any
    ) -> dict[str, Any]:
        assert which == {
            "ServiceNamespace": "ecs",
            "ScalableDimension": "ecs:service:DesiredCount",
        }
        self.suspended = {name for name, on in SuspendedState.items() if on}
        return {"ScalableTargetARN": ARN}
