"""Who is told: a topic, and who hears of it."""

from __future__ import annotations

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from quorumshift.config import Configuration
from quorumshift.names import Names

_USE = ("kms:Decrypt", "kms:GenerateDataKey*")


class Notifications(Construct):
    """``topic``: what the functions and the alarms publish to."""

    def __init__(
        self,
        scope: Construct,
        configuration: Configuration,
        names: Names,
    ) -> None:
        super().__init__(scope, "Notifications")
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=names.topic,
            display_name=f"Deployments of {names.service}",
            enforce_ssl=True,
            master_key=self._key(names),
        )
        # A topic that has a policy has no other: the one that lets the account's alarms in is gone.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        if configuration.notifications.email:
            self.topic.add_subscription(
                subscriptions.EmailSubscription(configuration.notifications.email)
            )

    def post_to(self, function: lambda_.IFunction, undelivered: sqs.IQueue) -> None:
        """Let ``function`` hear of every message. ``undelivered`` keeps what it could not even be
        called for."""
        self.topic.add_subscription(
            subscriptions.LambdaSubscription(function, dead_letter_queue=undelivered)
        )

    def _key(self, names: Names) -> kms.Key:
        """A key of its own, a dollar a month: the policy of AWS's key for SNS does not let
        CloudWatch in, and nobody can change it (Amazon SNS Developer Guide, "Enable compatibility
        between event sources from AWS services and encrypted topics")."""
        key = kms.Key(
            self,
            "Key",
            description=f"Messages in the topic {names.topic}",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,  # nothing is kept in a topic
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Publishers",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=list(_USE),
                # As the same page gives it, without a condition; whose alarm may publish is the
                # topic's own policy's word.
                resources=["*"],
            )
        )
        # As AWS's own key for SNS says it: who may publish to the topic needs no grant of the key.
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ThroughTheTopic",
                principals=[iam.AnyPrincipal()],
                actions=list(_USE),
                resources=["*"],
                conditions={
                    "StringEquals": {
                        "kms:CallerAccount": Aws.ACCOUNT_ID,
                        "kms:ViaService": f"sns.{Aws.REGION}.amazonaws.com",
                    }
                },
            )
        )
        return key
