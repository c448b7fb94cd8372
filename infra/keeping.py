"""Calls the keeper every five minutes, whatever else runs or does not."""

from __future__ import annotations

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.grants import Arns, allow
from infra.roles import exact_role
from quorumshift.domain.keeping import EVERY_SECONDS
from quorumshift.names import KEEP, Names


class KeeperSchedule(Construct):
    """EventBridge Scheduler → the function ``Keep``. What could not be delivered is given up by the
    time that the next call is due."""

    def __init__(
        self,
        scope: Construct,
        names: Names,
        arns: Arns,
        function: lambda_.IFunction,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, "Keeper")
        role = exact_role(
            self,
            "Role",
            service="scheduler",
            source=arns.schedule_group(),
            description=f"Calls {names.function(KEEP)} on a schedule",
            statements=[
                allow("lambda:InvokeFunction", arns.function(KEEP)),
                allow("sqs:SendMessage", arns.undelivered()),
            ],
        )
        scheduler.CfnSchedule(
            self,
            "Schedule",
            name=names.keeper,
            description=f"Looks whether anything of {names.service} is left to guard: locks, "
            "votes, scaling, a deployment that nobody follows",
            schedule_expression=f"rate({EVERY_SECONDS // 60} minutes)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state="ENABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function.function_arn,
                role_arn=role.role_arn,
                input="{}",
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=undelivered.queue_arn
                ),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=EVERY_SECONDS, maximum_retry_attempts=3
                ),
            ),
        )
