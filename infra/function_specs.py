"""What each function needs: time, memory, the network, and which actions of AWS."""

from __future__ import annotations

from dataclasses import dataclass

from quorumshift.names import SLACK


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """``state``: the state or hook. ``does``: one line for the console. ``actions``: IAM actions;
    ``infra/grants.py`` knows on what. ``reaches_nodes``: runs in the VPC. ``settles``: waits for
    the cluster, so that the policy's times are added to ``timeout_seconds``. A state's own
    TimeoutSeconds is a little longer, so that a function that is late is Lambda's error and
    names the function. ``reserved``: how many of it may run at once whatever else the account
    runs, and no more; 0: as the account has room."""

    state: str
    does: str
    actions: tuple[str, ...] = ()
    reaches_nodes: bool = False
    settles: bool = False
    timeout_seconds: int = 50
    memory: int = 256
    reserved: int = 0


TAG_A_TASK = "ecs:TagResource#task"
"""Of a task that runs. Without the word behind ``#``: of a revision, when it is registered."""


def action_of(granted: str) -> str:
    """The IAM action, without what tells two grants of it apart."""
    return granted.partition("#")[0]


_OBSERVE = (
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeTaskSets",
    "ecs:DescribeTasks",
    "ecs:GetTaskProtection",
    "ecs:ListTasks",
)
# What a task's protection was before stands in its tag.
_LOCK = (
    *("ecs:DescribeTasks", "ecs:GetTaskProtection", TAG_A_TASK, "ecs:UntagResource"),
    "ecs:UpdateTaskProtection",
)
_LOOK = ("codedeploy:GetDeployment", "codedeploy:GetDeploymentTarget")
_LIST = ("codedeploy:BatchGetDeployments", "codedeploy:ListDeployments")
_SCALE = (
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:ListTagsForResource",
    "application-autoscaling:RegisterScalableTarget",
    # Who registers a scalable target must be allowed to do what it will do (Application Auto
    # Scaling User Guide, "Identity-based policy examples", "ECS services").
    "ecs:DescribeServices",
    "ecs:UpdateService",
)
_SUSPEND = (*_SCALE, "application-autoscaling:TagResource")
_RESTORE = (*_SCALE, "application-autoscaling:UntagResource")
_READ_EVIDENCE = ("logs:GetLogEvents",)
_ANSWER = (
    "codedeploy:PutLifecycleEventHookExecutionStatus",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
)
_HAND_OVERS = ("states:DescribeExecution", "states:StartExecution")
_RESUME = ("states:RedriveExecution",)
_NOTIFY = ("sns:Publish",)
TELLING_SECONDS = 10
"""For a message on the way, which the deployment waits for."""
PATIENT_SECONDS = 900
"""Lambda's longest: for what waits inside for an AWS that does not answer
(``quorumshift/usecases/patience.py``)."""
READ_SECRET = ("secretsmanager:GetSecretValue",)
"""Of what reaches nodes, where their ids stand in the service's own table."""
# Ending a deployment that went wrong, and giving back locks and scaling.
_MEASURE = ("elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeTargetHealth")
_CLEAN_UP = (*_OBSERVE, *_LOCK, *_LIST, *_LOOK, *_RESTORE)
_END = (
    *(*_CLEAN_UP, "codedeploy:StopDeployment"),
    *("codebuild:BatchGetBuilds", "codebuild:ListBuildsForProject", "codebuild:StopBuild"),
)

_RESERVED = 2
"""For what cannot wait: CodeDeploy gives a hook an hour, and the watchdog comes when others fail.
One for the deployment that runs, one for the last of another that does not end."""

