"""A resource's properties, turned into the parameters of the API call that makes it.

CloudFormation and the APIs mean the same and spell it differently (``DesiredCount``,
``desiredCount``; ``"300"``, ``300``). The API's model knows the spelling and the types, and it
tells a property that exists from one that does not.
"""

from __future__ import annotations

import json
from typing import Any

from quorumshift.rehearsal.aws.loud import NotRehearsed


def parameters(properties: Any, shape: Any, path: str = "") -> Any:
    """``properties`` in the spelling and the types of ``shape``, botocore's model of the input.

    Raises :class:`NotRehearsed` for a property that the API does not know.
    """
    if shape.type_name == "structure":
        return _structure(properties, shape, path)
    if shape.type_name == "list":
        return [
            parameters(value, shape.member, f"{path}[{index}]")
            for index, value in enumerate(properties)
        ]
    if shape.type_name == "map":
        return {
            str(key): parameters(value, shape.value, f"{path}.{key}")
            for key, value in properties.items()
        }
    return _scalar(properties, shape.type_name)


def _structure(properties: dict[str, Any], shape: Any, path: str) -> dict[str, Any]:
    members = {name.lower(): name for name in shape.members}
    result = {}
    for key, value in properties.items():
        name = members.get(key.lower())
        if name is None:
            raise NotRehearsed(
                f"property {path}.{key} has no counterpart in {shape.name}"
                " (quorumshift/rehearsal/aws/cloudformation_kinds.py says what becomes of it)"
            )
        result[name] = parameters(value, shape.members[name], f"{path}.{key}")
    return result


def _scalar(value: Any, kind: str) -> Any:
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if kind == "string" and isinstance(value, bool):
        return str(value).lower()
    if kind == "string":
        return json.dumps(value) if isinstance(value, (dict, list)) else str(value)
    return value
