"""What CodeDeploy tells others of a deployment: EventBridge events, and the group's triggers."""

from __future__ import annotations

import json
from typing import Any

from quorumshift.rehearsal.aws.codedeploy_models import Deployment
from quorumshift.rehearsal.aws.events import emit
from quorumshift.rehearsal.world import ACCOUNT, REGION, World

DETAIL_TYPE = "CodeDeploy Deployment State-change Notification"

_TRIGGERS = {
    "START": "DeploymentStart",
    "SUCCESS": "DeploymentSuccess",
    "FAILURE": "DeploymentFailure",
    "STOP": "DeploymentStop",
    "READY": "DeploymentReady",
    "ROLLBACK": "DeploymentRollback",
}
_SUBJECTS = {"START": "CREATED", "SUCCESS": "SUCCEEDED", "FAILURE": "FAILED", "STOP": "STOPPED"}


def tell(world: World, deployment: Deployment, state: str) -> None:
    """``state``: START, READY, SUCCESS, FAILURE, STOP, or ROLLBACK (which is a trigger's alone).

    Trouble with telling never harms the deployment; it is said aloud.
    """
    try:
        if state != "ROLLBACK":
            _to_event_bridge(world, deployment, state)
        _to_triggers(world, deployment, state)
    except Exception as error:  # noqa: BLE001 # as the docstring says
        said = f"{deployment.id}: nobody could be told {state}: {type(error).__name__}: {error}"
        world.events.say("error", said, deployment=deployment.id)


def _to_event_bridge(world: World, deployment: Deployment, state: str) -> None:
    application, group = deployment.application, deployment.group_name
    prefix = f"arn:aws:codedeploy:{REGION}:{ACCOUNT}"
    emit(
        world,
        "aws.codedeploy",
        DETAIL_TYPE,
        {
            "region": REGION,
            "deploymentId": deployment.id,
            "instanceGroupId": deployment.group.deployment_group_id,
            "deploymentGroup": group,
            "state": state,
            "application": application,
        },
        (
            f"{prefix}:deploymentgroup:{application}/{group}",
            f"{prefix}:application:{application}",
        ),
    )


def _to_triggers(world: World, deployment: Deployment, state: str) -> None:
    event = _TRIGGERS[state]
    for trigger in deployment.group.trigger_configurations or []:
        if event in trigger.get("triggerEvents", []):
            status = _SUBJECTS.get(state, state)
            world.client("sns").publish(
                TopicArn=trigger["triggerTargetArn"],
                Subject=f"{status}: AWS CodeDeploy {deployment.id} in {REGION} to "
                f"{deployment.application}"[:99],
                Message=json.dumps(_message(deployment, trigger, status)),
            )


def _message(deployment: Deployment, trigger: dict[str, Any], status: str) -> dict[str, Any]:
    told = deployment.describe()
    return {
        "region": REGION,
        "accountId": ACCOUNT,
        "eventTriggerName": trigger["triggerName"],
        "applicationName": deployment.application,
        "deploymentId": deployment.id,
        "deploymentGroupName": deployment.group_name,
        "createTime": str(deployment.created),
        "completeTime": str(deployment.completed or ""),
        "deploymentOverview": json.dumps(told["deploymentOverview"]),
        "status": status,
        "errorInformation": json.dumps(deployment.error or {}),
        "rollbackInformation": json.dumps(deployment.rollback),
    }
