"""The buildspec, run by a real shell: what it pushes, and what it tells.

``aws`` and ``docker`` are programs of the test's own that keep a repository in a folder, whose tags
are immutable.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.infra.template import Template

COMMIT = "0a1b2c3d" * 5
FIRST, SECOND = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
AWS = """#!/bin/sh
case "$1 $2" in
"ecr get-login-password") echo secret ;;
"ecr describe-images") cat "$TAGS/${6#imageTag=}" 2>/dev/null || exit 254 ;;
*) exit 2 ;;
esac
"""
DOCKER = """#!/bin/sh
case "$1" in
login) cat >/dev/null ;;
build) echo "$@" >>"$TAGS/../built" ;;
push)
    if [ -n "$ANOTHER" ]; then echo "$ANOTHER" >"$TAGS/${2##*:}"; fi
    if [ -n "$REFUSED" ] || [ -e "$TAGS/${2##*:}" ]; then echo refused >&2; exit 1; fi
    echo "$OURS" >"$TAGS/${2##*:}" ;;
*) exit 2 ;;
esac
"""


class Building:
    """A project's build in ``folder``. ``tags``: the repository, a file a tag."""

    def __init__(self, folder: Path, template: Template) -> None:
        project = template.one("AWS::CodeBuild::Project")
        self.phases = json.loads(template.text(project["Source"]["BuildSpec"]))["phases"]
        self.folder, self.tags = folder, folder / "tags"
        self.tags.mkdir()
        for name, text in (("aws", AWS), ("docker", DOCKER)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)

    def run(self, **more: str) -> tuple[int, str]:
        """Exit code, and the exported digest. All commands share one shell, and the first that
        fails ends the build, as in CodeBuild (buildspec version 0.2, ``on-failure: ABORT``)."""
        commands = [each for phase in self.phases.values() for each in phase["commands"]]
        script = "\n".join(f"{{ {each}\n}} || exit 1" for each in commands)
        told = self.folder / "told"
        told.unlink(missing_ok=True)
        environment = {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "TAGS": str(self.tags),
            "OURS": FIRST,
            "REGISTRY": "r.example",
            "REPOSITORY": "sample",
            "DOCKERFILE": "Dockerfile",
            "CODEBUILD_RESOLVED_SOURCE_VERSION": COMMIT,
            **more,
        }
        tell = f"\nsh -c 'printf %s \"$IMAGE_DIGEST\"' > {told}\n"
        done = subprocess.run(
            ["sh", "-c", script + tell],
            env=environment,
            capture_output=True,
            timeout=20,
            check=False,
        )
        return done.returncode, told.read_text() if told.exists() else ""

    @property
    def built(self) -> int:
        """How often an image was built."""
        log = self.folder / "built"
        return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def building(tmp_path: Path, template: Template) -> Building:
    return Building(tmp_path, template)


def test_the_tag_is_the_commit_that_was_checked_out_and_never_moves(building: Building) -> None:
    assert building.run() == (0, FIRST)
    assert [file.name for file in building.tags.iterdir()] == [COMMIT]
    # Somebody builds it once more by hand, and wants another tag.
    assert building.run(OURS=SECOND, IMAGE="r.example/sample:latest") == (0, FIRST)
    assert [file.name for file in building.tags.iterdir()] == [COMMIT]
    assert building.built == 1


def test_of_two_builds_at_once_both_tell_the_image_that_came_first(building: Building) -> None:
    assert building.run(OURS=FIRST, ANOTHER=SECOND) == (0, SECOND)


def test_a_push_that_fails_fails_the_build(building: Building) -> None:
    assert building.run(REFUSED="yes") == (1, "")
    assert building.built == 1
