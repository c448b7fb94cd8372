"""The rules that clean up after an execution that could not do it itself.

No Catch runs when an execution is stopped or times out from outside. A hand-over that has failed
may also have left CodeDeploy without an answer; one that has answered loses nothing by a second.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.grants import Arns
from quorumshift.names import Names

_FROM_OUTSIDE = ("ABORTED", "TIMED_OUT")


class Watchdog(Construct):
    """Step Functions' status change events → the function ``Watchdog``."""

    def __init__(
        self, scope: Construct, names: Names, arns: Arns, function: lambda_.IFunction
    ) -> None:
        super().__init__(scope, "WatchdogRules")
        self._arns = arns
        self._function = function
        self._rule("Deploy", names.deploy, _FROM_OUTSIDE)
        self._rule("HandOver", names.hand_over, (*_FROM_OUTSIDE, "FAILED"))

    def _rule(self, construct: str, machine: str, statuses: Sequence[str]) -> None:
        events.Rule(
            self,
            construct,
            rule_name=f"{machine}-watchdog",
            description=f"An execution of {machine} has ended without cleaning up",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [self._arns.state_machine(machine)],
                    "status": list(statuses),
                },
            ),
            targets=[targets.LambdaFunction(self._function)],
        )
