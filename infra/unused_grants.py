"""What is granted though no recorded rehearsal used it, each with its reason.

``tests/infra/test_grants.py`` holds that everything else that is granted was used, and that nothing
stands here that was.
"""

from __future__ import annotations

from collections.abc import Mapping

from infra.function_specs import SPECS
from infra.grants import NETWORK_INTERFACES, TRACING

_LAMBDA = "Lambda itself does it in the function's name; a rehearsal's functions are processes"
_BUILD = "stops a build that its execution left running"
_REVISION = "CodeDeploy asks for it when CreateDeployment brings the revision along"
_PREVIOUS = "looks for what was deployed well before what serves, where a request says previous"
_IN_THE_WAY = "asked whether another deployment, begun meanwhile, is why the cluster is not well"
_UNWATCHED = "CodeDeploy asks for it where a deployment, a way back, shall not be stopped by alarms"
_REGISTER = "ECS asks for it when a revision with tags or roles is registered"
_SCALES = "Application Auto Scaling asks whether who registers a target may do what it will do"
_UNCHECKED = (
    "asked about a task that runs and has no health yet, as a new one: whether it is checked"
)
_LETTERS = "Lambda itself keeps there what the function failed at"
_DIES = "Lambda hands the hook's record to the watchdog; a rehearsal kills two of the five hooks"
_UNRECONCILED = "tells people of votes that cannot follow the tasks, between deployments"
_ANOTHER = "asked about deployments that are under way where none should be"
_STRAY_VOTE = "green voted before it was to: the votes there are get locked before green ends"
_STOPS = "stops a deployment that was created by a state that failed after that"
_RESUMES = "a hand-back that somebody stopped, and that the watchdog did not resume, is resumed"
_OVER = "gives locks back when the execution that died had no deployment under way"
_REFUSES = "the hook says no by itself when the hand-over cannot be started"

EVERYWHERE: Mapping[str, str] = dict.fromkeys(TRACING, _LAMBDA)
"""Granted to every function."""

IN_THE_NETWORK: Mapping[str, str] = dict.fromkeys(NETWORK_INTERFACES, _LAMBDA)
"""Granted to what reaches nodes."""

_HEALTH: Mapping[str, str] = {"ecs:DescribeTaskDefinition": _UNCHECKED}
_HOOK: Mapping[str, str] = {**_HEALTH, "lambda:InvokeFunction": _DIES}
_CLEANS_UP: Mapping[str, str] = {
    **_HEALTH,
    "ecs:UpdateService": _SCALES,
    "codedeploy:BatchGetDeployments": _ANOTHER,
}
_STOPS_A_BUILD: Mapping[str, str] = dict.fromkeys(
    ("codebuild:BatchGetBuilds", "codebuild:StopBuild"), _BUILD
)
_ANSWER: Mapping[str, str] = dict.fromkeys(
    (
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    ),
    _REFUSES,
)

OWN: Mapping[str, Mapping[str, str]] = {
    "RegisterTaskDefinition": {
        "codedeploy:BatchGetDeployments": _PREVIOUS,
        "codedeploy:ListDeployments": _PREVIOUS,
        "ecs:TagResource": _REGISTER,
        "iam:PassRole": _REGISTER,
    },
    "VerifyRaft": {
        **_HEALTH,
        "codedeploy:BatchGetDeployments": _IN_THE_WAY,
        "codedeploy:ListDeployments": _IN_THE_WAY,
    },
    "CreateDeployment": {
        "codedeploy:GetApplicationRevision": _REVISION,
        "codedeploy:GetDeploymentConfig": _REVISION,
        "codedeploy:RegisterApplicationRevision": _REVISION,
        "codedeploy:UpdateDeploymentGroup": _UNWATCHED,
        "ecs:DescribeServices": _SCALES,
        "ecs:UpdateService": _SCALES,
    },
    "VerifyOutcome": _CLEANS_UP,
    "PollRollback": {**_HEALTH, "states:RedriveExecution": _RESUMES},
    "VerifyRollback": _CLEANS_UP,
    "NotifyFailed": {
        **_HEALTH,
        **_STOPS_A_BUILD,
        "codedeploy:StopDeployment": _STOPS,
        "ecs:UpdateService": _SCALES,
    },
    "Observe": {"codedeploy:BatchGetDeployments": _ANOTHER},
    "AnswerSucceeded": _HEALTH,
    "AnswerFailed": {
        **_HEALTH,
        "codedeploy:BatchGetDeployments": _ANOTHER,
        "sns:Publish": _UNRECONCILED,
    },
    "BeforeInstall": _HOOK,
    "AfterInstall": {**_HOOK, "ecs:UpdateTaskProtection": _STRAY_VOTE},
    "AfterAllowTestTraffic": _HOOK,
    "AfterAllowTraffic": {
        **_ANSWER,
        "states:DescribeExecution": "the hand-over was started before: for which question",
    },
    "Reconcile": {"sns:Publish": _UNRECONCILED, "sqs:SendMessage": _LETTERS},
    "Watchdog": {
        **_HEALTH,
        **_STOPS_A_BUILD,
        "codebuild:ListBuildsForProject": _BUILD,
        "ecs:UpdateService": _SCALES,
        "ecs:UpdateTaskProtection": _OVER,
        "sqs:SendMessage": _LETTERS,
    },
}
"""By state or hook."""


def unused(state: str) -> dict[str, str]:
    """Action → reason, for the function of ``state``."""
    spec = next(spec for spec in SPECS if spec.state == state)
    found = {**EVERYWHERE, **OWN.get(state, {})}
    if spec.reaches_nodes:
        found |= IN_THE_NETWORK
    return found
