"""What is granted though no recorded rehearsal used it, each with its reason.

``tests/infra/test_grants.py`` holds that everything else that is granted was used, and that nothing
stands here that was.
"""

from __future__ import annotations

from collections.abc import Mapping

from infra.function_specs import SPECS
from infra.grants import NETWORK_INTERFACES, TRACING
from quorumshift.names import HOOKS

_LAMBDA = "Lambda itself does it in the function's name; a rehearsal's functions are processes"
_BUILD = "stops a build that its execution left running"
_REVISION = "CodeDeploy asks for it when CreateDeployment brings the revision along"
_REGISTER = "ECS asks for it when a revision with tags or roles is registered"
_SCALES = "Application Auto Scaling asks whether who registers a target may do what it will do"
_NO_TARGET = "the recorded services had no scalable target, to be suspended and resumed"
_UNCHECKED = "asked about a task whose health is unknown: whether anything checks it"
_MAY_SKIP = "asked by a request that would rather not run while another deployment does"
_LETTERS = "Lambda itself keeps there what the function failed at"
_UNRECONCILED = "tells people of votes that cannot follow the tasks, between deployments"
_ANOTHER = "asked about deployments that are under way where none should be"
_STRAY_VOTE = "green voted before it was to: the votes there are get locked before green ends"
_RELEASES = "gives locks back after a deployment that failed with the votes where they belong"
_STOPS = "stops a deployment that its execution left running"
_RESUMES = "a hand-back that somebody stopped is resumed"
_TABLE = "the rehearsals in which it looks at nodes were of a service without a table of servers"
_OVER = "gives scaling and locks back when the execution that died had no deployment under way"
_DIES = "answers for a hook or a hand-over that was killed; what raises answers for itself"
_REFUSES = "the hook says no by itself when the hand-over cannot be started"

EVERYWHERE: Mapping[str, str] = dict.fromkeys(TRACING, _LAMBDA)
"""Granted to every function."""

IN_THE_NETWORK: Mapping[str, str] = dict.fromkeys(NETWORK_INTERFACES, _LAMBDA)
"""Granted to what reaches nodes."""

OF_HOOKS: Mapping[str, str] = {"lambda:InvokeFunction": "Lambda hands a dead hook to the watchdog"}

_HEALTH: Mapping[str, str] = {"ecs:DescribeTaskDefinition": _UNCHECKED}
_RESUME_SCALING: Mapping[str, str] = {
    "application-autoscaling:RegisterScalableTarget": _NO_TARGET,
    "ecs:UpdateService": _SCALES,
}
_CLEANS_UP: Mapping[str, str] = {
    **_HEALTH,
    **_RESUME_SCALING,
    "codedeploy:BatchGetDeployments": _ANOTHER,
}
_STOPS_A_BUILD: Mapping[str, str] = dict.fromkeys(
    ("codebuild:BatchGetBuilds", "codebuild:ListBuildsForProject", "codebuild:StopBuild"), _BUILD
)
_ANSWER: Mapping[str, str] = dict.fromkeys(
    (
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    ),
    _REFUSES,
)
_ANSWER_FOR_THE_DEAD: Mapping[str, str] = dict.fromkeys(_ANSWER, _DIES)

OWN: Mapping[str, Mapping[str, str]] = {
    "ValidateRequest": {
        "codedeploy:BatchGetDeployments": _MAY_SKIP,
        "codedeploy:ListDeployments": _MAY_SKIP,
    },
    "RegisterTaskDefinition": {"ecs:TagResource": _REGISTER, "iam:PassRole": _REGISTER},
    "VerifyRaft": _HEALTH,
    "CreateDeployment": {
        "ecs:UpdateService": _SCALES,
        "codedeploy:BatchGetDeployments": _ANOTHER,
        "codedeploy:GetApplicationRevision": _REVISION,
        "codedeploy:GetDeploymentConfig": _REVISION,
        "codedeploy:RegisterApplicationRevision": _REVISION,
        "ecs:DescribeServices": _SCALES,
    },
    "VerifyOutcome": {
        **_HEALTH,
        "ecs:UpdateService": _SCALES,
        "codedeploy:BatchGetDeployments": _ANOTHER,
    },
    "PollRollback": {**_HEALTH, "states:RedriveExecution": _RESUMES},
    "VerifyRollback": _CLEANS_UP,
    "NotifyFailed": {
        **_CLEANS_UP,
        **_STOPS_A_BUILD,
        "codedeploy:GetDeployment": _STOPS,
        "codedeploy:GetDeploymentTarget": _STOPS,
        "codedeploy:StopDeployment": _STOPS,
        "ecs:UpdateTaskProtection": _RELEASES,
    },
    "Observe": {**_HEALTH, "codedeploy:BatchGetDeployments": _ANOTHER},
    "AnswerSucceeded": _HEALTH,
    "AnswerFailed": {
        **_HEALTH,
        "codedeploy:BatchGetDeployments": _ANOTHER,
        "sns:Publish": _UNRECONCILED,
    },
    "BeforeInstall": _HEALTH,
    "AfterInstall": {**_HEALTH, "ecs:UpdateTaskProtection": _STRAY_VOTE},
    "AfterAllowTestTraffic": _HEALTH,
    "AfterAllowTraffic": {
        **_ANSWER,
        "states:DescribeExecution": "the hand-over was started before: for which question",
    },
    "Reconcile": {"sns:Publish": _UNRECONCILED, "sqs:SendMessage": _LETTERS},
    "Watchdog": {
        **_HEALTH,
        **_STOPS_A_BUILD,
        **_ANSWER_FOR_THE_DEAD,
        **_RESUME_SCALING,
        "application-autoscaling:DescribeScalableTargets": _OVER,
        "codedeploy:StopDeployment": _STOPS,
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
    if state in HOOKS:
        found |= OF_HOOKS
    return found
