"""CodeDeploy behind the port: nothing is started twice, and every end is told in our words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.exceptions
import pytest

from quorumshift.adapters.aws.client import Client
from quorumshift.adapters.aws.deployments import CodeDeployDeployments
from quorumshift.domain.appspec import Blueprint
from quorumshift.domain.errors import (
    DeploymentActive,
    DeploymentRefused,
    MissingResource,
    Transient,
)
from quorumshift.domain.marks import describe, mark_for
from quorumshift.domain.previous import Deployed, previous
from quorumshift.domain.rollout import EndedBy, Progress, Stage, StageStatus, Traffic
from quorumshift.ports import Started
from tests.adapters.aws_api import Api, refusal
from tests.adapters.loopback import DROPPED, Reply, client, serving

ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/sample:12"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:sample-deploy:one"
SINCE = "2026-11-22T10:00:00Z"


def deployments(api: Api) -> CodeDeployDeployments:
    return over(Client(lambda: api))


def over(codedeploy: Client) -> CodeDeployDeployments:
    return CodeDeployDeployments(
        codedeploy,
        "sample",
        "sample",
        target="sample-cluster:sample",
        hooks={"BeforeInstall": "sample-before-install"},
        blueprint=lambda: Blueprint("app", 8080, None, None, ()),
    )


class Group:
    """A deployment group in memory, as far as listing and creating go."""

    def __init__(self, *known: dict[str, Any]) -> None:
        self.known = [*known]
        self.late: list[dict[str, Any]] = []  # known to all but the lists

    def names(self, includeOnlyStatuses: Any = None, **_: Any) -> dict[str, Any]:
        return {
            "deployments": [
                one["deploymentId"]
                for one in self.known
                if includeOnlyStatuses is None or one["status"] in includeOnlyStatuses
            ]
        }

    def get(self, deploymentIds: list[str]) -> dict[str, Any]:
        every = {one["deploymentId"]: one for one in (*self.known, *self.late)}
        return {"deploymentsInfo": [every[one] for one in deploymentIds]}

    def api(self, create: Any) -> Api:
        return Api(
            "codedeploy",
            list_deployments=self.names,
            batch_get_deployments=self.get,
            create_deployment=create,
        )


def start(api: Api) -> Any:
    return begin(deployments(api))


def begin(ours: CodeDeployDeployments) -> Started:
    return ours.start(ARN, "CodeDeployDefault.X", "new menu", EXECUTION, SINCE)


def test_a_deployment_carries_its_appspec_with_hooks_and_its_mark() -> None:
    api = Group().api({"deploymentId": "d-NEW"})
    assert start(api).id == "d-NEW"
    (asked,) = api.asked("create_deployment")
    assert asked["description"] == describe("new menu", mark_for(EXECUTION, ARN))
    spec = json.loads(asked["revision"]["appSpecContent"]["content"])
    assert spec["Hooks"] == [{"BeforeInstall": "sample-before-install"}]


@pytest.mark.parametrize("status", ["InProgress", "Failed"])
def test_what_an_earlier_try_of_the_execution_started_is_adopted(status: str) -> None:
    mine = describe("new menu", mark_for(EXECUTION, ARN))
    group = Group({"deploymentId": "d-MINE", "status": status, "description": mine})
    api = group.api({"deploymentId": "d-NEW"})
    started = start(api)
    assert (started.id, started.adopted) == ("d-MINE", True)
    assert not api.asked("create_deployment")


def test_anothers_deployment_is_named_and_nothing_is_started() -> None:
    group = Group({"deploymentId": "d-OTHER", "status": "InProgress", "description": "by hand"})
    api = group.api({"deploymentId": "d-NEW"})
    with pytest.raises(DeploymentActive, match=r"d-OTHER .*by hand"):
        start(api)
    assert not api.asked("create_deployment")


def test_one_that_was_started_in_between_is_named_as_well() -> None:
    group = Group()

    def create(**_: Any) -> Exception:
        group.known.append({"deploymentId": "d-OTHER", "status": "Created"})
        return refusal("DeploymentLimitExceededException")

    with pytest.raises(DeploymentActive, match="d-OTHER"):
        start(group.api(create))


def succeeded(number: int, revision: int, over: int, **more: Any) -> dict[str, Any]:
    family = ARN.removesuffix("12")
    mark = mark_for(f"e{number}", f"{family}{revision}", f"{family}{over}")
    return {
        "deploymentId": f"d-{number}",
        "status": "Succeeded",
        "createTime": datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=number),
        "description": describe("", mark),
        **more,
    }


def test_what_ended_well_is_told_newest_first_whatever_the_order_of_lists() -> None:
    again = [succeeded(number, 9, 9) for number in range(10, 60)]
    undo = {"rollbackInfo": {"rollbackTriggeringDeploymentId": "d-8"}}
    failed = {**succeeded(8, 8, 7), "status": "Failed"}
    by_hand = {**succeeded(61, 5, 9), "description": "by hand"}
    undone = succeeded(6, 7, 8, **undo)
    known = [succeeded(7, 7, 1), *again, by_hand, failed, succeeded(9, 9, 7), undone]
    api = Group(*known).api(refusal("Nothing"))
    told = deployments(api).ended_well()
    assert told == (*[Deployed(9, 9)] * 50, Deployed(9, 7), Deployed(7, 1))
    assert previous(9, told) == 7
    assert all(len(one["deploymentIds"]) <= 25 for one in api.asked("batch_get_deployments"))


@pytest.mark.parametrize("ignored", [False, True])
def test_a_deployment_that_no_alarm_stops_says_so_to_codedeploy(ignored: bool) -> None:
    api = Group().api({"deploymentId": "d-NEW"})
    deployments(api).start(
        ARN, "CodeDeployDefault.X", "back", EXECUTION, SINCE, ignore_alarms=ignored
    )
    (asked,) = api.asked("create_deployment")
    override = {"enabled": False} if ignored else None
    assert asked.get("overrideAlarmConfiguration") == override
    told = {"overrideAlarmConfiguration": override} if ignored else {}
    assert looked_at({"status": "InProgress", **told}).ignores_alarms is ignored


def lost_reply(group: Group, *, seen: bool) -> Any:
    """CodeDeploy that starts the deployment and is not heard; ``seen``: its lists tell at once."""

    def create(description: str, **_: Any) -> Exception:
        if not group.late:
            one = {"deploymentId": "d-MINE00001", "status": "Created", "description": description}
            (group.known if seen else group.late).append(one)
            group.late = group.late or [one]
            error: Exception
            error = botocore.exceptions.ReadTimeoutError(endpoint_url="https://codedeploy")
            return error
        error = botocore.exceptions.ClientError(
            {
                "Error": {
                    "Code": "DeploymentLimitExceededException",
                    "Message": "The Deployment Group 'sample' already has an active Deployment "
                    "'d-MINE00001'",
                }
            },
            "CreateDeployment",
        )
        return error

    return create


@pytest.mark.parametrize("seen", [True, False])
def test_a_lost_reply_is_found_again_by_the_next_try(seen: bool) -> None:
    group = Group()
    api = group.api(lost_reply(group, seen=seen))
    with pytest.raises(Transient):
        start(api)
    started = start(api)
    assert (started.id, started.adopted) == ("d-MINE00001", True)


def test_a_lost_reply_costs_one_deployment_with_the_real_sdk() -> None:
    """botocore's own second request would be refused because of the first."""
    group = Group()
    asked: list[str] = []

    def answer(operation: str, body: bytes) -> Reply:
        asked.append(operation)
        given = json.loads(body)
        if operation == "ListDeployments":
            return reply(group.names(given.get("includeOnlyStatuses")))
        if operation == "BatchGetDeployments":
            return reply(group.get(given["deploymentIds"]))
        if group.known:
            return reply({"__type": "DeploymentLimitExceededException", "message": "one"}, 400)
        one = {"deploymentId": "d-MINE00001", "status": "Created"}
        group.known.append({**one, "description": given["description"]})
        return DROPPED

    with serving(answer) as url:
        ours = over(client("codedeploy", url))
        with pytest.raises(Transient, match="no reply"):
            begin(ours)
        assert begin(ours) == Started("d-MINE00001", adopted=True)
    assert asked.count("CreateDeployment") == 1


