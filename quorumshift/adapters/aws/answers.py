"""Whether it was AWS that answered, or a proxy with a page of its own.

botocore takes a page of HTML with status 200 for an empty answer (JSON services), or raises what is
no error of its own (``KeyError``, ``ResponseParserError``: query services); where nothing is read
from the answer, nothing is noticed at all (``botocore/parsers.py``, ``_parse_body_as_json`` and
``_find_result_wrapped_shape``). So the body is looked at before it is parsed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from quorumshift.domain.errors import Transient

_QUOTED = 80
"""Characters of a stranger's answer that are repeated."""
_HTML = re.compile(rb"\s*<(!doctype\s+html|html)\b", re.IGNORECASE)
_ROOT = re.compile(rb"\s*(?:<\?xml[^>]*\?>\s*)?<(?:\w+:)?(\w+)")


class Answer(dict[str, Any]):
    """What AWS answered. A key that is read and not there is ``Transient``, like no answer."""

    def __init__(self, operation: str, members: Mapping[str, Any]) -> None:
        super().__init__(members)
        self._operation = operation

    def __missing__(self, key: str) -> Any:
        raise Transient(f"AWS's answer to {self._operation} has no {key}; try again")


def refuse_strangers(operation_model: Any, response_dict: Mapping[str, Any], **_: Any) -> None:
    """A handler of botocore's event ``before-parse``. Raises ``Transient`` for what no AWS service
    answers.

    A page with status 500 and above is left to botocore, which tries again.
    """
    status, body = int(response_dict["status_code"]), response_dict["body"]
    kind = str(response_dict["headers"].get("content-type") or "")
    if status >= 500:
        return
    if not isinstance(body, bytes):  # a stream, which the caller reads
        fits = not kind.startswith("text/html")
    elif status >= 300:
        fits = not _HTML.match(body)
    else:
        fits = _fits(operation_model, body)
    if not fits:
        said = f": {_quote(body)}" if isinstance(body, bytes) else ""
        raise Transient(
            f"something that is not AWS answered {operation_model.name} (HTTP {status}, "
            f"{kind or 'no content type'}{said}); look at proxies and endpoints on the way, and "
            "try again"
        )


def _fits(operation: Any, body: bytes) -> bool:
    protocol = operation.service_model.resolved_protocol
    if protocol in ("query", "ec2"):
        root = _ROOT.match(body)
        return root is not None and root[1].decode() == f"{operation.name}Response"
    if protocol not in ("json", "rest-json"):
        return not _HTML.match(body)
    if not body:
        return not _has_body(operation.output_shape)
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


def _has_body(shape: Any) -> bool:
    """Whether a member of the answer stands in its body."""
    members = shape.members.values() if shape else ()
    return any("location" not in member.serialization for member in members)


def _quote(body: bytes) -> str:
    text = " ".join(body.decode("utf-8", "replace").split())
    return repr(text[:_QUOTED]) if text else "nothing"
