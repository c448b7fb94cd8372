"""Tags of scalable targets in the embedded AWS, as Application Auto Scaling documents them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from quorumshift.rehearsal.aws.scaling_tags import MOST
from quorumshift.rehearsal.world import World


@pytest.fixture
def scaling(world: World) -> Any:
    return world.client("application-autoscaling")


def target(scaling: Any) -> tuple[str, dict[str, str]]:
    """ARN of a new scalable target, and what deregisters it."""
    which = {
        "ServiceNamespace": "dynamodb",
        "ResourceId": f"table/{uuid.uuid4().hex[:8]}",
        "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
    }
    scaling.register_scalable_target(**which, MinCapacity=1, MaxCapacity=9)
    namespace, resource = which["ServiceNamespace"], which["ResourceId"]
    (found,) = scaling.describe_scalable_targets(
        ServiceNamespace=namespace, ResourceIds=[resource]
    )["ScalableTargets"]
    return found["ScalableTargetARN"], which


def tags(scaling: Any, arn: str) -> dict[str, str]:
    return dict(scaling.list_tags_for_resource(ResourceARN=arn)["Tags"])


def test_each_target_has_its_own_and_setting_one_leaves_the_others(scaling: Any) -> None:
    (one, _), (other, _) = target(scaling), target(scaling)
    assert tags(scaling, one) == {}
    scaling.tag_resource(ResourceARN=one, Tags={"a": "1", "b": "2"})
    scaling.tag_resource(ResourceARN=one, Tags={"b": "3", "c": "4"})
    assert tags(scaling, one) == {"a": "1", "b": "3", "c": "4"}
    assert tags(scaling, other) == {}
    scaling.untag_resource(ResourceARN=one, TagKeys=["a", "never there"])
    assert tags(scaling, one) == {"b": "3", "c": "4"}


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("tag_resource", {"Tags": {"a": "1"}}),
        ("untag_resource", {"TagKeys": ["a"]}),
        ("list_tags_for_resource", {}),
    ],
)
def test_a_target_that_is_not_there_is_not_found(
    scaling: Any, operation: str, more: dict[str, Any]
) -> None:
    """One that was never there, and one that went with its tags."""
    arn, which = target(scaling)
    scaling.tag_resource(ResourceARN=arn, Tags={"a": "1"})
    scaling.deregister_scalable_target(**which)
    for gone in (arn, arn[:-4] + "none"):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            getattr(scaling, operation)(ResourceARN=gone, **more)


def test_a_target_has_fifty_tags_at_most(scaling: Any) -> None:
    arn, _ = target(scaling)
    scaling.tag_resource(ResourceARN=arn, Tags={f"k{n}": "" for n in range(MOST)})
    scaling.tag_resource(ResourceARN=arn, Tags={"k0": "again"})
    with pytest.raises(ClientError, match="TooManyTagsException"):
        scaling.tag_resource(ResourceARN=arn, Tags={"one": "more", "k0": "not set"})
    assert tags(scaling, arn)["k0"] == "again"
    assert len(tags(scaling, arn)) == MOST == 50
