"""Colours, addresses, health and locks, as ECS tells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from quorumshift.adapters.aws.client import Client
from quorumshift.adapters.discovery.ecs import EcsService
from quorumshift.domain.appspec import Capacity, Network
from quorumshift.domain.errors import MissingResource
from quorumshift.domain.lock_record import TAG, LockRecord
from quorumshift.domain.raft import Colour, Task
from tests.adapters.aws_api import Api

ARN = "arn:aws:ecs:eu-west-1:123456789012:task/c/"
DEFINITION = "arn:aws:ecs:eu-west-1:123456789012:task-definition/sample:"
UNTIL = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
VPC = {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}


def task(number: int, task_set: str, **changes: Any) -> dict[str, Any]:
    detail = {"name": "privateIPv4Address", "value": f"10.0.0.{number}"}
    return {
        "taskArn": f"{ARN}{number}",
        "taskDefinitionArn": f"{DEFINITION}{'12' if task_set == 'ecs-svc/2' else '11'}",
        "startedBy": task_set,
        "lastStatus": "RUNNING",
        "healthStatus": "HEALTHY",
        "attachments": [{"type": "ElasticNetworkInterface", "details": [detail]}],
        "containers": [{"name": "app", "image": "sample:v2", "imageDigest": "sha256:2"}],
        **changes,
    }


BLUE: dict[str, Any] = {
    "id": "ecs-svc/1",
    "status": "PRIMARY",
    "stabilityStatus": "STEADY_STATE",
    "taskDefinition": f"{DEFINITION}11",
    "platformVersion": "1.3.0",
    "networkConfiguration": {"awsvpcConfiguration": VPC},
    "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 100, "base": 1}],
}
GREEN: dict[str, Any] = {
    "id": "ecs-svc/2",
    "status": "ACTIVE",
    "stabilityStatus": "STABILIZING",
    "startedBy": "CODE_DEPLOY",
    "externalId": "d-1",
}


def service(
    running: list[dict[str, Any]],
    stopped: list[dict[str, Any]] | None = None,
    sets: list[dict[str, Any]] | None = None,
    status: str = "ACTIVE",
    health_check: bool = True,
) -> tuple[EcsService, Api]:
    tasks = {"RUNNING": running, "STOPPED": stopped or []}
    every = {one["taskArn"]: one for one in running + (stopped or [])}
    check = {"healthCheck": {"command": ["CMD", "true"]}} if health_check else {}

    def list_tasks(desiredStatus: str, nextToken: str = "", **_: Any) -> dict[str, Any]:
        arns = [one["taskArn"] for one in tasks[desiredStatus]]
        if not nextToken and len(arns) > 2:  # two pages
            return {"taskArns": arns[:2], "nextToken": "more"}
        return {"taskArns": arns[2:] if nextToken else arns}

    api = Api(
        "ecs",
        describe_services={
            "services": [{"status": status, "desiredCount": 3, "platformVersion": "LATEST"}]
        },
        describe_task_sets={"taskSets": [BLUE, GREEN] if sets is None else sets},
        list_tasks=list_tasks,
        describe_tasks=lambda tasks, **_: {"tasks": [every[arn] for arn in tasks]},
        get_task_protection={
            "protectedTasks": [
                {"taskArn": f"{ARN}1", "protectionEnabled": True, "expirationDate": UNTIL},
                {"taskArn": f"{ARN}2", "protectionEnabled": False},
            ]
        },
        describe_task_definition={
            "taskDefinition": {"containerDefinitions": [{"name": "app", **check}]}
        },
    )
    return EcsService(Client(lambda: api), "c", "sample", "app"), api


def test_tasks_have_the_colour_of_their_task_set_and_their_locks() -> None:
    record = LockRecord(UNTIL.timestamp()).text()
    first = {**task(1, "ecs-svc/1"), "tags": [{"key": TAG, "value": record}]}
    ours, api = service([first, task(2, "ecs-svc/1"), task(4, "ecs-svc/2")])
    roster = ours.roster("d-1")
    assert roster.tasks == (
        Task(f"{ARN}1", "10.0.0.1", Colour.BLUE, True, UNTIL.timestamp()),
        Task(f"{ARN}2", "10.0.0.2", Colour.BLUE, True),
        Task(f"{ARN}4", "10.0.0.4", Colour.GREEN, True),
    )
    assert (roster.desired, roster.steady) == (3, False)
    assert len(api.asked("list_tasks")) == 2


def test_a_protection_without_a_record_is_somebody_elses() -> None:
    (seen,) = service([task(1, "ecs-svc/1")])[0].roster(None).tasks
    assert seen.locked_until == seen.foreign_until == UNTIL.timestamp()


def test_green_stays_green_when_it_has_become_the_primary() -> None:
    swapped = [{**BLUE, "status": "DRAINING"}, {**GREEN, "status": "PRIMARY"}]
    ours, _ = service([task(1, "ecs-svc/1"), task(4, "ecs-svc/2")], sets=swapped)
    assert [one.colour for one in ours.roster("d-1").tasks] == [Colour.BLUE, Colour.GREEN]
    assert [one.colour for one in ours.roster(None).tasks] == [Colour.GREEN, Colour.BLUE]


LATER = {**GREEN, "id": "ecs-svc/3", "externalId": "d-2", "createdAt": UNTIL}
EARLY = {"createdAt": UNTIL - timedelta(hours=1)}
OLDEST = {"createdAt": UNTIL - timedelta(hours=2)}


@pytest.mark.parametrize(
    ("deployment", "sets", "colours"),
    [
        pytest.param(
            "d-1",
            [{**GREEN, **EARLY, "status": "PRIMARY"}, LATER],
            ["green", "none"],
            id="it-has-succeeded-and-the-next-one-has-its-green",
        ),
        pytest.param(
            "d-1",
            [{**GREEN, **EARLY}, {**LATER, "status": "PRIMARY"}],
            ["green", "blue"],
            id="it-has-succeeded-and-the-next-one-serves",
        ),
        pytest.param(
            "d-0",
            [{**GREEN, **EARLY, "status": "PRIMARY"}, LATER],
            ["blue", "none"],
            id="its-own-task-set-is-gone",
        ),
        pytest.param(
            "d-2",
            [{**BLUE, **OLDEST}, {**GREEN, **EARLY, "status": "DRAINING"}, LATER],
            ["blue", "none", "green"],
            id="what-an-earlier-one-left-is-not-blue",
        ),
        pytest.param(
            "d-2",
            [
                {**BLUE, **OLDEST, "status": "ACTIVE"},
                {**GREEN, **EARLY, "status": "DRAINING"},
                {**LATER, "status": "PRIMARY"},
            ],
            ["blue", "none", "green"],
            id="nor-once-its-own-serves",
        ),
        pytest.param(
            None,
            [{**GREEN, **EARLY, "status": "PRIMARY"}, LATER],
            ["blue", "green"],
            id="asked-for-none",
        ),
    ],
)
def test_colours_are_relative_to_one_deployment(
    deployment: str | None, sets: list[dict[str, Any]], colours: list[str]
) -> None:
    running = [task(number, one["id"]) for number, one in enumerate(sets, 1)]
    ours, _ = service(running, sets=sets)
    assert [one.colour.value for one in ours.roster(deployment).tasks] == colours


@pytest.mark.parametrize(
    ("changes", "health_check", "ready"),
    [
        ({}, True, True),
        ({"healthStatus": "UNHEALTHY"}, True, False),
        ({"healthStatus": "UNKNOWN"}, True, False),
        ({"healthStatus": "UNKNOWN"}, False, True),
        ({"lastStatus": "PENDING"}, True, False),
    ],
)
def test_ready_is_running_and_healthy_where_health_is_checked(
    changes: dict[str, Any], health_check: bool, ready: bool
) -> None:
    ours, _ = service([task(1, "ecs-svc/1", **changes)], health_check=health_check)
    (seen,) = ours.roster(None).tasks
    assert seen.ready is ready


def test_a_task_without_an_address_is_not_there_yet() -> None:
    ours, _ = service([task(1, "ecs-svc/1", attachments=[])])
    assert ours.roster(None).tasks == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"containers": [{"name": "app", "networkInterfaces": [{"ipv6Address": "fd00::1"}]}]},
        {"attachments": [{"details": [{"name": "ipv6Address", "value": "fd00::1"}]}]},
    ],
)
def test_a_task_with_an_ipv6_address_alone_is_refused(changes: dict[str, Any]) -> None:
    alone = task(1, "ecs-svc/1", **{"attachments": [], **changes})
    with pytest.raises(MissingResource, match=r"task 1 has an IPv6 address alone.* subnets with"):
        service([alone])[0].roster(None)
    starting = {**alone, "lastStatus": "PENDING"}
    assert service([starting])[0].roster(None).tasks == ()


def test_a_task_of_no_known_task_set_has_no_colour() -> None:
    ours, _ = service([task(1, "ecs-svc/9")])
    assert ours.roster("d-1").tasks[0].colour is Colour.NONE


def test_what_green_runs_is_told_with_its_digest() -> None:
    ours, _ = service([task(1, "ecs-svc/1"), task(4, "ecs-svc/2")])
    (green,) = ours.running("d-1")
    assert (green.task_definition, green.digest) == (f"{DEFINITION}12", "sha256:2")


def test_dead_green_tasks_are_told_with_reason_and_exit_code() -> None:
    dead = [{"name": "app", "exitCode": 1, "reason": "OutOfMemory"}]
    late, early = datetime(2026, 1, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=UTC)
    stopped = [
        task(5, "ecs-svc/2", stoppedReason="second", stoppedAt=late, containers=[]),
        task(4, "ecs-svc/2", stoppedReason="exited", stoppedAt=early, containers=dead),
        task(1, "ecs-svc/1", stoppedReason="blue", stoppedAt=late),
    ]
    ours, _ = service([], stopped)
    failures = ours.failures("d-1")
    assert [one.reason for one in failures] == ["exited: OutOfMemory", "second"]
    assert [one.exit_code for one in failures] == [1, None]


@pytest.mark.parametrize(
    ("code", "reason", "counts"),
    [
        ("EssentialContainerExited", "Essential container in task exited", True),
        ("TaskFailedToStart", "CannotPullContainerError", True),
        ("ServiceSchedulerInitiated", "Task failed container health checks", True),
        ("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment x)", False),
        ("UserInitiated", "stopped by hand", False),
        ("SpotInterruption", "Your Spot Task was interrupted.", False),
    ],
)
def test_a_task_that_was_ended_on_purpose_is_no_failure(
    code: str, reason: str, counts: bool
) -> None:
    stopped = [task(4, "ecs-svc/2", stopCode=code, stoppedReason=reason)]
    ours, _ = service([], stopped)
    assert bool(ours.failures("d-1")) is counts


def test_the_blueprint_is_the_primary_task_sets() -> None:
    ours, _ = service([])
    blueprint = ours.blueprint(8080)
    assert blueprint.network == Network(("subnet-1",), ("sg-1",), public_ip=False)
    assert blueprint.capacity == (Capacity("FARGATE_SPOT", 100, 1),)
    assert blueprint.platform_version == "LATEST", "what was set, not what it was by then"
    assert ours.live() == f"{DEFINITION}11"


def test_what_must_exist_is_named() -> None:
    with pytest.raises(MissingResource, match="no active service sample in the cluster c"):
        service([], status="INACTIVE")[0].roster(None)
    with pytest.raises(MissingResource, match="no primary task set"):
        service([], sets=[])[0].live()
