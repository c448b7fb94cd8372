"""Who is told: a topic, and CodeDeploy's own events on it."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from quorumshift.config import Configuration
from quorumshift.names import Names


class Notifications(Construct):
    """``topic``: what the functions publish to and CodeDeploy's state changes go to.

    The events are best effort; nothing waits for them.
    """

    def __init__(self, scope: Construct, configuration: Configuration, names: Names) -> None:
        super().__init__(scope, "Notifications")
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=names.topic,
            display_name=f"Deployments of {names.service}",
            enforce_ssl=True,
        )
        if configuration.notifications.email:
            self.topic.add_subscription(
                subscriptions.EmailSubscription(configuration.notifications.email)
            )
        events.Rule(
            self,
            "DeploymentStateChange",
            rule_name=f"{names.root}-deployment-state-change",
            description="CodeDeploy started, ended, failed or stopped a deployment",
            event_pattern=events.EventPattern(
                source=["aws.codedeploy"],
                detail_type=["CodeDeploy Deployment State-change Notification"],
                detail={
                    "application": [names.application],
                    "deploymentGroup": [names.deployment_group],
                    "state": ["START", "SUCCESS", "FAILURE", "STOP"],
                },
            ),
            targets=[targets.SnsTopic(self.topic)],
        )
