"""ECS: tasks are processes that live, fall ill, die, are protected and are replaced."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from quorumshift.adapters.aws.protection import EcsTaskProtection
from quorumshift.adapters.clock import SystemClock
from quorumshift.adapters.discovery.ecs import EcsService
from quorumshift.domain.lock_record import TAG
from quorumshift.rehearsal.aws.ecs import EcsEngine
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.world import World
from tests.rehearsal.stage import PORT, Stage, address, stage, until


@pytest.fixture
def engine(aws: EmbeddedAws) -> EcsEngine:
    return next(engine for engine in aws.engines if isinstance(engine, EcsEngine))


@pytest.fixture
def service(world: World, engine: EcsEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(world, "speed", 600)
    made = stage(world, engine)
    yield made
    made.end()


def environment(task: dict[str, Any]) -> dict[str, str]:
    with urllib.request.urlopen(f"http://{address(task)}:{PORT}/environment") as answer:
        return dict(json.load(answer))


def test_a_new_service_gets_its_tasks(service: Stage, engine: EcsEngine, world: World) -> None:
    os.environ["SHOULD_NOT_LEAK"] = "x"
    secret = world.client("secretsmanager").create_secret(
        Name=service.name, SecretString=json.dumps({"password": "hunter2"})
    )["ARN"]
    service.create(
        desired=2,
        environment=[{"name": "COLOUR", "value": "blue"}],
        secrets=[
            {"name": "WHOLE", "valueFrom": secret},
            {"name": "PASSWORD", "valueFrom": f"{secret}:password::"},
        ],
    )
    service.steady()
    (task_set,) = service.task_sets()
    assert task_set["status"] == "PRIMARY"
    assert task_set["computedDesiredCount"] == task_set["runningCount"] == 2
    described = service.ecs.describe_services(cluster=service.name, services=[service.name])
    assert described["services"][0]["runningCount"] == 2
    assert any("steady" in e["message"] for e in described["services"][0]["events"])

    first, second = service.tasks()
    assert address(first) != address(second)
    for task in (first, second):
        assert task["lastStatus"] == task["desiredStatus"] == "RUNNING"
        assert task["healthStatus"] == task["containers"][0]["healthStatus"] == "HEALTHY"
        assert task["startedBy"] == task_set["id"]
        assert task["group"] == f"service:{service.name}"
        assert task["containers"][0]["imageDigest"].startswith("sha256:")
    seen = environment(first)
    assert seen["COLOUR"] == "blue"
    assert seen["PASSWORD"] == "hunter2"
    assert json.loads(seen["WHOLE"]) == {"password": "hunter2"}
    assert seen["QUORUMSHIFT_TASK_ADDRESS"] == address(first)
    assert seen["QUORUMSHIFT_TASK_ARN"] == first["taskArn"]
    assert os.path.isdir(seen["QUORUMSHIFT_TASK_DIRECTORY"])
    assert seen["QUORUMSHIFT_IMAGE_CONTRACT"] == "extended"
    assert "SHOULD_NOT_LEAK" not in seen
    del os.environ["SHOULD_NOT_LEAK"]

    instances = json.loads(engine.instances_path(service.name).read_text())["instances"]
    assert seen["QUORUMSHIFT_INSTANCES"] == str(engine.instances_path(service.name))
    assert {i["address"] for i in instances} == {address(first), address(second)}
    assert sorted(i["sequence"] for i in instances) == [1, 2]
    health = service.elb.describe_target_health(TargetGroupArn=service.blue)
    assert len(health["TargetHealthDescriptions"]) == 2


def test_a_crashed_task_is_replaced_and_takes_its_tree_along(
    service: Stage, engine: EcsEngine
) -> None:
    service.create()
    service.steady()
    (task,) = service.tasks()
    log = next(
        life.log
        for s in engine.services()
        for life in s.lives()
        if life.task.arn == task["taskArn"]
    )
    child = int(log.read_text().split()[1])
    assert engine.task_at(address(task)) == task["taskArn"]
    engine.kill(task["taskArn"], signal.SIGKILL)
    began = time.monotonic()
    until(lambda: service.tasks(desiredStatus="STOPPED"))
    assert time.monotonic() - began < 0.5
    until(lambda: not os.path.exists(f"/proc/{child}"))
    service.steady()
    (successor,) = service.tasks()
    assert address(successor) != address(task)
    (dead,) = service.tasks(desiredStatus="STOPPED")
    assert dead["stoppedReason"] == "Essential container in task exited"
    assert dead["stopCode"] == "EssentialContainerExited"
    assert dead["containers"][0]["exitCode"] == 137
    health = service.elb.describe_target_health(TargetGroupArn=service.blue)
    assert [h["Target"]["Id"] for h in health["TargetHealthDescriptions"]] == [address(successor)]
    with pytest.raises(LookupError):
        engine.task_at(address(task))


def test_an_unhealthy_task_is_replaced_even_if_protected(service: Stage) -> None:
    service.create(behaviour="unhealthy")
    (task,) = until(service.tasks)
    until(lambda: service.tasks()[0]["lastStatus"] == "RUNNING")
    service.protect([task["taskArn"]])
    (ill, *_) = until(lambda: service.tasks(desiredStatus="STOPPED"))
    assert ill["taskArn"] == task["taskArn"]
    assert ill["stoppedReason"] == "Task failed container health checks"
    until(lambda: service.tasks() and service.tasks()[0]["taskArn"] != task["taskArn"])
    assert service.task_sets()[0]["stabilityStatus"] == "STABILIZING"


def test_starts_that_fail_become_rarer(service: Stage, world: World) -> None:
    world.speed = 60  # the fixture's monkeypatch puts it back
    service.create(behaviour="exit")

    def over() -> list[dict[str, Any]]:
        return [t for t in service.tasks(desiredStatus="STOPPED") if t["lastStatus"] == "STOPPED"]

    until(lambda: len(over()) >= 5, 30)
    starts = sorted(t["createdAt"] for t in over())
    gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(starts)]
    assert gaps[3] > gaps[0] + 0.5  # the pauses are 0.17, 0.33, 0.67 and 1.33 s
    assert over()[0]["containers"][0]["exitCode"] == 1


def test_an_image_that_is_not_there_is_told(service: Stage) -> None:
    service.create(image=f"{service.name}:absent")
    (task, *_) = until(lambda: service.tasks(desiredStatus="STOPPED"))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError")


def test_protection_has_a_budget_and_an_end(service: Stage, world: World) -> None:
    service.create(desired=1)
    service.steady()
    task_set = service.ecs.create_task_set(
        cluster=service.name,
        service=service.name,
        taskDefinition=service.definition(),
        externalId="d-ABCDEFGHI",
        networkConfiguration=service.network,
        launchType="FARGATE",
        loadBalancers=[
            {"targetGroupArn": service.green, "containerName": "app", "containerPort": PORT}
        ],
    )["taskSet"]
    assert task_set["startedBy"] == "CODE_DEPLOY"
    assert task_set["externalId"] == "d-ABCDEFGHI"
    service.steady()
    blue, green = sorted(service.tasks(), key=lambda t: t["startedBy"] == task_set["id"])
    protected = service.protect([blue["taskArn"]], minutes=30)
    assert protected["protectedTasks"][0]["protectionEnabled"] is True
    left = protected["protectedTasks"][0]["expirationDate"].timestamp() - time.time()
    assert 1700 < left <= 1800  # told in AWS's time, although it ends in 3 s at speed 600
    refused = service.protect([green["taskArn"], "0" * 32])
    assert [f["reason"] for f in refused["failures"]] == ["DEPLOYMENT_BLOCKED", "MISSING"]
    assert not service.protect([blue["taskArn"]], minutes=20)["failures"]  # renewed

    service.ecs.delete_task_set(
        cluster=service.name, service=service.name, taskSet=task_set["id"], force=True
    )
    until(lambda: len(service.task_sets()) == 1)  # green had no lock
    until(
        lambda: (
            not service.ecs.get_task_protection(cluster=service.name, tasks=[blue["taskArn"]])[
                "protectedTasks"
            ][0]["protectionEnabled"]
        )
    )
    for bad in (0, 2881):
        with pytest.raises(ClientError, match="expiresInMinutes"):
            service.protect([blue["taskArn"]], minutes=bad)
    a_lock_and_its_end(service, blue["taskArn"])


def a_lock_and_its_end(service: Stage, task: str) -> None:
    """By the product's own adapter, over a protection that is not its."""
    ours = EcsTaskProtection(service.ecs, service.name, SystemClock())
    (seen,) = EcsService(service.ecs, service.name, service.name, "app").roster(None).tasks
    assert seen.locked_until is None
    service.protect([task], minutes=300)
    ours.lock([task], 1000)
    tagged = service.ecs.describe_tasks(cluster=service.name, tasks=[task], include=["TAGS"])
    assert [tag["key"] for tag in tagged["tasks"][0]["tags"]] == [TAG]
    assert "tags" not in service.tasks()[0]
    (seen,) = EcsService(service.ecs, service.name, service.name, "app").roster(None).tasks
    assert seen.locked_until is not None
    assert seen.foreign_until is not None
    assert seen.locked_until > seen.foreign_until + 3600
    ours.release([task])
    (seen,) = EcsService(service.ecs, service.name, service.name, "app").roster(None).tasks
    assert seen.locked_until == seen.foreign_until is not None
    service.protect([task], on=False)
    keys = [f"key-{number}" for number in range(51)]
    with pytest.raises(ClientError, match="at most 50 tags"):
        service.ecs.tag_resource(resourceArn=task, tags=[{"key": key, "value": ""} for key in keys])
    gone = task[:-4] + "0000"
    with pytest.raises(ClientError, match="not active"):
        service.ecs.untag_resource(resourceArn=gone, tagKeys=keys[:1])


