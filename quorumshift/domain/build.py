"""What one look at a build means: it runs, its image is there, or it has failed."""

from __future__ import annotations

from dataclasses import dataclass

from quorumshift.domain.errors import BuildFailed


@dataclass(frozen=True, slots=True)
class Build:
    """A build. ``commit``: what was checked out; ``image``: what was pushed, by its digest; both
    empty before that. ``phase``, ``said``, ``log``: where it stands or failed, why, and a link."""

    id: str
    running: bool
    succeeded: bool
    commit: str
    image: str
    phase: str
    said: str
    log: str


def judge(build: Build, commit: str, waited: int, deadline: int) -> bool:
    """Whether the image is there. ``commit``: what was asked for, maybe shortened; ``waited``,
    ``deadline``: seconds.

    Raises ``BuildFailed`` when there will be none, or one of something else: a branch or a tag may
    be called as a commit is.
    """
    if build.running and waited < deadline:
        return False
    if build.running:
        raise _failed(build, f"it was still running after {waited // 60} minutes")
    if not build.succeeded:
        raise _failed(build, build.said)
    if not build.commit.startswith(commit):
        raise _failed(
            build,
            f"it checked out {build.commit or 'an unknown commit'} where {commit} was asked for; "
            "write all 40 digits of the commit",
        )
    if not build.image:
        raise _failed(build, "it succeeded and told no image; its buildspec is not the stack's")
    return True


def _failed(build: Build, why: str) -> BuildFailed:
    return BuildFailed(
        f"build {build.id} made no image to deploy, in its phase {build.phase}: {why.rstrip('.')}. "
        f"Its log: {build.log or 'in the CodeBuild console'}"
    )
