"""Who may start deployments from GitHub Actions: one environment of one repository.

GitHub's identity provider is one for the whole account, so the stack names it and does not make it
(docs/deploying.md).
"""

from __future__ import annotations

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.grants import Arns, allow
from infra.roles import role_of
from quorumshift.config import Configuration
from quorumshift.names import Names

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
"""What aws-actions/configure-aws-credentials asks a token for."""
LONGEST_HOURS = 6
"""As long as GitHub lets a job run, so that the longest deployment can be followed."""


class GitHub(Construct):
    """A role that starts executions of ``deploy`` and looks at them, and nothing else. To stop a
    deployment is not among it: that is for people, with credentials of their own."""

    def __init__(
        self, scope: Construct, configuration: Configuration, names: Names, arns: Arns
    ) -> None:
        super().__init__(scope, "GitHub")
        github = configuration.github
        provider = Stack.of(self).format_arn(
            service="iam", region="", resource="oidc-provider", resource_name=ISSUER
        )
        role = role_of(
            self,
            "Role",
            # GitHub writes the environment into the subject of a job that names one, in place of
            # branch or tag (GitHub documentation, "OpenID Connect reference", subject claims).
            iam.WebIdentityPrincipal(
                provider,
                {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": github.subject}},
            ),
            _statements(arns, names),
            description=f"GitHub Actions: starts and follows deployments of {names.service}",
            role_name=f"{names.root}-github",
            longest=Duration.hours(LONGEST_HOURS),
        )
        # Under this very name, whatever the constructs around it are called.
        CfnOutput(self, "RoleArn", value=role.role_arn).override_logical_id("GitHubRole")


def _statements(arns: Arns, names: Names) -> list[dict[str, object]]:
    executions = arns.executions(names.deploy)
    return [
        allow("states:StartExecution", arns.state_machine(names.deploy)),
        # The action lists nothing: this is for a step before it that asks whether one runs.
        allow("states:ListExecutions", arns.state_machine(names.deploy)),
        allow("states:DescribeExecution", executions),
        allow("states:GetExecutionHistory", executions),
    ]