def reply(document: dict[str, Any], status: int = 200) -> Reply:
    return Reply(json.dumps(document).encode(), status)


def test_our_own_that_only_the_list_of_what_runs_tells_is_adopted() -> None:
    """The lists are behind, each for itself."""
    mine = describe("new menu", mark_for(EXECUTION, ARN))
    group = Group({"deploymentId": "d-MINE", "status": "InProgress", "description": mine})
    api = group.api({"deploymentId": "d-NEW"})
    api.answers["list_deployments"] = lambda includeOnlyStatuses=None, **_: {
        "deployments": ["d-MINE"] if includeOnlyStatuses else []
    }
    assert start(api).id == "d-MINE"
    assert not api.asked("create_deployment")


def test_a_limit_that_nobody_can_be_blamed_for_is_not_known() -> None:
    with pytest.raises(Transient, match="tells of none"):
        start(Group().api(refusal("DeploymentLimitExceededException")))


def test_other_refusals_keep_codedeploys_words() -> None:
    with pytest.raises(DeploymentRefused, match="DeploymentConfigDoesNotExistException was said"):
        start(Group().api(refusal("DeploymentConfigDoesNotExistException")))


def test_a_throttle_is_transient() -> None:
    with pytest.raises(Transient, match="create_deployment"):
        start(Group().api(refusal("ThrottlingException")))


