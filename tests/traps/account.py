"""An account in which ours is not the first cluster, service or deployment group.

A process of its own, because moto's state is global to its process. Its argument is the name of
everything that is not ours. Reads
``[{"variables": {}, "first_of_account": bool}]`` from standard input, one entry a service; sets the
account up for it, asks the product for the tasks and lets it deploy once. Prints, for each,
``{"asked": [[service, operation, parameters]], "revision", "deployments": {application: [id]},
"suspended": [resource]}``: what was asked of AWS, and what the account holds then.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from moto import mock_aws

import tasks.wiring
from quorumshift.adapters.discovery.ecs import EcsService
from quorumshift.rehearsal.aws.scaling_tags import ScalingTagsEngine
from quorumshift.settings import Settings
from tasks import create_deployment, register_task_definition
from tests.tasks.aws import EXECUTION

OTHERS = sys.argv[1]
GOLDEN = Path(__file__).parents[2] / "workflows" / "golden"


def main() -> None:
    """See above."""
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    print(json.dumps([_run(**one) for one in json.load(sys.stdin)], default=str))


def _run(variables: dict[str, str], first_of_account: bool) -> dict[str, Any]:
    os.environ.update(variables)
    settings = Settings.read(variables)
    tasks.wiring.wiring.cache_clear()
    tasks.wiring.client.cache_clear()
    tasks.wiring._session.cache_clear()
    with mock_aws():
        ScalingTagsEngine().install()
        image = _pushed(settings.repository)  # the same, so that not it but the rest is in the way
        _set_up(OTHERS, OTHERS, OTHERS, OTHERS, OTHERS, settings.container, image)
        _set_up(
            settings.cluster,
            settings.service,
            settings.family,
            settings.application,
            settings.deployment_group,
            settings.container,
            image,
        )
        _client("stepfunctions").create_state_machine(
            name=settings.hand_over.rpartition(":")[2],
            definition=(GOLDEN / "hand_over.asl.json").read_text(),
            roleArn="arn:aws:iam::123456789012:role/any",
        )
        _client("codedeploy").create_deployment(
            applicationName=OTHERS, deploymentGroupName=OTHERS, revision={}
        )
        asked: list[Any] = []
        _listen(asked)
        with _taking_the_first() if first_of_account else contextlib.nullcontext():
            revision = _deploy()
        return {"asked": list(asked), "revision": revision, **_what_there_is(settings)}


def _client(service: str) -> Any:
    return tasks.wiring.client(service)


def _set_up(
    cluster: str,
    service: str,
    family: str,
    application: str,
    group: str,
    container: str,
    image: str,
) -> None:
    """A service as the product would deploy it, with all that stands around it."""
    ecs, codedeploy = _client("ecs"), _client("codedeploy")
    ecs.create_cluster(clusterName=cluster)
    ecs.register_task_definition(
        family=family,
        containerDefinitions=[{"name": container, "image": image, "memory": 512}],
    )
    ecs.create_service(
        cluster=cluster,
        serviceName=service,
        taskDefinition=family,
        desiredCount=3,
        deploymentController={"type": "CODE_DEPLOY"},
    )
    made = ecs.create_task_set(cluster=cluster, service=service, taskDefinition=family)
    ecs.update_service_primary_task_set(
        cluster=cluster, service=service, primaryTaskSet=made["taskSet"]["taskSetArn"]
    )
    codedeploy.create_application(applicationName=application, computePlatform="ECS")
    codedeploy.create_deployment_group(
        applicationName=application,
        deploymentGroupName=group,
        serviceRoleArn="arn:aws:iam::123456789012:role/any",
    )
    _client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=f"service/{cluster}/{service}",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=3,
        MaxCapacity=9,
    )


def _pushed(repository: str) -> str:
    """An image in the service's own repository."""
    ecr, name = _client("ecr"), repository.partition("/")[2]
    ecr.create_repository(repositoryName=name)
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": {}, "layers": []})
    ecr.put_image(repositoryName=name, imageManifest=manifest, imageTag="v1")
    return f"{repository}:v1"


def _taking_the_first() -> contextlib.AbstractContextManager[Any]:
    """Do as the scripts did that this project replaces."""

    def first(_: Any) -> EcsService:
        ecs = _client("ecs")
        cluster = ecs.list_clusters()["clusterArns"][0].rpartition("/")[2]
        service = ecs.list_services(cluster=cluster)["serviceArns"][0].rpartition("/")[2]
        return EcsService(ecs, cluster, service, "")

    return mock.patch.object(tasks.wiring.Wiring, "service", property(first))


def _listen(asked: list[Any]) -> None:
    def hear(params: Any, model: Any, **_: Any) -> None:
        asked.append([model.service_model.service_name, model.name, params])

    for service in ("ecs", "codedeploy", "application-autoscaling"):
        events = _client(service).meta.events
        events.register("before-parameter-build", hear)


def _deploy() -> str:
    tasks.wiring.wiring().service.roster(None)
    state: dict[str, Any] = {
        "request": {"deploymentConfig": "CodeDeployDefault.ECSAllAtOnce"},
        "execution": EXECUTION,
    }
    state["revision"] = register_task_definition.handler(state, None)
    create_deployment.handler(state, None)
    return str(state["revision"]["to"])


def _what_there_is(settings: Settings) -> dict[str, Any]:
    listed = _client("codedeploy").list_deployments
    pairs = ((OTHERS, OTHERS), (settings.application, settings.deployment_group))
    scaling = _client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    return {
        "deployments": {
            application: listed(applicationName=application, deploymentGroupName=group)[
                "deployments"
            ]
            for application, group in pairs
        },
        "suspended": [
            each["ResourceId"]
            for each in scaling["ScalableTargets"]
            if any(each.get("SuspendedState", {}).values())
        ],
    }


if __name__ == "__main__":
    main()
