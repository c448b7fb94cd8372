"""What everything of a service is called. One name, the service's, gives all the others."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEPLOY_STATES = (
    "ValidateRequest",
    "StartBuild",
    "PollBuild",
    "RegisterTaskDefinition",
    "VerifyRaft",
    "CreateDeployment",
    "PollDeployment",
    "VerifyOutcome",
    "NotifySucceeded",
    "StopDeployment",
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
FUNCTIONS = (*DEPLOY_STATES, *HAND_OVER_STATES, *HOOKS, WATCHDOG)


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
    """The names of one service's resources in AWS."""

    service: str

    @property
    def cluster(self) -> str:
        """The ECS cluster."""
        return f"{self.service}-cluster"

    @property
    def family(self) -> str:
        """The task definition's family."""
        return self.service

    @property
    def application(self) -> str:
        """The CodeDeploy application."""
        return self.service

    @property
    def deployment_group(self) -> str:
        """The CodeDeploy deployment group."""
        return self.service

    @property
    def repository(self) -> str:
        """The ECR repository."""
        return self.service

    @property
    def topic(self) -> str:
        """The SNS topic for people."""
        return f"{self.service}-deployments"

    @property
    def project(self) -> str:
        """The CodeBuild project."""
        return f"{self.service}-build"

    @property
    def deploy(self) -> str:
        """The state machine that deploys."""
        return f"{self.service}-deploy"

    @property
    def hand_over(self) -> str:
        """The state machine that hands the votes over."""
        return f"{self.service}-hand-over"

    @property
    def hook_prefix(self) -> str:
        """What a hook's function begins with."""
        return f"{self.service}-"

    def function(self, state: str) -> str:
        """The function of a state, a hook or the watchdog."""
        return f"{self.service}-{kebab(state)}"

    def secret(self, name: str) -> str:
        """A secret's name in Secrets Manager."""
        return f"{self.service}/{name}"
