"""The rules that look after an execution that could not end well by itself.

No Catch runs when an execution is stopped or times out from outside, and one that fails while its
functions cannot run has cleaned up nothing. A hand-over that was stopped is resumed once; one that
has failed may have left CodeDeploy without an answer.
"""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.grants import Arns
from quorumshift.names import Names

_NOT_WELL = ("ABORTED", "TIMED_OUT", "FAILED")


class Watchdog(Construct):
    """Step Functions' status change events → the function ``Watchdog``."""

    def __init__(
        self,
        scope: Construct,
        names: Names,
        arns: Arns,
        function: lambda_.IFunction,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, "WatchdogRules")
        self._arns = arns
        self._function = function
        self._undelivered = undelivered
        self._rule("Deploy", names.deploy)
        self._rule("HandOver", names.hand_over)

    def _rule(self, construct: str, machine: str) -> None:
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
                    "status": list(_NOT_WELL),
                },
            ),
            targets=[targets.LambdaFunction(self._function, dead_letter_queue=self._undelivered)],
        )
