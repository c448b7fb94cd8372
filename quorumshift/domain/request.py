"""The input of the state machine ``deploy``: what to deploy, and nothing about where.

Which cluster, service and group are acted on comes from configuration, never from here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quorumshift.domain.errors import InvalidRequest

LONGEST_DESCRIPTION = 200
"""The rest of CodeDeploy's 256 characters belongs to the execution's mark."""
_LONGEST_TEXT = 256

KEYS = (
    *("source", "image", "taskDefinition", "description", "deploymentConfig", "initiator"),
    *("whenBusy", "ignoreAlarms"),
)
_SOURCE_KEYS = ("repository", "commit")

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_NAME = re.compile(r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*")
_REGISTRY = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]+)?")
_REVISION = re.compile(r"[A-Za-z0-9_-]{1,255}:[1-9][0-9]*")
_REVISION_ARN = re.compile(
    r"arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/[A-Za-z0-9_-]{1,255}:[1-9][0-9]*"
)
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+")
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_CONFIG = re.compile(r"[A-Za-z0-9+=,.@_-]{1,100}")

BUILD_DEADLINE_SECONDS = 3600
"""How long a build may take."""

CURRENT = "current"
PREVIOUS = "previous"
FAIL, SKIP = "fail", "skip"
"""What to do while another deployment is under way."""


@dataclass(frozen=True, slots=True)
class Source:
    """A commit to build. ``repository``: ``owner/name``; ``commit``: 7 to 40 hex digits."""

    repository: str
    commit: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request that passed. At most one of ``source``, ``image`` and ``task_definition``."""

    deployment_config: str
    source: Source | None = None
    image: str | None = None
    task_definition: str | None = None
    description: str = ""
    initiator: str = ""
    when_busy: str = FAIL
    ignore_alarms: bool = False

    def what(self) -> str:
        """What is asked for, in a few words for a person."""
        if self.source:
            return f"commit {self.source.commit} of {self.source.repository}"
        if self.image:
            return f"image {self.image}"
        return f"task definition {self.task_definition or CURRENT}"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """``registry/name:tag@digest`` in its parts; a missing part is empty.

    Without ``registry`` the image is one of the service's own repository, and ``name`` may be
    empty as well: a bare tag or a bare digest.
    """

    registry: str
    name: str
    tag: str
    digest: str


def parse_request(value: Any, default_config: str) -> Request:
    """Read an execution's input.

    Raises ``InvalidRequest`` that names the key, what was seen and the fix.
    """
    if not isinstance(value, dict):
        raise InvalidRequest(
            f"the input must be a JSON object, not {_kind(value)}; "
            'start again with {} or, for example, {"taskDefinition": "previous"}'
        )
    _refuse_unknown(value, KEYS, "")
    _refuse_several(value)
    _refuse_unwatched(value)
    return Request(
        deployment_config=_config(value) or default_config,
        source=_source(value),
        image=_image(value),
        task_definition=_task_definition(value),
        description=_text(value, "description", LONGEST_DESCRIPTION) or "",
        initiator=_text(value, "initiator", _LONGEST_TEXT) or "",
        when_busy=_when_busy(value),
        ignore_alarms=_flag(value, "ignoreAlarms"),
    )


def parse_image(text: str) -> ImageReference:
    """Take an image reference apart.

    Raises ``InvalidRequest`` when it is none.
    """
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise _bad("image", text, "after the @ stands sha256: and 64 hex digits")
    if not at and _DIGEST.fullmatch(text):
        return ImageReference("", "", "", text)
    if "/" not in rest and ":" not in rest and not at:
        if not _TAG.fullmatch(rest):
            raise _bad("image", text, "a tag has letters, digits, '_', '.' and '-' only")
        return ImageReference("", "", rest, "")
    return _reference(text, rest, digest)


def _reference(text: str, rest: str, digest: str) -> ImageReference:
    head, slash, tail = rest.partition("/")
    is_registry = bool(slash) and ("." in head or ":" in head or head == "localhost")
    registry, path = (head, tail) if is_registry else ("", rest)
    name, colon, tag = path.partition(":")
    fix = "write <registry>/<name>:<tag>, <registry>/<name>@sha256:<digest>, a tag, or a digest"
    if not _NAME.fullmatch(name) or (registry and not _REGISTRY.fullmatch(registry)):
        raise _bad("image", text, fix)
    if colon and not _TAG.fullmatch(tag):
        raise _bad("image", text, fix)
    if not tag and not digest:
        raise _bad("image", text, "name a tag or a digest; 'latest' is never assumed")
    return ImageReference(registry, name, tag, digest)


