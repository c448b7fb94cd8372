"""What the embedded AWS cannot do, it says: an error that no client retries and nobody overlooks.

moto answers an operation it lacks with status 500, which SDKs retry for a while and then report
as if AWS were ill; and some things it accepts without doing them. Here both become an error of
the 400 class with a code of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from quorumshift.rehearsal.aws.patching import replace

MISSING = "RehearsalDoesNotImplement"
BROKEN = "RehearsalBroke"

Answer = tuple[int, list[tuple[str, str]], bytes]


class NotRehearsed(NotImplementedError):
    """Something was asked for that the rehearsal does not do. Say what, and where to build it.

    ``blamed``: the message names the resource already."""

    blamed = False


class Refused(Exception):
    """An answer of the 400 class, with a ``code`` of its own; the message says why."""

    code = "ValidationException"


def refuse(environ: Mapping[str, Any], service: str, code: str, message: str) -> Answer:
    """An error answer in the protocol that the request was made in."""
    if environ.get("HTTP_X_AMZ_TARGET"):
        return _json(code, message, "application/x-amz-json-1.1")
    if str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded"):
        return _query(service, code, message)
    if service in ("s3", ""):
        inner = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
        return _xml(f"<Error>{inner}</Error>")
    return _json(code, message, "application/json")


def missing(service: str, operation: str, reason: str = "") -> str:
    """The message for an operation that nobody built."""
    return (
        f"{service}:{operation} is not part of the rehearsal"
        + (f" ({reason})" if reason else "")
        + ". Neither moto nor an engine in quorumshift/rehearsal/aws does it: build it there, or"
        " do without it."
    )


def _json(code: str, message: str, content_type: str) -> Answer:
    body = json.dumps({"__type": code, "message": message}).encode()
    return 400, [("Content-Type", content_type), ("x-amzn-errortype", code)], body


def _query(service: str, code: str, message: str) -> Answer:
    inner = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if service == "ec2":
        return _xml(f"<Response><Errors><Error>{inner}</Error></Errors></Response>")
    return _xml(f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error></ErrorResponse>")


def _xml(text: str) -> Answer:
    return 400, [("Content-Type", "text/xml")], f'<?xml version="1.0"?>{text}'.encode()


class LoudEngine:
    """Makes an error of what moto accepts and then does not do."""

    def install(self) -> None:
        """Patch the filter of CloudWatch Logs, which lets everything pass that it cannot read."""
        from moto.logs.utils import UnsupportedFilterPattern

        def matches(self: Any, message: str) -> bool:
            if self.term:
                raise NotRehearsed(f"the filter pattern {self.term!r}; terms and quoted texts are")
            return True

        replace(UnsupportedFilterPattern, "matches", matches, "self message")

    def start(self) -> None:
        """Nothing of its own runs."""

    def stop(self) -> None:
        """Nothing of its own runs."""
