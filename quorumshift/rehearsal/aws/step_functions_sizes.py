"""How large the data of a state may be, measured as AWS does: bytes of its compact JSON in UTF-8.

moto measures with a space behind each comma and colon and everything but ASCII escaped, and leaves
the execution's input out.
"""

from __future__ import annotations

import json
from typing import Any

from quorumshift.rehearsal.aws.loud import Refused
from quorumshift.rehearsal.aws.patching import replace

LARGEST = 262_144
"""Bytes (AWS Step Functions Developer Guide, "Service quotas": maximum input or output size)."""

_WRAPPED = {"StatusCode", "Payload"}
"""Lambda's answer, of which only the payload is a state's data."""


class InputTooLarge(Refused):
    """As AWS says it."""

    code = "ValidationException"


def size(value: Any) -> int:
    """Bytes."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str).encode())


def install() -> None:
    """Patch moto's measure, wherever it is used."""
    from moto.stepfunctions.parser.asl.component.state import state
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_lambda

    def is_within_size_quota(value: Any) -> bool:
        wrapped = isinstance(value, dict) and value.keys() == _WRAPPED
        return size(value["Payload"] if wrapped else value) <= LARGEST

    for module in (state, state_task_lambda):
        replace(module, "is_within_size_quota", is_within_size_quota, "value")


def refuse_input(given: str | None) -> None:
    """Raises :class:`InputTooLarge` for the input of an execution."""
    if given is not None and len(given.encode()) > LARGEST:
        raise InputTooLarge(
            f"1 validation error detected: the input has {len(given.encode())} bytes and may have "
            f"{LARGEST}"
        )
