"""As much of Amazon States Language as the two workflows use, without a clock.

The rehearsal runs them in a whole interpreter; this one makes hundreds of paths cheap. What it
does not know is an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Call = Callable[[str, dict[str, Any]], Any]
MOST_STATES = 2000


@dataclass
class Ended:
    """How it ended: at which state, with what; and every state that was entered."""

    at: str
    state: Any
    error: str = ""
    cause: str = ""
    states: list[str] = field(default_factory=list)


def run(definition: dict[str, Any], given: Any, call: Call, context: dict[str, Any]) -> Ended:
    """Run to an end. ``call(name, payload)`` is a function; what it raises is caught by name."""
    name, state, entered = definition["StartAt"], given, []
    for _ in range(MOST_STATES):
        entered.append(name)
        here = definition["States"][name]
        kind = here["Type"]
        if kind == "Succeed":
            return Ended(name, state, states=entered)
        if kind == "Fail":
            error, cause = read(state, here["ErrorPath"]), read(state, here["CausePath"])
            assert isinstance(error, str)
            assert isinstance(cause, str)
            return Ended(name, state, error, cause, entered)
        if kind == "Choice":
            name = _choose(here, state)
            continue
        if kind == "Wait":
            assert isinstance(read(state, here["SecondsPath"]), int)
        elif kind == "Pass":
            state = _fill(here["Parameters"], state, context)
        elif kind == "Task":
            try:
                result = call(name, json.loads(json.dumps(state)))
            except Exception as error:  # noqa: BLE001 # as Lambda, which reports whatever it was
                (catch,) = here["Catch"]
                wrapped = {"errorMessage": str(error), "errorType": type(error).__name__}
                caught = {"Error": type(error).__name__, "Cause": json.dumps(wrapped)}
                state = place(state, catch["ResultPath"], caught)
                name = catch["Next"]
                continue
            state = place(state, here["ResultPath"], json.loads(json.dumps(result)))
        else:
            raise NotImplementedError(kind)
        name = here["Next"]
    raise AssertionError(f"no end after {MOST_STATES} states: {entered[-12:]}")


def read(state: Any, path: str) -> Any:
    """The value at ``$.a.b``. Raises ``KeyError`` as Step Functions fails the execution."""
    for key in path.removeprefix("$").split(".")[1:]:
        state = state[key]
    return state


def place(state: Any, path: str, value: Any) -> Any:
    """``state`` with ``value`` at ``$`` or ``$.a``."""
    if path == "$":
        return value
    _, key = path.split(".")
    return {**state, key: value}


def _fill(template: Any, state: Any, context: dict[str, Any]) -> Any:
    filled = {}
    for key, value in template.items():
        if key.endswith(".$"):
            source = context if value.startswith("$$") else state
            filled[key[:-2]] = read(source, value.replace("$$", "$"))
        else:
            filled[key] = _fill(value, state, context)
    return filled


def _choose(here: dict[str, Any], state: Any) -> str:
    for rule in here["Choices"]:
        try:
            value = read(state, rule["Variable"])
        except KeyError:
            if "IsPresent" in rule:
                continue
            raise
        if (
            rule.get("IsPresent") is True
            or ("StringEquals" in rule and value == rule["StringEquals"])
            or ("BooleanEquals" in rule and value is rule["BooleanEquals"])
        ):
            return str(rule["Next"])
    return str(here["Default"])
