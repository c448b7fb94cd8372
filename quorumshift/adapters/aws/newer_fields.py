"""Fields that AWS knows and the bundled SDK does not: botocore drops them from answers, and refuses
them in requests. What is copied from an answer into a request goes around that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

RAW = "quorumshiftRaw"
"""Key of an answer, or of a request's parameters: the JSON as it is on the wire."""
_DESCRIBE, _REGISTER = "ecs.DescribeTaskDefinition", "ecs.RegisterTaskDefinition"


def listen(events: Any) -> None:
    """Have a client tell both operations' answers as they came, and send one's request as given."""
    for operation in (_DESCRIBE, _REGISTER):
        events.register(f"before-parse.{operation}", _keep, unique_id=f"raw-{operation}")
    events.register(f"before-parameter-build.{_REGISTER}", _take, unique_id="raw-take")
    events.register(f"before-call.{_REGISTER}", _send, unique_id="raw-send")


def known(value: Any, shape: Any) -> Any:
    """``value`` without what a botocore ``shape`` does not have, at every depth."""
    if shape.type_name == "structure":
        members = shape.members
        return {key: known(one, members[key]) for key, one in value.items() if key in members}
    if shape.type_name == "list":
        return [known(one, shape.member) for one in value]
    return value


def newer(value: Any, shape: Any, where: str = "") -> dict[str, Any]:
    """What :func:`known` leaves out: path → value."""
    found: dict[str, Any] = {}
    if shape.type_name == "structure":
        for key, one in value.items():
            path = f"{where}.{key}" if where else key
            if key in shape.members:
                found |= newer(one, shape.members[key], path)
            else:
                found[path] = one
    elif shape.type_name == "list":
        for at, one in enumerate(value):
            found |= newer(one, shape.member, f"{where}[{at}]")
    return found


def without_nulls(value: Any) -> Any:
    """As botocore reads it: what is null is not there."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [without_nulls(one) for one in value]
    return value


def _keep(
    response_dict: Mapping[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    if response_dict["status_code"] >= 300:
        return
    try:
        customized_response_dict[RAW] = without_nulls(json.loads(response_dict["body"]))
    except ValueError:
        return  # answers.py says so


def _take(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    context[RAW] = params.pop(RAW, None)


def _send(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    if context.get(RAW) is not None:
        params["body"] = json.dumps(context[RAW]).encode()
