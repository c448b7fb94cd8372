"""The alarms that call a person: an execution has failed, or an event was not delivered.

They say so even when the functions that tell people cannot run, and so they always go to the
topic. None of them stops a deployment.
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.grants import Arns
from quorumshift.names import Names

_ENDS = {"ExecutionsFailed": ("failed", "has failed"), "ExecutionsTimedOut": ("late", "timed out")}
_DEPLOY = (
    "What happened: `quorumshift watch`. How things stand: `quorumshift status`. A deployment that "
    "was rolled back counts as failed, too. If no message on the topic says more, the functions "
    "cannot run."
)
_HAND_OVER = (
    "Where the votes are: `quorumshift plan`. How the deployment stands: `quorumshift status`. Its "
    "execution of deploy rolls back what is not done; end no task that votes."
)


class OperatingAlarms(Construct):
    """Failed and timed-out executions of both state machines; messages in the queue."""

    def __init__(
        self, scope: Construct, names: Names, arns: Arns, queue: sqs.IQueue, topic: sns.ITopic
    ) -> None:
        super().__init__(scope, "OperatingAlarms")
        self._topic = topic
        machines = (("Deploy", names.deploy, _DEPLOY), ("HandOver", names.hand_over, _HAND_OVER))
        for construct, machine, next_ in machines:
            for metric, (word, said) in _ENDS.items():
                self._add(
                    f"{construct}{word.title()}",
                    f"{machine}-{word}",
                    f"An execution of {machine} {said}. {next_}",
                    cloudwatch.Metric(
                        namespace="AWS/States",
                        metric_name=metric,
                        dimensions_map={"StateMachineArn": arns.state_machine(machine)},
                        statistic="Sum",
                        period=Duration.minutes(1),
                    ),
                )
        self._add(
            "Undelivered",
            names.undelivered,
            f"An event or a message could not be delivered and is kept for 14 days. Read it: "
            f"aws sqs receive-message --queue-url $(aws sqs get-queue-url --queue-name "
            f"{names.undelivered} --query QueueUrl --output text). What the watchdog could not do "
            "is among them: `quorumshift status`.",
            queue.metric_approximate_number_of_messages_visible(
                statistic="Maximum", period=Duration.minutes(1)
            ),
        )

    def _add(self, construct: str, name: str, said: str, metric: cloudwatch.Metric) -> None:
        alarm = cloudwatch.Alarm(
            self,
            construct,
            alarm_name=name,
            alarm_description=said,
            metric=metric,
            threshold=0,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))
