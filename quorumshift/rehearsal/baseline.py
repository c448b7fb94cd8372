"""The deployment that everybody makes today: CodeDeploy alone, and nobody who thinks of votes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from quorumshift.adapters.aws.client import Client
from quorumshift.adapters.aws.task_definitions import EcsTaskDefinitions
from quorumshift.adapters.discovery.ecs import EcsService
from quorumshift.config import Configuration
from quorumshift.domain.appspec import app_spec
from quorumshift.rehearsal.images import NEW_TAG, registry
from quorumshift.rehearsal.result import Hook, Outcome
from quorumshift.rehearsal.world import World

_ENDED = ("Succeeded", "Failed", "Stopped")
_ROLL_BACK = "rollbackDeploymentId"


class PlainDeployment:
    """One deployment of CodeDeploy's: the live task definition with the new image, no hooks, and
    everything else as the deployment group says."""

    def __init__(self, world: World, configuration: Configuration) -> None:
        self._world = world
        self._service = configuration.service
        self._names = configuration.names
        self._codedeploy = world.client("codedeploy")
        self._id = ""

    def start(self) -> None:
        """Register the task definition and create the deployment."""
        names, ecs = self._names, Client(lambda: self._world.client("ecs"))
        service = EcsService(ecs, names.cluster, names.service, self._service.container)
        definitions = EcsTaskDefinitions(ecs, names.family, self._service.container, service.live)
        revision, _ = definitions.with_image(f"{registry()}/{names.repository}:{NEW_TAG}")
        content = app_spec(revision, service.blueprint(self._service.port), hooks={})
        del content["Hooks"]
        self._id = self._codedeploy.create_deployment(
            applicationName=names.application,
            deploymentGroupName=names.deployment_group,
            description="the way of today",
            revision={
                "revisionType": "AppSpecContent",
                "appSpecContent": {"content": json.dumps(content)},
            },
        )["deploymentId"]

    def ended(self) -> bool:
        """Whether it has ended, and the deployment that rolls it back with it."""
        info = self._look(self._id)
        back = _rolled_back_by(info)
        return info["status"] in _ENDED and (not back or self._look(back)["status"] in _ENDED)

    def outcome(self) -> tuple[Outcome, str]:
        """What CodeDeploy says of it. It knows of tasks and of traffic, and of no quorum."""
        info = self._look(self._id)
        if info["status"] == "Succeeded":
            return Outcome.DEPLOYED, ""
        back = _rolled_back_by(info)
        undone = back and self._look(back)["status"] == "Succeeded"
        cause = str((info.get("errorInformation") or {}).get("message") or info["status"])
        return (Outcome.ROLLED_BACK if undone else Outcome.FAILED), cause

    def states(self) -> tuple[str, ...]:
        """None: there is no state machine."""
        return ()

    def hooks(self) -> tuple[Hook, ...]:
        """None."""
        return ()

    def initiator(self) -> str:
        """Nobody: CodeDeploy keeps no such word."""
        return ""

    def _look(self, deployment: str) -> Mapping[str, Any]:
        found = self._codedeploy.get_deployment(deploymentId=deployment)
        return dict(found["deploymentInfo"])


def _rolled_back_by(info: Mapping[str, Any]) -> str:
    return str((info.get("rollbackInfo") or {}).get(_ROLL_BACK) or "")