_DEPLOY = (
    FunctionSpec("ValidateRequest", "Checks the request before anything is touched", _LIST),
    FunctionSpec(
        "StartBuild",
        "Starts the build of a commit",
        ("codebuild:BatchGetProjects", "codebuild:StartBuild"),
    ),
    FunctionSpec("PollBuild", "Looks at the build", ("codebuild:BatchGetBuilds",)),
    FunctionSpec(
        "RegisterTaskDefinition",
        "Finds or makes the revision to deploy",
        (
            *_LIST,
            "ecr:DescribeImages",
            "ecs:DescribeTaskDefinition",
            "ecs:DescribeTaskSets",
            "ecs:ListTaskDefinitions",
            "ecs:RegisterTaskDefinition",
            "ecs:TagResource",
            "iam:PassRole",
        ),
    ),
    FunctionSpec(
        "VerifyRaft",
        "Waits until the Raft cluster is healthy and stable",
        (*_OBSERVE, *_LIST),
        reaches_nodes=True,
        settles=True,
    ),
    FunctionSpec(
        "CreateDeployment",
        "Starts the deployment, or adopts the one this execution started before",
        (
            *_LIST,
            *_SUSPEND,
            "states:ListExecutions",
            "codedeploy:CreateDeployment",
            # CreateDeployment asks for these three where the call itself brings the revision.
            "codedeploy:GetApplicationRevision",
            "codedeploy:GetDeploymentConfig",
            "codedeploy:RegisterApplicationRevision",
            # And for this one where the deployment shall not be stopped by alarms.
            "codedeploy:UpdateDeploymentGroup",
            "ecs:DescribeTaskSets",
        ),
    ),
    FunctionSpec(
        "NotifyStarted",
        "Tells people that a deployment has begun",
        _NOTIFY,
        timeout_seconds=TELLING_SECONDS,
    ),
    FunctionSpec(
        "PollDeployment",
        "Looks at stages, traffic, alarms, tasks, evidence and Raft cluster",
        (
            *_OBSERVE,
            *_LOCK,
            *_LOOK,
            *_READ_EVIDENCE,
            "cloudwatch:DescribeAlarms",
            "codedeploy:GetDeploymentGroup",
        ),
        reaches_nodes=True,
        timeout_seconds=110,
    ),
    FunctionSpec(
        "VerifyOutcome",
        "Checks that the old members are gone and the cluster is healthy; gives locks back",
        (*_CLEAN_UP, *_READ_EVIDENCE, *_MEASURE),
        reaches_nodes=True,
        settles=True,
    ),
    FunctionSpec("NotifySucceeded", "Tells people that it is deployed", _NOTIFY),
    FunctionSpec(
        "StopDeployment",
        "Stops the deployment, with roll-back",
        (*_LOOK, "codedeploy:StopDeployment"),
    ),
    FunctionSpec(
        "NotifyRollingBack",
        "Tells people that the deployment is being rolled back, and why",
        _NOTIFY,
        timeout_seconds=TELLING_SECONDS,
    ),
    FunctionSpec(
        "PollRollback",
        "Follows the roll-back to its own end; calls the votes home first",
        (*_OBSERVE, *_LOOK, *_LIST, *_HAND_OVERS, *_RESUME),
        reaches_nodes=True,
        timeout_seconds=110,
    ),
    FunctionSpec(
        "VerifyRollback",
        "Checks the old Raft cluster after the roll-back; gives locks back",
        (*_CLEAN_UP, *_READ_EVIDENCE, *_MEASURE),
        reaches_nodes=True,
        settles=True,
    ),
    FunctionSpec("NotifyRolledBack", "Tells people that it was rolled back, and why", _NOTIFY),
    FunctionSpec(
        "NotifyFailed",
        "Leaves things safe and tells people how they stand",
        (*_END, *_NOTIFY, *_MEASURE),
        reaches_nodes=True,
        timeout_seconds=110,
    ),
)

