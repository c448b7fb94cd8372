"""Where events go that could not be delivered, so that none is lost unseen."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledged import accept
from quorumshift.names import Names


class DeadLetters(Construct):
    """``queue``: of EventBridge, of the watchdog and of the schedule; an alarm watches it."""

    def __init__(self, scope: Construct, names: Names) -> None:
        super().__init__(scope, "DeadLetters")
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=names.undelivered,
            # SQS's own key: EventBridge needs no grant to write with it.
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        accept(self.queue, "SQS3", "this is the dead-letter queue of the others")
