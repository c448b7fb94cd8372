"""Builds an image with CodeBuild."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import code, message
from quorumshift.domain.errors import BuildFailed, InvalidRequest
from quorumshift.domain.request import Source
from quorumshift.ports import Build

_RUNNING = "IN_PROGRESS"


class CodeBuilds:
    """Implements ``ports.Builds``. The project's buildspec pushes the image to ``repository``
    (a URI) under the commit as its tag."""

    def __init__(self, codebuild: Any, project: str, repository: str) -> None:
        self._codebuild = codebuild
        self._project = project
        self._repository = repository

    def start(self, source: Source, mark: str) -> str:
        """Start a build, or find the one that ``mark`` started, and return its id.

        Raises ``InvalidRequest`` when the project does not build this repository, and
        ``BuildFailed`` when CodeBuild will not start.
        """
        self._check_repository(source)
        try:
            build = self._codebuild.start_build(
                projectName=self._project,
                sourceVersion=source.commit,
                idempotencyToken=mark,  # the same build for five minutes, longer than our retries
                environmentVariablesOverride=[
                    {"name": "IMAGE", "value": self._image(source.commit), "type": "PLAINTEXT"},
                    {"name": "COMMIT", "value": source.commit, "type": "PLAINTEXT"},
                ],
            )
        except ClientError as error:
            raise BuildFailed(
                f"CodeBuild did not start {self._project}: {message(error)} ({code(error)}); "
                "nothing was deployed"
            ) from error
        return str(build["build"]["id"])

    def look(self, build: str) -> Build:
        """How the build stands. Raises ``BuildFailed`` when it is not known."""
        found = self._codebuild.batch_get_builds(ids=[build]).get("builds") or []
        if not found:
            raise BuildFailed(f"CodeBuild knows no build {build}; start the deployment again")
        status = str(found[0]["buildStatus"])
        phase, said = _failure(found[0].get("phases") or [])
        return Build(
            id=build,
            running=status == _RUNNING,
            succeeded=status == "SUCCEEDED",
            image=self._image(str(found[0].get("sourceVersion", ""))),
            phase=phase or str(found[0].get("currentPhase") or status),
            said=said or status,
            log=str((found[0].get("logs") or {}).get("deepLink") or ""),
        )

    def _image(self, commit: str) -> str:
        return f"{self._repository}:{commit}"

    def _check_repository(self, source: Source) -> None:
        if not self._project:
            raise InvalidRequest(
                "source: this service has no build project; deploy an image or a taskDefinition, "
                "or configure a project"
            )
        found = self._codebuild.batch_get_projects(names=[self._project]).get("projects") or []
        if not found:
            raise BuildFailed(f"there is no build project {self._project}; deploy the stack again")
        location = str((found[0].get("source") or {}).get("location") or "")
        known = location.removesuffix("/").removesuffix(".git")
        if not known.lower().endswith("/" + source.repository.lower()):
            raise InvalidRequest(
                f"source.repository: project {self._project} builds {location or 'no repository'}, "
                f"not {source.repository}; name that one"
            )


def _failure(phases: list[dict[str, Any]]) -> tuple[str, str]:
    for phase in phases:
        if phase.get("phaseStatus") not in (None, "SUCCEEDED", _RUNNING, "QUEUED"):
            contexts = phase.get("contexts") or []
            said = "; ".join(str(one["message"]) for one in contexts if one.get("message"))
            return str(phase.get("phaseType")), said or str(phase.get("phaseStatus"))
    return "", ""
