"""The build project: from a commit to an image with a tag that never moves."""

from __future__ import annotations

from urllib.parse import urlsplit

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.acknowledged import accept
from infra.grants import Arns, allow
from infra.roles import exact_role
from quorumshift.config import Configuration
from quorumshift.names import Names

# The tag is the commit that was checked out, whoever started the build. Building a commit twice
# finds the first image and pushes nothing, so that a tag never moves; of two builds at once the
# repository, whose tags are immutable, takes the first. The digest behind the tag is deployed.
_DIGEST = (
    'aws ecr describe-images --repository-name "$REPOSITORY" --image-ids "imageTag=${IMAGE##*:}"'
    " --query 'imageDetails[0].imageDigest' --output text"
)
_BUILDSPEC = {
    "version": "0.2",
    "env": {"exported-variables": ["IMAGE", "IMAGE_DIGEST"]},
    "phases": {
        "pre_build": {
            "on-failure": "ABORT",
            "commands": [
                'export IMAGE="$REGISTRY/$REPOSITORY:$CODEBUILD_RESOLVED_SOURCE_VERSION"',
                "aws ecr get-login-password"
                ' | docker login --username AWS --password-stdin "$REGISTRY"',
            ],
        },
        "build": {
            "on-failure": "ABORT",
            "commands": [
                f'if {_DIGEST} 2>/dev/null; then echo "$IMAGE was built before";'
                ' else docker build --file "$DOCKERFILE" --tag "$IMAGE" . '
                f'&& {{ docker push "$IMAGE" || {_DIGEST}; }}; fi',
            ],
        },
        "post_build": {
            "on-failure": "ABORT",
            "commands": [
                f'IMAGE_DIGEST="$({_DIGEST})" && export IMAGE_DIGEST',
                'echo "image $IMAGE has the digest $IMAGE_DIGEST"',
            ],
        },
    },
}


def registry() -> str:
    """Where the account's images are."""
    return f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}"


class ImageBuild(Construct):
    """A CodeBuild project; ``privileged`` because Docker runs in it, and only here."""

    def __init__(
        self, scope: Construct, configuration: Configuration, names: Names, arns: Arns
    ) -> None:
        super().__init__(scope, "Build")
        owner, repository = urlsplit(configuration.build.repository).path.strip("/").split("/")
        group = f"/aws/codebuild/{names.project}"
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=group,
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        project = codebuild.Project(
            self,
            "Project",
            project_name=names.project,
            description=f"Builds the image of {names.service} from one commit",
            role=self._role(arns, group),
            source=codebuild.Source.git_hub(
                owner=owner,
                repo=repository.removesuffix(".git"),
                branch_or_ref=configuration.build.branch,
                report_build_status=False,  # a public repository is read without credentials
            ),
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.STANDARD_7_0, privileged=True
            ),
            environment_variables={
                name: codebuild.BuildEnvironmentVariable(value=value)
                for name, value in {
                    "REGISTRY": registry(),
                    "REPOSITORY": names.repository,
                    "DOCKERFILE": configuration.build.dockerfile,
                }.items()
            },
            build_spec=codebuild.BuildSpec.from_object(_BUILDSPEC),
            timeout=Duration.hours(1),
            grant_report_group_permissions=False,
            logging=codebuild.LoggingOptions(
                cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log_group)
            ),
        )
        accept(
            project,
            "CB4",
            "the key would encrypt artifacts and caches, and there are none: images go to ECR",
        )

    def _role(self, arns: Arns, group: str) -> iam.IRole:
        statements = [
            allow(f"ecr:{verb}", arns.repository())
            for verb in (
                "BatchCheckLayerAvailability",
                "BatchGetImage",
                "CompleteLayerUpload",
                "DescribeImages",
                "GetDownloadUrlForLayer",
                "InitiateLayerUpload",
                "PutImage",
                "UploadLayerPart",
            )
        ]
        statements.append(allow("ecr:GetAuthorizationToken", "*"))
        statements += [
            allow(f"logs:{verb}", arns.log_streams(group))
            for verb in ("CreateLogStream", "PutLogEvents")
        ]
        return exact_role(
            self,
            "Role",
            service="codebuild",
            description="Builds and pushes the image of one service",
            source=arns.project(),
            statements=statements,
        )
