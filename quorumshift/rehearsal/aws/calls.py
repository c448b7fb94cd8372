"""Every API call that reaches the embedded AWS, and who made it.

Who: each execution environment of a function signs with an access key id of its own, and the key
id stands in the clear in the ``Authorization`` header.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/[^/]+/[^/]+/(?P<service>[^/]+)/")
_ERROR_IN_JSON = re.compile(rb'"__type"\s*:\s*"(?:[^"#]*#)?(\w+)')
_ERROR_IN_XML = re.compile(rb"<Code>([\w.]+)</Code>")

# Where the name that signs a request is not the prefix that IAM knows the service by.
_IAM_PREFIX = {"monitoring": "cloudwatch"}
# Where an operation is granted under another name than its own.
_IAM_ACTION = {("lambda", "Invoke"): "InvokeFunction"}
# Where botocore's model of a service has another name than the one that signs.
_MODEL = {"states": "stepfunctions", "elasticloadbalancing": "elbv2"}


def iam_action(service: str, operation: str) -> str:
    """What a policy must grant for an operation: ``lambda:InvokeFunction``."""
    return f"{service}:{_IAM_ACTION.get((service, operation), operation)}"


@dataclass(frozen=True, slots=True)
class Call:
    """One call. ``at``: epoch seconds. ``service``: as IAM writes it (``elasticloadbalancing``);
    ``operation``: as the API does (``DescribeRules``). ``caller``: the function's name, ``""`` for
    anybody else. ``error``: the error code, ``""`` when it was answered well."""

    at: float
    service: str
    operation: str
    caller: str
    error: str

    @property
    def action(self) -> str:
        """What a policy must grant for it."""
        return iam_action(self.service, self.operation)


class Calls:
    """The record. Safe to use from any thread."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._callers: dict[str, str] = {}
        self._lock = threading.Lock()

    def name(self, access_key: str, caller: str) -> None:
        """Calls signed with this access key id are ``caller``'s."""
        with self._lock:
            self._callers[access_key] = caller

    def caller(self, access_key: str) -> str:
        """Whose access key id it is: a function's name, ``""`` for anybody else."""
        with self._lock:
            return self._callers.get(access_key, "")

    def add(self, service: str, operation: str, caller: str, error: str) -> None:
        """Record one call that was answered."""
        with self._lock:
            self._calls.append(Call(time.time(), service, operation, caller, error))

    def all(self) -> list[Call]:
        """The calls so far, in the order of their answers."""
        with self._lock:
            return list(self._calls)

    def count(self, *, functions_only: bool = True) -> int:
        """How many calls there were; by default those of the functions alone."""
        return sum(1 for call in self.all() if call.caller or not functions_only)


@dataclass(frozen=True, slots=True)
class Signature:
    """What the request says of itself: ``signed`` is the service's signing name."""

    key: str
    signed: str

    @property
    def service(self) -> str:
        """As IAM writes it."""
        return _IAM_PREFIX.get(self.signed, self.signed)


def signature(environ: Mapping[str, Any]) -> Signature:
    """Read the ``Authorization`` header of a WSGI request; empty fields when unsigned."""
    found = _CREDENTIAL.search(str(environ.get("HTTP_AUTHORIZATION", "")))
    return Signature(found["key"], found["service"]) if found else Signature("", "")


def operation(environ: Mapping[str, Any], body: bytes, signed: str) -> str:
    """The operation's name: from the target header, the ``Action`` field or the path."""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rpartition(".")[2]
    if str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded"):
        action = parse_qs(body.decode("utf-8", "replace")).get("Action")
        if action:
            return action[0]
    return _routed(environ, signed) or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"


def error_code(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """The error code of an answer, ``""`` when it is none. ``headers``: lower-case names."""
    if status < 400:
        return ""
    if kind := headers.get("x-amzn-errortype"):
        return kind.partition(":")[0]
    found = _ERROR_IN_JSON.search(body) or _ERROR_IN_XML.search(body)
    return found[1].decode() if found else str(status)


def _routed(environ: Mapping[str, Any], signed: str) -> str:
    """REST services tell the operation by method and path alone."""
    from botocore.exceptions import UnknownServiceError
    from moto.core.request import Request
    from moto.core.routing import get_service_router
    from werkzeug.exceptions import HTTPException

    router: Callable[[str], Any] = get_service_router
    try:
        found, _ = router(_MODEL.get(signed, signed or "s3")).match(Request(dict(environ)))
    except (HTTPException, NotImplementedError, UnknownServiceError):
        return ""
    return str(found.name)
