"""Whatever AWS tells in pages is read to its last page, and only AWS says which one that is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from quorumshift.adapters.aws.alarms import described
from quorumshift.adapters.aws.builds import CodeBuilds
from quorumshift.adapters.aws.client import Client, every
from quorumshift.adapters.aws.deployments import CodeDeployDeployments
from quorumshift.adapters.aws.evidence import EvidenceLog
from quorumshift.adapters.aws.executions import Executions
from quorumshift.adapters.aws.hand_overs import HandOvers
from quorumshift.adapters.aws.listener_route import ListenerRoute
from quorumshift.adapters.aws.scaling import ServiceScaling
from quorumshift.adapters.clock import SystemClock
from quorumshift.domain.errors import Transient
from quorumshift.domain.rollout import Check
from tests.adapters.aws_api import Api
from tests.adapters.aws_calls import SERVICES, called

BY_NAME = "asks for what it names, which is less than a page"
ONE_PAGE = {
    "describe_alarms": "alarms.py follows the token: two lists share it",
    "describe_images": "a list of images excludes pages (ECR, DescribeImages)",
    "describe_listeners": BY_NAME,
    "describe_load_balancers": BY_NAME,
    "describe_repositories": BY_NAME,
    "describe_target_groups": BY_NAME,
    "describe_vpcs": BY_NAME,
    "list_tags_for_resource": "Application Auto Scaling tells all tags at once; others page them",
}
"""Operations with pages that are called once somewhere, and why that is enough."""


def paged(operations: Iterable[str]) -> set[str]:
    """Those of them whose answer has a token, in any service."""
    session = botocore.session.get_session()
    found: set[str] = set()
    for service in SERVICES:
        model = session.get_service_model(service)
        known = {xform_name(name): name for name in model.operation_names}
        for operation in known.keys() & set(operations):
            shape = model.operation_model(known[operation]).output_shape
            members = {member.lower() for member in shape.members} if shape else set()
            if members & {"nexttoken", "nextmarker", "marker", "nextforwardtoken"}:
                found.add(operation)
    return found


def test_no_paged_operation_is_called_once() -> None:
    where = called()
    once = {name: where[name] for name in paged(where)}
    assert once.keys() - ONE_PAGE.keys() == {"get_log_events"}, once  # tested below
    assert ONE_PAGE.keys() <= once.keys()


def test_a_list_without_an_end_ends() -> None:
    def operation(**_: Any) -> dict[str, Any]:
        return {"items": [], "nextToken": "the same"}

    with pytest.raises(Transient, match="has not ended"):
        list(every(operation, "items"))


def in_pages(key: str, items: list[Any], token: str = "nextToken", sent: str = "") -> Any:
    """Nothing, then ``items``, then nothing once more."""

    def answer(**asked: Any) -> dict[str, Any]:
        pages: dict[str, dict[str, Any]] = {
            "": {key: [], token: "2"},
            "2": {key: items, token: "3"},
            "3": {key: []},
        }
        return pages[asked.get(sent or token, "")]

    return answer


AT = datetime(2026, 12, 1, tzinfo=UTC)
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:sample-hand-over"
RUN = {
    "executionArn": f"{ARN}:one".replace(":stateMachine:", ":execution:"),
    "stateMachineArn": ARN,
    "name": "one",
    "status": "RUNNING",
    "startDate": AT,
}
ENTERED = {
    "timestamp": AT,
    "type": "PassStateEntered",
    "id": 1,
    "stateEnteredEventDetails": {"name": "Plan"},
}


def alarms() -> Any:
    api = Api(
        "cloudwatch", describe_alarms=in_pages("CompositeAlarms", [{"AlarmName": "a"}], "NextToken")
    )
    return next(described(api, ["a"]))["AlarmName"]


def many_alarms() -> Any:
    api = Api(
        "cloudwatch",
        describe_alarms=lambda AlarmNames, **_: {
            "MetricAlarms": [{"AlarmName": name} for name in AlarmNames]
        },
    )
    found = list(described(api, [f"a{number}" for number in range(150)]))
    assert [len(asked["AlarmNames"]) for asked in api.asked("describe_alarms")] == [100, 50]
    return found[149]["AlarmName"]


def builds() -> Any:
    environment = {
        "type": "LINUX_CONTAINER",
        "image": "i",
        "computeType": "BUILD_GENERAL1_SMALL",
        "environmentVariables": [{"name": "EXECUTION_MARK", "value": "m"}],
    }
    build = {"id": "b", "buildStatus": "IN_PROGRESS", "environment": environment}
    api = Api(
        "codebuild",
        list_builds_for_project=lambda nextToken="", **_: (
            {"ids": ["b"]} if nextToken else {"nextToken": "2"}
        ),
        batch_get_builds={"builds": [build]},
        stop_build={},
    )
    return CodeBuilds(api, "p", "r").stop("m")


def deployments() -> Any:
    api = Api(
        "codedeploy",
        list_deployments=in_pages("deployments", ["d-1"]),
        batch_get_deployments={"deploymentsInfo": [{"deploymentId": "d-1"}]},
    )
    return CodeDeployDeployments(api, "a", "g", "t", {}, lambda: None).active()  # type: ignore[arg-type,return-value] # starts none


def executions() -> Any:
    api = Api(
        "stepfunctions",
        list_executions=in_pages("executions", [RUN]),
        describe_execution=RUN,
    )
    return next(Executions(api, ARN).newest(1)).name


def history() -> Any:
    api = Api("stepfunctions", get_execution_history=in_pages("events", [ENTERED]))
    return Executions(api, ARN).history("arn:x")[0].state


def hand_overs() -> Any:
    return HandOvers(
        Api("stepfunctions", list_executions=in_pages("executions", [RUN])), ARN
    ).running()[0]


def listeners() -> Any:
    target = {"Target": {"Id": "10.0.0.4"}, "TargetHealth": {"State": "healthy"}}
    listener = {
        "Port": 9090,
        "LoadBalancerArn": "arn:lb",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": "arn:g"}],
    }
    listed = in_pages("Listeners", [listener], "NextMarker", "Marker")

    def describe(ListenerArns: Any = None, **asked: Any) -> dict[str, Any]:
        return {"Listeners": [listener]} if ListenerArns else dict(listed(**asked))

    api = Api(
        "elbv2",
        describe_listeners=describe,
        describe_target_health={"TargetHealthDescriptions": [target]},
    )
    return next(iter(ListenerRoute(api, "arn:p", "http://lb:9090").healthy_targets()))


def scaling() -> Any:
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/c/s",
        "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": 1,
        "MaxCapacity": 2,
        "RoleARN": "arn:r",
        "CreationTime": AT,
    }
    api = Api(
        "application-autoscaling",
        describe_scalable_targets=in_pages("ScalableTargets", [target], "NextToken"),
        register_scalable_target={"ScalableTargetARN": "arn:t"},
        list_tags_for_resource={"Tags": {}},
        tag_resource={},
    )
    return ServiceScaling(api, "c", "s").suspend("d-1")


@pytest.mark.parametrize(
    ("read", "found"),
    [
        (alarms, "a"),
        (many_alarms, "a149"),
        (builds, "b"),
        (deployments, "d-1"),
        (executions, "one"),
        (history, "Plan"),
        (hand_overs, "one"),
        (listeners, "10.0.0.4"),
        (scaling, True),
    ],
)
def test_an_empty_page_is_not_the_last(read: Callable[[], Any], found: Any) -> None:
    assert read() == found


NO = Check("AfterInstall", False, "10.0.0.4 took a vote")


def log_of(pages: Iterator[dict[str, Any]]) -> EvidenceLog:
    api = Api("logs", get_log_events=lambda **_: next(pages))
    return EvidenceLog(Client(lambda: api), "/g", SystemClock())


def test_a_hooks_no_behind_an_empty_page_is_read() -> None:
    line = '{"name": "AfterInstall", "passed": false, "reason": "10.0.0.4 took a vote"}'
    pages: list[dict[str, Any]] = [
        {"events": [], "nextForwardToken": "f/1"},
        {"events": [{"timestamp": 1, "message": line}], "nextForwardToken": "f/2"},
        {"events": [], "nextForwardToken": "f/2"},
    ]
    assert log_of(iter(pages)).read("d-1") == (NO,)


def test_a_log_without_an_end_ends() -> None:
    endless = ({"events": [], "nextForwardToken": f"f/{number}"} for number in range(10**6))
    with pytest.raises(Transient, match="has not ended"):
        log_of(endless).read("d-1")
