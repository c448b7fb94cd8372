"""CodeBuild: builds go through their phases, and what a commit stands for is pushed under it.

There is no Docker and no repository of sources: whoever rehearses says which commits there are and
what image each makes (``commits``). A build moves when it is looked at, by the time that has passed
at the rehearsal's speed. moto calls every build a success that nothing has built.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from quorumshift.rehearsal.aws.loud import NotRehearsed
from quorumshift.rehearsal.aws.patching import replace
from quorumshift.rehearsal.world import ACCOUNT, REGION, World

Push = Callable[[str], str]
"""Pushes a commit's image under this tag; its digest. Raises ``RuntimeError`` with what a failed
build says."""
_SECONDS = {
    "SUBMITTED": 0,
    "QUEUED": 1,
    "PROVISIONING": 10,
    "DOWNLOAD_SOURCE": 10,
    "INSTALL": 0,
    "PRE_BUILD": 5,
    "BUILD": 60,
    "POST_BUILD": 2,
    "UPLOAD_ARTIFACTS": 0,
    "FINALIZING": 2,
}
"""Phase → how long it takes, in AWS's seconds."""
_HONOURED = {"projectName", "sourceVersion", "idempotencyToken", "environmentVariablesOverride"}
_RUNNING = "IN_PROGRESS"


@dataclass(slots=True)
class _Build:
    """``done``: phases that have succeeded. ``commit``: what was checked out."""

    id: str
    project: str
    asked: str
    variables: list[dict[str, str]]
    began: float
    status: str = _RUNNING
    commit: str = ""
    digest: str = ""
    said: str = ""
    done: list[str] = field(default_factory=list)

    @property
    def phase(self) -> str:
        """The one that it is in, or ended in."""
        left = [name for name in _SECONDS if name not in self.done]
        return left[0] if left else "COMPLETED"

    def described(self, environment: dict[str, Any]) -> dict[str, Any]:
        """As BatchGetBuilds tells it."""
        phases: list[dict[str, Any]] = [
            {"phaseType": name, "phaseStatus": "SUCCEEDED"} for name in self.done
        ]
        if self.status not in (_RUNNING, "SUCCEEDED"):
            contexts = [{"message": self.said}] if self.said else []
            phases.append(
                {"phaseType": self.phase, "phaseStatus": self.status, "contexts": contexts}
            )
        exported = {"IMAGE_DIGEST": self.digest} if self.digest else {}
        return {
            "id": self.id,
            "arn": f"arn:aws:codebuild:{REGION}:{ACCOUNT}:build/{self.id}",
            "projectName": self.project,
            "buildStatus": self.status,
            "buildComplete": self.status != _RUNNING,
            "currentPhase": self.phase if self.status == _RUNNING else "COMPLETED",
            "phases": phases,
            "sourceVersion": self.asked,
            **({"resolvedSourceVersion": self.commit} if self.commit else {}),
            "environment": {**environment, "environmentVariables": self.variables},
            "exportedEnvironmentVariables": [
                {"name": name, "value": value} for name, value in exported.items()
            ],
        }


class BuildsEngine:
    """``commits``: whole commit → what pushes its image."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.commits: dict[str, Push] = {}
        self._builds: dict[str, _Build] = {}
        self._by_token: dict[str, str] = {}
        self._lock = threading.Lock()

    def install(self) -> None:
        """Put these builds in the place of moto's."""
        from moto.codebuild.models import CodeBuildBackend
        from moto.codebuild.responses import CodeBuildResponse
        from moto.core.responses import ActionResult

        engine = self

        def start_build(self: Any) -> Any:
            asked = json.loads(self.body)
            if unread := set(asked) - _HONOURED:
                raise NotRehearsed(f"StartBuild: {', '.join(sorted(unread))} would be ignored")
            if asked["projectName"] not in self.codebuild_backend.codebuild_projects:
                return start(self)  # which says so
            found = engine.start_build(asked, self.codebuild_backend)
            return ActionResult({"build": engine.tell(found, self.codebuild_backend)})

        def batch_get_builds(self: Any, ids: list[str]) -> list[dict[str, Any]]:
            return [engine.tell(each, self) for each in ids if each in engine._builds]

        def list_builds_for_project(self: Any, project_name: str) -> list[str]:
            return list(reversed(self.build_history.get(project_name, [])))

        def stop_build(self: Any, build_id: str) -> dict[str, Any]:
            engine.stop_build(build_id)
            return engine.tell(build_id, self)

        start = replace(CodeBuildResponse, "start_build", start_build, "self")
        replace(CodeBuildBackend, "batch_get_builds", batch_get_builds, "self ids")
        name = "list_builds_for_project"
        replace(CodeBuildBackend, name, list_builds_for_project, "self project_name")
        replace(CodeBuildBackend, "stop_build", stop_build, "self build_id")

    def start(self) -> None:
        """Nothing of its own runs."""

    def stop(self) -> None:
        """Nothing of its own runs."""

    def start_build(self, asked: dict[str, Any], backend: Any) -> str:
        """Start one, or find the one that the token started; its id."""
        token, project = asked.get("idempotencyToken") or uuid.uuid4().hex, asked["projectName"]
        with self._lock:
            if token not in self._by_token:
                source = asked.get("sourceVersion") or ""
                variables = asked.get("environmentVariablesOverride") or []
                build = f"{project}:{uuid.uuid4()}"
                began = time.monotonic()
                self._builds[build] = _Build(build, project, source, variables, began)
                self._by_token[token] = build
                backend.build_history[project].append(build)
            return self._by_token[token]

    def stop_build(self, build: str) -> None:
        """End one that runs."""
        with self._lock:
            self._move(self._builds[build])
            if self._builds[build].status == _RUNNING:
                self._builds[build].status = "STOPPED"

    def tell(self, build: str, backend: Any) -> dict[str, Any]:
        """How one stands now."""
        with self._lock:
            found = self._builds[build]
            self._move(found)
            project = backend.codebuild_projects[found.project].project_metadata
            return found.described(project["environment"])

    def _move(self, build: _Build) -> None:
        passed = (time.monotonic() - build.began) * self.world.speed
        while build.status == _RUNNING:
            if passed < sum(_SECONDS[name] for name in (*build.done, build.phase)):
                return
            self._end_phase(build)

    def _end_phase(self, build: _Build) -> None:
        try:
            if build.phase == "DOWNLOAD_SOURCE":
                build.commit = self._checked_out(build.asked)
            if build.phase == "BUILD":
                build.digest = self.commits[build.commit](build.commit)
        except RuntimeError as error:
            build.status, build.said = "FAILED", str(error)
            return
        build.done.append(build.phase)
        if len(build.done) == len(_SECONDS):
            build.status = "SUCCEEDED"

    def _checked_out(self, asked: str) -> str:
        found = [commit for commit in self.commits if asked and commit.startswith(asked)]
        if len(found) != 1:
            raise RuntimeError(f"reference not found for primary source and source version {asked}")
        return found[0]
