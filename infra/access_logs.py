"""Who asked the load balancer what: its access logs, in a bucket of their own."""

from __future__ import annotations

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.acknowledged import accept

KEPT_DAYS = 90


class AccessLogs(Construct):
    """The bucket outlives its stack, and what is in it ``KEPT_DAYS``."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "AccessLogs")
        self._bucket = s3.Bucket(
            self,
            "Bucket",
            # The only encryption that access logs can have (Elastic Load Balancing, "Access logs
            # for your Application Load Balancer").
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(KEPT_DAYS))],
            removal_policy=RemovalPolicy.RETAIN,
        )
        accept(self._bucket, "S1", "this is the bucket of access logs; who reads them: CloudTrail")
        self._bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[self._bucket.arn_for_objects(f"AWSLogs/{Aws.ACCOUNT_ID}/*")],
                conditions={"ArnLike": {"aws:SourceArn": self._balancers()}},
            )
        )

    def of(self, balancer: elb.ApplicationLoadBalancer) -> None:
        """Log what ``balancer`` is asked. Its own method wants to know the region beforehand."""
        balancer.set_attribute("access_logs.s3.enabled", "true")
        balancer.set_attribute("access_logs.s3.bucket", self._bucket.bucket_name)
        # Elastic Load Balancing writes a test file when it is told the bucket.
        assert self._bucket.policy is not None
        balancer.node.add_dependency(self._bucket.policy)

    def _balancers(self) -> str:
        return Stack.of(self).format_arn(
            service="elasticloadbalancing", resource="loadbalancer", resource_name="*"
        )
