"""CodeDeploy behind the port ``Deployments``: its words end here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import code, every, message
from quorumshift.domain.appspec import Blueprint, app_spec
from quorumshift.domain.errors import (
    DeploymentActive,
    DeploymentRefused,
    MissingResource,
    Transient,
)
from quorumshift.domain.marks import describe, mark_for, read_mark
from quorumshift.domain.previous import Deployed
from quorumshift.domain.rollout import EndedBy, Progress, Rollout, Stage, StageStatus, Traffic
from quorumshift.ports import Ours, Started

_ACTIVE = ["Created", "Queued", "InProgress", "Baking", "Ready"]
_DEPLOYMENT = re.compile(r"\bd-[A-Z0-9]{9,}\b")
_ENDS = {
    "Succeeded": Progress.SUCCEEDED,
    "Failed": Progress.FAILED,
    "Stopped": Progress.STOPPED,
}
_STAGES = {
    "Pending": StageStatus.PENDING,
    "InProgress": StageStatus.RUNNING,
    "Succeeded": StageStatus.DONE,
    "Failed": StageStatus.FAILED,
    "Skipped": StageStatus.SKIPPED,
    "Unknown": StageStatus.PENDING,
}
_CODES = {
    "ALARM_ACTIVE": EndedBy.ALARM,
    "MANUAL_STOP": EndedBy.REQUEST,
    "HOOK_EXECUTION_FAILURE": EndedBy.CHECK,
}


class CodeDeployDeployments:
    """Implements ``ports.Deployments`` for one deployment group.

    ``blueprint`` reads how the serving task set runs; it is called once a start.
    """

    def __init__(
        self,
        codedeploy: Any,
        application: str,
        group: str,
        target: str,
        hooks: Mapping[str, str],
        blueprint: Callable[[], Blueprint],
    ) -> None:
        """``target``: ``cluster:service``, which is the deployment target's id. ``hooks``: stage →
        function that is asked there."""
        self._codedeploy = codedeploy
        self._group: dict[str, Any] = {"applicationName": application, "deploymentGroupName": group}
        self._target = target
        self._hooks = hooks
        self._blueprint = blueprint

    def start(
        self,
        task_definition: str,
        config: str,
        description: str,
        execution: str,
        since: str,
        *,
        replaces: str = "",
        ignore_alarms: bool = False,
    ) -> Started:
        """Create the deployment, or adopt what an earlier try of this execution created: after a
        lost reply, CreateDeployment is refused because of it."""
        mark = mark_for(execution, task_definition, replaces)
        mine = self._find(mark.execution, since) or self._refuse_other(mark.execution)
        if mine:
            return Started(mine, adopted=True)
        content = json.dumps(app_spec(task_definition, self._blueprint(), self._hooks))
        try:
            created = self._codedeploy.create_deployment(
                **self._group,
                deploymentConfigName=config,
                description=describe(description, mark),
                revision={
                    "revisionType": "AppSpecContent",
                    "appSpecContent": {"content": content},
                },
                **({"overrideAlarmConfiguration": {"enabled": False}} if ignore_alarms else {}),
            )
        except ClientError as error:
            if code(error) == "DeploymentLimitExceededException":
                return self._limited(error, mark.execution, since)
            raise DeploymentRefused(
                f"CodeDeploy would not start a deployment of {self._name}: {message(error)} "
                f"({code(error)}); nothing was deployed"
            ) from error
        return Started(str(created["deploymentId"]), adopted=False)

    def look(self, deployment: str) -> Rollout:
        """The deployment and its only target, in the domain's words."""
        try:
            info = self._codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
        except ClientError as error:
            if code(error) == "DeploymentDoesNotExistException":
                raise MissingResource(
                    f"CodeDeploy knows no deployment {deployment}; it is kept for 90 days"
                ) from error
            raise
        target = self._look_at_target(deployment)
        progress = _ENDS.get(str(info.get("status")), Progress.RUNNING)
        said = info.get("errorInformation") or {}
        undo = info.get("rollbackInfo") or {}
        override = info.get("overrideAlarmConfiguration") or {}
        mark = read_mark(info.get("description"))
        return Rollout(
            id=deployment,
            progress=progress,
            stages=tuple(_stage(event) for event in target.get("lifecycleEvents") or []),
            traffic=_traffic(target.get("taskSetsInfo") or []),
            ended_by=_ended_by(progress, str(said.get("code") or "")),
            message=_said(said),
            undone_by=undo.get("rollbackDeploymentId") or None,
            undoes=undo.get("rollbackTriggeringDeploymentId") or None,
            revision=mark.revision if mark else None,
            ignores_alarms=override.get("enabled") is False,
        )

    def stop(self, deployment: str) -> None:
        """Stop the deployment and let CodeDeploy roll it back."""
        try:
            self._codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
        except ClientError as error:
            if code(error) != "DeploymentAlreadyCompletedException":
                raise

    def active(self) -> str | None:
        """The deployment of the group that has not ended, whoever started it."""
        return next((str(one["deploymentId"]) for one in self._running()), None)

    def of_execution(self, execution: str, since: str) -> str | None:
        """The deployment that this execution started, whatever became of it."""
        return self._find(mark_for(execution, "none:0").execution, since)

    def ended_well(self) -> tuple[Deployed, ...]:
        """The deployments of executions that succeeded, newest first; CodeDeploy's own roll-backs
        are none."""
        found = [
            (one["createTime"], mark)
            for one in self._list(includeOnlyStatuses=["Succeeded"])
            if (mark := read_mark(one.get("description")))
            and not (one.get("rollbackInfo") or {}).get("rollbackTriggeringDeploymentId")
        ]
        found.sort(key=lambda one: one[0], reverse=True)  # no order is documented
        return tuple(Deployed(mark.revision, mark.over) for _, mark in found)

    def newest_of_ours(self, since: str) -> Ours | None:
        """The last one; CodeDeploy's own roll-backs are none."""
        found = [
            (one["createTime"], Ours(str(one["deploymentId"]), mark.execution))
            for one in self._list(createTimeRange={"start": since})
            if (mark := read_mark(one.get("description")))
            and not (one.get("rollbackInfo") or {}).get("rollbackTriggeringDeploymentId")
        ]
        return max(found, key=lambda one: one[0])[1] if found else None

    @property
    def _name(self) -> str:
        return str(self._group["deploymentGroupName"])

    def _limited(self, error: ClientError, execution: str, since: str) -> Started:
        """What there is already: our own, where the reply to an earlier try was lost, or another's.

        Lists are behind for some seconds, so the deployment that the refusal names is asked too.
        """
        named = list(self._look_up(_DEPLOYMENT.findall(message(error))))
        mine = (
            _own(named, execution)
            or self._find(execution, since)
            or self._refuse_other(execution, named)
        )
        if mine:
            return Started(mine, adopted=True)
        raise Transient(
            f"CodeDeploy says that a deployment of {self._name} is under way, and tells of none "
            f"({message(error)}); try again"
        ) from error

    def _refuse_other(self, execution: str, named: Sequence[dict[str, Any]] = ()) -> str | None:
        """The execution's own deployment, if that is what runs. Raises ``DeploymentActive`` for any
        other."""
        running = [*(one for one in named if one.get("status") in _ACTIVE), *self._running()]
        mine = _own(running, execution)
        if mine:
            return mine
        for other in running:
            raise DeploymentActive(
                f"deployment {other['deploymentId']} of {self._name} is under way "
                f"({other.get('status')}: {other.get('description') or 'no description'}); "
                "wait for its end, or stop it, and start again"
            )
        return None

    def _running(self) -> Iterator[dict[str, Any]]:
        return self._list(includeOnlyStatuses=_ACTIVE)

    def _find(self, execution: str, since: str) -> str | None:
        return _own(self._list(createTimeRange={"start": since}), execution)

    def _list(self, **which: Any) -> Iterator[dict[str, Any]]:
        return self._look_up(
            list(every(self._codedeploy.list_deployments, "deployments", **self._group, **which))
        )

    def _look_up(self, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        for at in range(0, len(ids), 25):  # BatchGetDeployments takes 25
            found = self._codedeploy.batch_get_deployments(deploymentIds=ids[at : at + 25])
            yield from found["deploymentsInfo"]

    def _look_at_target(self, deployment: str) -> dict[str, Any]:
        try:
            found = self._codedeploy.get_deployment_target(
                deploymentId=deployment, targetId=self._target
            )
        except ClientError as error:
            if code(error) in (
                "DeploymentNotStartedException",
                "DeploymentTargetDoesNotExistException",
                "InvalidDeploymentTargetIdException",
            ):
                return {}  # just created: CodeDeploy has not looked at the service yet
            raise
        return dict(found["deploymentTarget"].get("ecsTarget") or {})


def _own(some: Iterable[dict[str, Any]], execution: str) -> str | None:
    for one in some:
        mark = read_mark(one.get("description"))
        if mark is not None and mark.execution == execution:
            return str(one["deploymentId"])
    return None


def _stage(event: dict[str, Any]) -> Stage:
    diagnostics = event.get("diagnostics") or {}
    status = _STAGES.get(str(event.get("status")), StageStatus.PENDING)
    failed = status is StageStatus.FAILED
    return Stage(
        str(event["lifecycleEventName"]),
        status,
        str(diagnostics.get("message") or diagnostics.get("errorCode") or "") if failed else "",
    )


def _traffic(task_sets: list[dict[str, Any]]) -> Traffic | None:
    weights = {
        str(one.get("taskSetLabel")).lower(): float(one.get("trafficWeight") or 0)
        for one in task_sets
    }
    if "blue" not in weights and "green" not in weights:
        return None
    return Traffic(weights.get("blue", 0.0), weights.get("green", 0.0))


def _ended_by(progress: Progress, error: str) -> EndedBy:
    if progress in (Progress.RUNNING, Progress.SUCCEEDED):
        return EndedBy.NOTHING
    if error in _CODES:
        return _CODES[error]
    by_hand = progress is Progress.STOPPED and not error
    return EndedBy.REQUEST if by_hand else EndedBy.ENGINE


def _said(error: dict[str, Any]) -> str:
    if not error:
        return ""
    return f"{error.get('message') or 'no message'} ({error.get('code') or 'no code'})"
