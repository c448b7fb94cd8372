"""Builds an image with CodeBuild."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import code, every, message
from quorumshift.domain.build import Build
from quorumshift.domain.console import build_page
from quorumshift.domain.errors import BuildFailed, InvalidRequest
from quorumshift.domain.request import Source

_RUNNING = "IN_PROGRESS"
_MARK = "EXECUTION_MARK"
"""The variable of a build that tells which execution waits for it."""
_DIGEST = "IMAGE_DIGEST"
"""The variable that the buildspec exports (infra/build.py)."""
_AT_ONCE = 100
"""Builds that BatchGetBuilds takes."""
_NEWEST = 500
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_ENDED = {
    "STOPPED": "somebody stopped it",
    "TIMED_OUT": "it ran out of its time",
    "FAULT": "CodeBuild itself failed; start the deployment again",
}


class CodeBuilds:
    """Implements ``ports.Builds``. The project's buildspec pushes the image to ``repository``
    (a URI) under the commit as its tag, and tells its digest."""

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
                environmentVariablesOverride=[{"name": _MARK, "value": mark, "type": "PLAINTEXT"}],
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
            commit=str(found[0].get("resolvedSourceVersion") or ""),
            image=self._image(found[0]),
            phase=phase or str(found[0].get("currentPhase") or status),
            said=": ".join(part for part in (_ENDED.get(status), said) if part) or status,
            log=_log(found[0]),
        )

    def stop(self, mark: str) -> str | None:
        """Stop the build that ``mark`` started, if it still runs; its id. One of the last five
        hundred: the newest come first (asking for an order is an error where there are more)."""
        if not self._project:
            return None
        for build in self._newest():
            if build["buildStatus"] == _RUNNING and _mark(build) == mark:
                self._codebuild.stop_build(id=build["id"])
                return str(build["id"])
        return None

    def _newest(self) -> Iterator[dict[str, Any]]:
        listed = every(
            self._codebuild.list_builds_for_project,
            "ids",
            optional=True,
            projectName=self._project,
        )
        newest = itertools.islice(listed, _NEWEST)
        while some := list(itertools.islice(newest, _AT_ONCE)):
            yield from self._codebuild.batch_get_builds(ids=some)["builds"]

    def _image(self, build: Mapping[str, Any]) -> str:
        exported = {
            each["name"]: each.get("value") or ""
            for each in build.get("exportedEnvironmentVariables") or []
        }
        digest = exported.get(_DIGEST, "")
        return f"{self._repository}@{digest}" if _SHA256.fullmatch(digest) else ""

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
            return str(phase.get("phaseType")), said
    return "", ""


def _log(build: Mapping[str, Any]) -> str:
    """A link. CodeBuild gives one to the log from the beginning, which leads nowhere until the log
    exists (API reference, LogsLocation); then the build's own page says more."""
    logs = build.get("logs") or {}
    if logs.get("streamName") and logs.get("deepLink"):
        return str(logs["deepLink"])
    return build_page(str(build.get("arn") or ""))


def _mark(build: Mapping[str, Any]) -> str | None:
    variables = (build.get("environment") or {}).get("environmentVariables") or []
    return next((each["value"] for each in variables if each["name"] == _MARK), None)