_HAND_OVER = (
    FunctionSpec(
        "Observe",
        "Takes one look at nodes, votes and locks",
        (*_OBSERVE, *_LOOK, *_LIST),
        reaches_nodes=True,
    ),
    FunctionSpec(
        "Plan",
        "Decides the next step of the hand-over; tells people where the way back waits",
        _NOTIFY,
        memory=512,
    ),
    FunctionSpec(
        "Act",
        "Makes one change of locks or membership",
        (*_LOCK, *_LOOK, *_LIST),
        reaches_nodes=True,
        timeout_seconds=290,
    ),
    FunctionSpec(
        "AnswerSucceeded",
        "Looks once more, locks all votes, then tells CodeDeploy that blue may end",
        (*_OBSERVE, *_LOCK, *_LOOK, *_LIST, *_ANSWER),
        reaches_nodes=True,
    ),
    FunctionSpec(
        "AnswerFailed",
        "Tells CodeDeploy to roll back, if it asked; tells people, if nobody did",
        (*_OBSERVE, *_LOCK, *_LOOK, *_LIST, *_ANSWER, *_NOTIFY),
        reaches_nodes=True,
    ),
)

_HOOKS = (
    FunctionSpec(
        "BeforeInstall",
        "Checks the Raft cluster and locks its votes",
        (*_OBSERVE, *_LOCK, *_LOOK, *_ANSWER),
        reaches_nodes=True,
        timeout_seconds=PATIENT_SECONDS,
        reserved=_RESERVED,
    ),
    FunctionSpec(
        "AfterInstall",
        "Checks that green runs, is healthy and has no vote",
        (*_OBSERVE, *_LOCK, *_LOOK, *_ANSWER),
        reaches_nodes=True,
        timeout_seconds=PATIENT_SECONDS,
        reserved=_RESERVED,
    ),
    FunctionSpec(
        "AfterAllowTestTraffic",
        "Sends real requests through the test listener",
        (
            *_OBSERVE,
            *_LOOK,
            *_ANSWER,
            *_MEASURE,
        ),
        reaches_nodes=True,
        timeout_seconds=PATIENT_SECONDS,
        reserved=_RESERVED,
    ),
    FunctionSpec(
        "BeforeAllowTraffic",
        "Checks the Raft cluster, and that green is what was asked for",
        (*_OBSERVE, *_LOOK, *_ANSWER, "ecr:BatchGetImage", "ecr:DescribeImages"),
        reaches_nodes=True,
        timeout_seconds=PATIENT_SECONDS,
        reserved=_RESERVED,
    ),
    FunctionSpec(
        "AfterAllowTraffic",
        "Starts the hand-over, which answers CodeDeploy",
        (*_LOOK, *_ANSWER, *_HAND_OVERS),
        timeout_seconds=PATIENT_SECONDS,
        reserved=_RESERVED,
    ),
)

_WATCHDOG = FunctionSpec(
    "Watchdog",
    "Resumes or cleans up after an execution or a hook that was ended before it could",
    (*_END, *_ANSWER, *_HAND_OVERS, *_RESUME, *_NOTIFY, *_MEASURE),
    reaches_nodes=True,
    timeout_seconds=PATIENT_SECONDS,
    reserved=_RESERVED,
)

_RECONCILE = FunctionSpec(
    "Reconcile",
    "Has the votes follow the tasks between deployments",
    (*_OBSERVE, *_LIST, "states:ListExecutions", "states:StartExecution", *_NOTIFY),
    reaches_nodes=True,
    timeout_seconds=PATIENT_SECONDS,
)

KEEPS = (
    *(*_CLEAN_UP, *_ANSWER, *_HAND_OVERS, *_RESUME, *_NOTIFY),
    *("codedeploy:StopDeployment", "states:ListExecutions"),
)
_KEEP = FunctionSpec(
    "Keep",
    "Guards what is left without somebody who acts: locks, votes, scaling, a deployment",
    KEEPS,
    reaches_nodes=True,
    timeout_seconds=290,  # less than the pace of its schedule
)

SPECS = (*_DEPLOY, *_HAND_OVER, *_HOOKS, _WATCHDOG, _RECONCILE, _KEEP)
"""Of the functions that every service has."""
SLACK_SPEC = FunctionSpec(
    # Outside of the VPC, because it must reach the internet. Its secret is not the one that
    # READ_SECRET is about elsewhere, so infra/functions.py grants it.
    SLACK,
    "Posts what is published to the topic to a Slack channel",
    timeout_seconds=80,
)