def test_a_deleted_task_set_waits_for_its_protected_tasks(service: Stage) -> None:
    service.create(desired=2)
    service.steady()
    (task_set,) = service.task_sets()
    keep, lose = (task["taskArn"] for task in service.tasks())
    service.protect([keep])
    with pytest.raises(ClientError, match="force"):
        service.ecs.delete_task_set(
            cluster=service.name, service=service.name, taskSet=task_set["id"]
        )
    service.ecs.delete_task_set(
        cluster=service.name, service=service.name, taskSet=task_set["id"], force=True
    )
    until(lambda: service.task_sets()[0]["runningCount"] == 1)
    (draining,) = service.task_sets()
    assert draining["status"] == "DRAINING"
    assert [task["taskArn"] for task in service.tasks()] == [keep]
    assert [t["taskArn"] for t in service.tasks(desiredStatus="STOPPED")] == [lose]
    service.protect([keep], on=False)
    until(lambda: service.task_sets() == [])


def test_scaling_follows_desired_count_and_percent(service: Stage) -> None:
    service.create(desired=1)
    service.steady()
    service.ecs.update_service(cluster=service.name, service=service.name, desiredCount=3)
    until(lambda: service.task_sets()[0]["runningCount"] == 3)
    service.steady()
    # All founders of a cluster must agree on how many they are, whoever joins them later.
    assert [environment(each)["QUORUMSHIFT_CLUSTER_SIZE"] for each in service.tasks()] == ["1"] * 3
    (task_set,) = service.task_sets()
    service.ecs.update_task_set(
        cluster=service.name,
        service=service.name,
        taskSet=task_set["id"],
        scale={"value": 50, "unit": "PERCENT"},
    )
    until(lambda: service.task_sets()[0]["runningCount"] == 2)  # 1.5, rounded up
    with pytest.raises(ClientError, match="CODE_DEPLOY"):
        service.ecs.update_service(
            cluster=service.name, service=service.name, taskDefinition=service.definition()
        )


def test_stop_task_ignores_protection(service: Stage) -> None:
    service.create()
    service.steady()
    (task,) = service.tasks()
    service.protect([task["taskArn"]])
    service.ecs.stop_task(cluster=service.name, task=task["taskArn"], reason="drill")
    stopped = until(
        lambda: next(
            (t for t in service.tasks(desiredStatus="STOPPED") if t["lastStatus"] == "STOPPED"),
            None,
        )
    )
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "drill")
    assert stopped["containers"][0]["exitCode"] == 143  # SIGTERM was enough