def _source(value: Mapping[str, Any]) -> Source | None:
    if "source" not in value:
        return None
    source = value["source"]
    if not isinstance(source, dict):
        raise InvalidRequest(
            f"source: expected an object, not {_kind(source)}; "
            'write {"repository": "owner/name", "commit": "<hex>"}'
        )
    _refuse_unknown(source, _SOURCE_KEYS, "source.")
    for key in _SOURCE_KEYS:
        if key not in source:
            raise InvalidRequest(f"source.{key}: missing; a source names repository and commit")
    repository = _text(source, "repository", _LONGEST_TEXT, "source.") or ""
    commit = _text(source, "commit", _LONGEST_TEXT, "source.") or ""
    if not _REPOSITORY.fullmatch(repository):
        raise _bad("source.repository", repository, "write owner/name, without https:// or .git")
    if not _COMMIT.fullmatch(commit):
        raise _bad("source.commit", commit, "write 7 to 40 lower-case hex digits, not a branch")
    return Source(repository.removesuffix(".git"), commit)


def _image(value: Mapping[str, Any]) -> str | None:
    text = _text(value, "image", 512)
    if text is None:
        return None
    parse_image(text)
    return text


def _task_definition(value: Mapping[str, Any]) -> str | None:
    text = _text(value, "taskDefinition", 512)
    if text is None or text in (CURRENT, PREVIOUS):
        return text
    if not _REVISION.fullmatch(text) and not _REVISION_ARN.fullmatch(text):
        raise _bad(
            "taskDefinition", text, "write current, previous, family:revision or a revision's ARN"
        )
    return text


def _config(value: Mapping[str, Any]) -> str | None:
    text = _text(value, "deploymentConfig", _LONGEST_TEXT)
    if text is not None and not _CONFIG.fullmatch(text):
        raise _bad(
            "deploymentConfig",
            text,
            "write a configuration's name, such as CodeDeployDefault.ECSCanary10Percent5Minutes",
        )
    return text


def _when_busy(value: Mapping[str, Any]) -> str:
    text = _text(value, "whenBusy", _LONGEST_TEXT) or FAIL
    if text not in (FAIL, SKIP):
        raise _bad("whenBusy", text, "write fail, or skip to end quietly")
    return text


def _text(value: Mapping[str, Any], key: str, longest: int, where: str = "") -> str | None:
    if key not in value:
        return None
    text = value[key]
    if not isinstance(text, str):
        raise InvalidRequest(
            f"{where}{key}: expected text, not {_kind(text)}; write it in quotes or leave it out"
        )
    if len(text) > longest:
        raise InvalidRequest(
            f"{where}{key}: {len(text)} characters are too many; shorten it to {longest}"
        )
    if not text and key not in ("description", "initiator"):
        raise InvalidRequest(f"{where}{key}: is empty; leave the key out instead")
    if any(ord(character) < 32 for character in text):
        raise InvalidRequest(f"{where}{key}: holds a control character; keep it to one line")
    return text


def _refuse_unknown(value: Mapping[str, Any], allowed: tuple[str, ...], where: str) -> None:
    for key in value:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]}? " if near else ""
            raise InvalidRequest(
                f"{where}{key[:60]}: unknown key; {hint}allowed: {', '.join(allowed)}"
            )


def _refuse_several(value: Mapping[str, Any]) -> None:
    given = [key for key in ("source", "image", "taskDefinition") if key in value]
    if len(given) > 1:
        raise InvalidRequest(
            f"{' and '.join(given)}: only one of them says what to deploy; "
            f"keep {given[0]} or leave all out to deploy the current revision again"
        )


def _refuse_unwatched(value: Mapping[str, Any]) -> None:
    """Alarms are ignored to go back to what served, while somebody watches; nothing that is new,
    and nothing that nobody waits for, goes past them."""
    if not _flag(value, "ignoreAlarms"):
        return
    if "taskDefinition" not in value:
        raise InvalidRequest(
            "ignoreAlarms: is for going back to a revision that served; name it by taskDefinition, "
            "such as previous, or leave ignoreAlarms out"
        )
    if value.get("whenBusy") == SKIP:
        raise InvalidRequest(
            "ignoreAlarms and whenBusy skip: a deployment that no alarm stops is not for a "
            "schedule; keep one of them"
        )


def _flag(value: Mapping[str, Any], key: str) -> bool:
    flag = value.get(key, False)
    if not isinstance(flag, bool):
        raise InvalidRequest(f"{key}: expected true or false, not {_kind(flag)}")
    return flag


def _bad(key: str, seen: str, fix: str) -> InvalidRequest:
    return InvalidRequest(f"{key}: {seen[:120]!r} is not usable; {fix}")


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    if value is None:
        return "null"
    return names.get(type(value), "a number")