def looked_at(info: dict[str, Any], target: Any = None) -> Any:
    api = Api(
        "codedeploy",
        get_deployment={"deploymentInfo": info},
        get_deployment_target=target or refusal("DeploymentNotStartedException"),
    )
    return deployments(api).look("d-1")


def test_a_running_deployment_is_told_stage_by_stage() -> None:
    target = {
        "deploymentTarget": {
            "deploymentTargetType": "ECSTarget",
            "ecsTarget": {
                "lifecycleEvents": [
                    {"lifecycleEventName": "BeforeInstall", "status": "Succeeded"},
                    {
                        "lifecycleEventName": "AfterInstall",
                        "status": "Failed",
                        "diagnostics": {"errorCode": "UnknownError", "message": "said no"},
                    },
                    {"lifecycleEventName": "AllowTraffic", "status": "Pending"},
                ],
                "taskSetsInfo": [
                    {"taskSetLabel": "Blue", "trafficWeight": 70.0},
                    {"taskSetLabel": "Green", "trafficWeight": 30.0},
                ],
            },
        }
    }
    description = describe("", mark_for(EXECUTION, ARN))
    rollout = looked_at({"status": "InProgress", "description": description}, target)
    assert rollout.progress is Progress.RUNNING
    assert rollout.stages == (
        Stage("BeforeInstall", StageStatus.DONE),
        Stage("AfterInstall", StageStatus.FAILED, "said no"),
        Stage("AllowTraffic", StageStatus.PENDING),
    )
    assert rollout.traffic == Traffic(70, 30)
    assert rollout.revision == 12


@pytest.mark.parametrize(
    ("status", "code", "by"),
    [
        ("Stopped", "ALARM_ACTIVE", EndedBy.ALARM),
        ("Stopped", "MANUAL_STOP", EndedBy.REQUEST),
        ("Stopped", None, EndedBy.REQUEST),
        ("Failed", "HOOK_EXECUTION_FAILURE", EndedBy.CHECK),
        ("Failed", "TIMEOUT", EndedBy.ENGINE),
    ],
)
def test_an_end_has_its_reason_and_its_rollback(status: str, code: str | None, by: str) -> None:
    info: dict[str, Any] = {
        "status": status,
        "rollbackInfo": {"rollbackDeploymentId": "d-2"},
    }
    if code:
        info["errorInformation"] = {"code": code, "message": "so"}
    rollout = looked_at(info)
    assert rollout.ended_by is by
    assert rollout.undone_by == "d-2"
    assert rollout.message == (f"so ({code})" if code else "")


def test_a_deployment_nobody_knows_is_a_missing_resource() -> None:
    api = Api("codedeploy", get_deployment=refusal("DeploymentDoesNotExistException"))
    with pytest.raises(MissingResource, match="d-9"):
        deployments(api).look("d-9")


def test_stopping_asks_for_the_rollback_and_an_end_is_no_error() -> None:
    api = Api("codedeploy", stop_deployment=refusal("DeploymentAlreadyCompletedException"))
    deployments(api).stop("d-1")
    assert api.asked("stop_deployment") == [{"deploymentId": "d-1", "autoRollbackEnabled": True}]
