"""What is granted though no recorded rehearsal used it, each with its reason.

``tests/infra/test_grants.py`` holds that everything else that is granted was used, and that nothing
stands here that was.
"""

from __future__ import annotations

from collections.abc import Mapping

from infra.function_specs import READ_SECRET, SPECS
from infra.grants import NETWORK_INTERFACES, TRACING

_LAMBDA = "Lambda itself does it in the function's name; a rehearsal's functions are processes"
_BUILD = "stops a build that its execution left running"
_REVISION = "CodeDeploy asks for it when CreateDeployment brings the revision along"
_PREVIOUS = "looks for what was deployed well before what serves, where a request says previous"
_SERVES = "who serves is measured before it is said"
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
_WAITS = "tells people that the way back stands still, which no rehearsal's does for so long"
_ANOTHER = "asked about deployments that are under way where none should be"
_STRAY_VOTE = "green voted before it was to: the votes there are get locked before green ends"
_STOPS = "stops a deployment that was created by a state that failed after that"
_RESUMES = "a hand-back that somebody stopped, and that the watchdog did not resume, is resumed"
_PLATFORMS = "of an image for several platforms ECS may tell the digest of the one that runs"
_OVER = "gives locks back when the execution that died had no deployment under way"
_REFUSES = "the hook says no by itself when the hand-over cannot be started"

_RECORD = "what was suspended before stands in a tag of the scalable target; not recorded yet"
_LOCKED = "what a task's protection was before a lock stands in its tag; not recorded yet"
_WHOSE = "whether votes and locks are still this deployment's; not recorded yet"

_DATABASE = "the keeper of a service whose nodes stand in a database; not recorded yet"
_KEEPS = "the keeper looked and found nothing to do; tests/workflows/test_kept.py shows each deed"

EVERYWHERE: Mapping[str, str] = dict.fromkeys(TRACING, _LAMBDA)
"""Granted to every function."""

IN_THE_NETWORK: Mapping[str, str] = dict.fromkeys(NETWORK_INTERFACES, _LAMBDA)
"""Granted to what reaches nodes."""

_HEALTH: Mapping[str, str] = {"ecs:DescribeTaskDefinition": _UNCHECKED}
_LOOKS: Mapping[str, str] = dict.fromkeys(
    ("codedeploy:GetDeployment", "codedeploy:GetDeploymentTarget"), _WHOSE
)
_LISTS: Mapping[str, str] = dict.fromkeys(
    ("codedeploy:BatchGetDeployments", "codedeploy:ListDeployments"), _WHOSE
)
_LOCKS: Mapping[str, str] = dict.fromkeys(("ecs:TagResource", "ecs:UntagResource"), _LOCKED)
_RESTORES: Mapping[str, str] = dict.fromkeys(
    (
        "application-autoscaling:ListTagsForResource",
        "application-autoscaling:UntagResource",
    ),
    _RECORD,
)
_HOOK: Mapping[str, str] = {**_HEALTH, "lambda:InvokeFunction": _DIES}
_MEASURES: Mapping[str, str] = dict.fromkeys(
    ("elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeTargetHealth"), _SERVES
)
_CLEANS_UP: Mapping[str, str] = {
    **_HEALTH,
    **_LOOKS,
    **_RESTORES,
    "ecs:TagResource": _LOCKED,
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

_DEEDS = (
    "application-autoscaling:RegisterScalableTarget",
    "codedeploy:PutLifecycleEventHookExecutionStatus",
    "codedeploy:StopDeployment",
    "ecs:UpdateService",
    "ecs:UpdateTaskProtection",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sns:Publish",
    "states:RedriveExecution",
    "states:StartExecution",
)
"""Of the keeper."""

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
        "ecs:UpdateService": _SCALES,
        "application-autoscaling:ListTagsForResource": _RECORD,
        "application-autoscaling:TagResource": _RECORD,
    },
    "PollDeployment": _LOCKS,
    "VerifyOutcome": _CLEANS_UP,
    "PollRollback": {
        **_HEALTH,
        "codedeploy:BatchGetDeployments": _WHOSE,
        "states:RedriveExecution": _RESUMES,
    },
    "VerifyRollback": _CLEANS_UP,
    "NotifyFailed": {
        **_MEASURES,
        **_HEALTH,
        **_STOPS_A_BUILD,
        **_RESTORES,
        **_LOCKS,
        "codedeploy:StopDeployment": _STOPS,
        "ecs:UpdateService": _SCALES,
    },
    "Observe": {"codedeploy:BatchGetDeployments": _ANOTHER},
    "Act": _LISTS,
    "Plan": {"sns:Publish": _WAITS},
    "AnswerSucceeded": {**_HEALTH, **_LISTS, "ecs:UntagResource": _LOCKED},
    "AnswerFailed": {
        **_HEALTH,
        **_LOOKS,
        **_LOCKS,
        "codedeploy:BatchGetDeployments": _ANOTHER,
        "sns:Publish": _UNRECONCILED,
    },
    "BeforeInstall": {**_HOOK, "ecs:UntagResource": _LOCKED},
    "AfterInstall": {**_HOOK, **_LOCKS, "ecs:UpdateTaskProtection": _STRAY_VOTE},
    "AfterAllowTestTraffic": _HOOK,
    "BeforeAllowTraffic": {"ecr:BatchGetImage": _PLATFORMS},
    "AfterAllowTraffic": {
        **_ANSWER,
        "states:DescribeExecution": "the hand-over was started before: for which question",
    },
    "Reconcile": {"sns:Publish": _UNRECONCILED, "sqs:SendMessage": _LETTERS},
    "Keep": {
        **_LOCKS,
        **_RESTORES,
        **dict.fromkeys(_DEEDS, _KEEPS),
        **dict.fromkeys(READ_SECRET, _DATABASE),
        "sqs:SendMessage": _LETTERS,
    },
    "Watchdog": {
        **_MEASURES,
        **_HEALTH,
        **_STOPS_A_BUILD,
        **_RESTORES,
        **_LOCKS,
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
