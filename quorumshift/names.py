"""What everything of a service is called: one name gives all the others, unless they are given."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

DEPLOY_STATES = (
    "ValidateRequest",
    "StartBuild",
    "PollBuild",
    "RegisterTaskDefinition",
    "VerifyRaft",
    "CreateDeployment",
    "NotifyStarted",
    "PollDeployment",
    "VerifyOutcome",
    "NotifySucceeded",
    "StopDeployment",
    "NotifyRollingBack",
    "PollRollback",
    "VerifyRollback",
    "NotifyRolledBack",
    "NotifyFailed",
)
HAND_OVER_STATES = ("Observe", "Plan", "Act", "AnswerSucceeded", "AnswerFailed")
HOOKS = (
    "BeforeInstall",
    "AfterInstall",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
)
WATCHDOG = "Watchdog"
RECONCILE = "Reconcile"
KEEP = "Keep"
OF_EVENTS = (WATCHDOG, RECONCILE, KEEP)
"""What EventBridge calls."""
FUNCTIONS = (*DEPLOY_STATES, *HAND_OVER_STATES, *HOOKS, *OF_EVENTS)
"""Those that every service has."""
SLACK = "Slack"
"""The one that a service has whose configuration names a webhook."""
PACKAGES = (*FUNCTIONS, SLACK)


def kebab(state: str) -> str:
    """``VerifyRaft`` → ``verify-raft``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", state).lower()


def snake(state: str) -> str:
    """``VerifyRaft`` → ``verify_raft``."""
    return kebab(state).replace("-", "_")


def module(state: str) -> str:
    """The module that holds a state's or hook's handler: ``tasks.hooks.before_install``."""
    return f"tasks.hooks.{snake(state)}" if state in HOOKS else f"tasks.{snake(state)}"


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one service's resources in AWS.

    ``root``: ``service.name`` of the configuration. ``service``: the ECS service. ``cluster``: the
    ECS cluster. ``family``: of the task definitions. ``application``, ``deployment_group``:
    CodeDeploy's. ``repository``: in ECR. ``topic``: the SNS topic for people. Those that are not
    given are made from the root, as all the others always are.
    """

    root: str
    service: str = ""
    cluster: str = ""
    family: str = ""
    application: str = ""
    deployment_group: str = ""
    repository: str = ""
    topic: str = ""

    def __post_init__(self) -> None:
        own = {"cluster": f"{self.root}-cluster", "topic": f"{self.root}-deployments"}
        for name in fields(self):
            if not getattr(self, name.name):
                object.__setattr__(self, name.name, own.get(name.name, self.root))

    @property
    def project(self) -> str:
        """The CodeBuild project."""
        return f"{self.root}-build"

    @property
    def deploy(self) -> str:
        """The state machine that deploys."""
        return f"{self.root}-deploy"

    @property
    def hand_over(self) -> str:
        """The state machine that hands the votes over."""
        return f"{self.root}-hand-over"

    @property
    def canary(self) -> str:
        """The schedule that deploys the current revision again."""
        return f"{self.root}-canary"

    @property
    def keeper(self) -> str:
        """The schedule that calls the keeper."""
        return f"{self.root}-keeper"

    @property
    def balancer(self) -> str:
        """The load balancer."""
        return self.root

    @property
    def blue(self) -> str:
        """The target group that serves first; the two change places with every deployment."""
        return f"{self.root}-blue"

    @property
    def green(self) -> str:
        """The other target group."""
        return f"{self.root}-green"

    @property
    def undelivered(self) -> str:
        """The queue of events that could not be delivered."""
        return f"{self.root}-undelivered"

    @property
    def hook_prefix(self) -> str:
        """What a hook's function begins with."""
        return f"{self.root}-"

    def function(self, state: str) -> str:
        """The function of a state or a hook, the watchdog, or what reconciles."""
        return f"{self.root}-{kebab(state)}"

    def secret(self, name: str) -> str:
        """A secret's name in Secrets Manager."""
        return f"{self.root}/{name}"
