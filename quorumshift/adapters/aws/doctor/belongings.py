"""Who asks; images, build, secrets, topic, schedule and quotas."""

from __future__ import annotations

from quorumshift.adapters.aws.client import every
from quorumshift.adapters.aws.doctor.looking import Clients, look
from quorumshift.domain.doctor.expected import Expected
from quorumshift.domain.doctor.facts import Identity, Repository, Schedule, Topic
from quorumshift.domain.doctor.finding import Look

BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
"""Where the CDK's bootstrap stack says its version (AWS CDK, ``DefaultStackSynthesizer``)."""
_GITHUB = "oidc-provider/token.actions.githubusercontent.com"
_QUOTAS = {"FARGATE": "L-3032A538", "FARGATE_SPOT": "L-36FBB829"}
"""vCPUs that may run at once (Amazon ECS Developer Guide, "AWS Fargate service quotas")."""
_NO_REPOSITORY = "RepositoryNotFoundException"


def identity(clients: Clients) -> Look[Identity]:
    """Account and caller, in the region that is asked."""

    def ask() -> Identity:
        found = clients("sts").get_caller_identity()
        return Identity(str(found["Account"]), str(found["Arn"]), clients.account.region)

    return look(ask)


def bootstrap(clients: Clients) -> Look[str]:
    """The version of the CDK's bootstrap stack."""

    def ask() -> str:
        return str(clients("ssm").get_parameter(Name=BOOTSTRAP)["Parameter"]["Value"])

    return look(ask, "ParameterNotFound")


def github(clients: Clients) -> Look[str]:
    """The ARN of GitHub's identity provider."""

    def ask() -> str | None:
        found = clients("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
        arns = (str(one["Arn"]) for one in found)
        return next((arn for arn in arns if arn.endswith(_GITHUB)), None)

    return look(ask)


def repository(clients: Clients, expected: Expected) -> Look[Repository]:
    """The repository. Tags with exceptions from immutability count as immutable."""

    def ask() -> Repository:
        (found,) = clients("ecr").describe_repositories(repositoryNames=[expected.repository])[
            "repositories"
        ]
        mutability = str(found.get("imageTagMutability") or "MUTABLE")
        return Repository(mutability.startswith("IMMUTABLE"), str(found["repositoryUri"]))

    return look(ask, _NO_REPOSITORY)


def image(clients: Clients, repository: str, registry: str | None, which: str) -> Look[str]:
    """The digest of an image, by ``tag`` or ``sha256:…``; ``registry``: an account, ``None`` for
    one's own."""
    wanted = {"imageDigest" if which.startswith("sha256:") else "imageTag": which}
    where = {"registryId": registry} if registry else {}

    def ask() -> str | None:
        found = clients("ecr").describe_images(
            repositoryName=repository, imageIds=[wanted], **where
        )["imageDetails"]
        return str(found[0]["imageDigest"]) if found else None

    return look(ask, "ImageNotFoundException", _NO_REPOSITORY)


def project(clients: Clients, expected: Expected) -> Look[str]:
    """Where the build project takes its source from."""

    def ask() -> str | None:
        found = clients("codebuild").batch_get_projects(names=[expected.project])["projects"]
        return str(found[0]["source"].get("location") or "") if found else None

    return look(ask)


def secret(clients: Clients, name: str) -> Look[bool]:
    """Whether it can be used; what it says is not asked for."""

    def ask() -> bool:
        found = clients("secretsmanager").describe_secret(SecretId=name)
        return found.get("DeletedDate") is None

    return look(ask, "ResourceNotFoundException")


def topic(clients: Clients, arn: str) -> Look[Topic]:
    """How many subscriptions the topic has. One that nobody has confirmed yet has no ARN (Amazon
    SNS API Reference, "ListSubscriptionsByTopic")."""

    def ask() -> Topic:
        sns = clients("sns")
        sns.get_topic_attributes(TopicArn=arn)
        found = [
            str(one["SubscriptionArn"]).startswith("arn:")
            for one in every(
                sns.list_subscriptions_by_topic, "Subscriptions", "NextToken", TopicArn=arn
            )
        ]
        return Topic(sum(found), len(found) - sum(found))

    return look(ask, "NotFound", "NotFoundException")


def schedule(clients: Clients, expected: Expected) -> Look[Schedule]:
    """The canary's schedule."""

    def ask() -> Schedule:
        found = clients("scheduler").get_schedule(Name=expected.canary)
        return Schedule(
            found["State"] == "ENABLED", str(found["ScheduleExpression"]), found["Target"]["Arn"]
        )

    return look(ask, "ResourceNotFoundException")


def quota(clients: Clients, provider: str) -> Look[float]:
    """vCPUs that may run at once."""

    def ask() -> float:
        found = clients("service-quotas").get_service_quota(
            ServiceCode="fargate", QuotaCode=_QUOTAS[provider]
        )
        return float(found["Quota"]["Value"])

    return look(ask, "NoSuchResourceException")
