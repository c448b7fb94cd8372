"""Deploys the current revision again and again, a canary each time, as the configuration says."""

from __future__ import annotations

import json

from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.grants import Arns, allow
from infra.roles import exact_role
from quorumshift.config import Configuration
from quorumshift.names import Names

REQUEST = {
    "taskDefinition": "current",
    "deploymentConfig": "CodeDeployDefault.ECSCanary10Percent5Minutes",
    "description": "scheduled canary",
    "initiator": "schedule",
    "whenBusy": "skip",
}


class CanarySchedule(Construct):
    """EventBridge Scheduler → the state machine ``deploy``.

    Scheduler makes each execution's name, so that no two collide. A start that fails is tried
    again for an hour; then the request goes to ``undelivered``.
    """

    def __init__(
        self,
        scope: Construct,
        configuration: Configuration,
        names: Names,
        arns: Arns,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, "Schedule")
        settings = configuration.schedule
        role = exact_role(
            self,
            "Role",
            service="scheduler",
            source=arns.schedule_group(),
            description=f"Starts {names.deploy} on a schedule",
            statements=[
                allow("states:StartExecution", arns.state_machine(names.deploy)),
                allow("sqs:SendMessage", arns.undelivered()),
            ],
        )
        scheduler.CfnSchedule(
            self,
            "Canary",
            name=names.canary,
            description=f"Deploys the current revision of {names.service} again, as a canary; not "
            "while another deployment is under way. [schedule] in quorumshift.toml",
            schedule_expression=settings.expression,
            schedule_expression_timezone=settings.time_zone,
            flexible_time_window=_window(settings.window_minutes),
            state="ENABLED" if settings.enabled else "DISABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=arns.state_machine(names.deploy),
                role_arn=role.role_arn,
                input=json.dumps(REQUEST),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=undelivered.queue_arn
                ),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                ),
            ),
        )


def _window(minutes: int) -> scheduler.CfnSchedule.FlexibleTimeWindowProperty:
    if not minutes:
        return scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF")
    return scheduler.CfnSchedule.FlexibleTimeWindowProperty(
        mode="FLEXIBLE", maximum_window_in_minutes=minutes
    )
