"""The rules that have the votes follow the tasks between deployments.

ECS starts a task in the place of one that ended, and nobody gives it the vote. Whatever may have
left a vote without a task, or a task without one, is an event: a task that runs or has stopped, and
an execution that has ended, during which others were left alone.
"""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.grants import Arns
from quorumshift.names import Names

_ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


class Reconciliation(Construct):
    """The events → the function ``Reconcile``. Of ``hand_over`` only a good end: after a bad one,
    another would fare no better until something changes."""

    def __init__(
        self,
        scope: Construct,
        names: Names,
        arns: Arns,
        function: lambda_.IFunction,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, "Reconciliation")
        self._target = targets.LambdaFunction(function, dead_letter_queue=undelivered)
        self._rule(
            "Tasks",
            f"{names.root}-tasks",
            f"A task of {names.service} runs, or has stopped",
            source=["aws.ecs"],
            detail_type=["ECS Task State Change"],
            detail={
                "clusterArn": [arns.cluster()],
                "group": [f"service:{names.service}"],
                "lastStatus": ["RUNNING", "STOPPED"],
            },
        )
        for construct, machine, ends in (
            ("Deploy", names.deploy, _ENDED),
            ("HandOver", names.hand_over, _ENDED[:1]),
        ):
            self._rule(
                construct,
                f"{machine}-ended",
                f"An execution of {machine} has ended, and left alone what happened meanwhile",
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"stateMachineArn": [arns.state_machine(machine)], "status": list(ends)},
            )

    def _rule(
        self,
        construct: str,
        name: str,
        description: str,
        *,
        source: list[str],
        detail_type: list[str],
        detail: dict[str, object],
    ) -> None:
        events.Rule(
            self,
            construct,
            rule_name=name,
            description=description,
            event_pattern=events.EventPattern(
                source=source, detail_type=detail_type, detail=detail
            ),
            targets=[self._target],
        )
