"""As much of Amazon States Language as the two workflows use, on whatever clock it is given.

The rehearsal runs them in a whole interpreter; this one makes hundreds of paths cheap. What it
does not know is an error.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Call = Callable[[str, dict[str, Any]], Any]
Sleep = Callable[[float], None]
Entered = Callable[[str, Any], None]
Copied = Callable[[Any], Any]
MOST_STATES = 20_000


@dataclass
class Ended:
    """How it ended: at which state, with what; and every state that was entered."""

    at: str
    state: Any
    error: str = ""
    cause: str = ""
    states: list[str] = field(default_factory=list)


def through_json(data: Any) -> Any:
    """As it arrives."""
    return json.loads(json.dumps(data))


def run(
    definition: dict[str, Any],
    given: Any,
    call: Call,
    context: dict[str, Any],
    sleep: Sleep = lambda seconds: None,
    begin: str = "",
    told: Entered = lambda name, state: None,
    copied: Copied = through_json,
) -> Ended:
    """Run to an end. ``call(name, payload)`` is a function; what it raises is retried and caught by
    name. ``sleep`` is told how long is waited: of a jitter, the middle. ``begin``: the state to
    begin at, as a redrive does; ``told``: each state that is entered, with its input.
    ``copied``: makes of data what the other end gets."""
    name, state, entered = begin or definition["StartAt"], given, []
    for _ in range(MOST_STATES):
        entered.append(name)
        told(name, state)
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
            seconds = read(state, here["SecondsPath"])
            assert isinstance(seconds, int)
            sleep(seconds)
        elif kind == "Pass":
            state = place(
                state,
                here.get("ResultPath", "$"),
                _fill(here["Parameters"], state, context),
            )
        elif kind == "Task":
            name, state = _task(name, here, state, call, sleep, copied)
            continue
        else:
            raise NotImplementedError(kind)
        name = here["Next"]
    raise AssertionError(f"no end after {MOST_STATES} states: {entered[-12:]}")


def _task(
    name: str, here: dict[str, Any], state: Any, call: Call, sleep: Sleep, copied: Copied
) -> tuple[str, Any]:
    """The next state, and the data as the task or a Catch has left it."""
    tried: Counter[int] = Counter()
    while True:
        try:
            result = call(name, copied(state))
        except Exception as error:  # noqa: BLE001 # as Lambda, which reports whatever it was
            kind = getattr(error, "asl", type(error).__name__)
            retries = here.get("Retry", ())
            which = next((i for i, one in enumerate(retries) if _is_for(one, kind)), None)
            if which is not None and tried[which] < retries[which]["MaxAttempts"]:
                one = retries[which]
                pause = one["IntervalSeconds"] * one["BackoffRate"] ** min(tried[which], 30)
                sleep(min(pause, one["MaxDelaySeconds"]) / 2)
                tried[which] += 1
                continue
            catch = next(one for one in here["Catch"] if _is_for(one, kind))
            wrapped = {"errorMessage": str(error), "errorType": kind}
            caught = {"Error": kind, "Cause": json.dumps(wrapped)}
            return catch["Next"], place(state, catch["ResultPath"], caught)
        return here["Next"], place(state, here["ResultPath"], copied(result))


def _is_for(retry_or_catch: dict[str, Any], kind: str) -> bool:
    return bool({kind, "States.ALL"} & set(retry_or_catch["ErrorEquals"]))


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
            filled[key[:-2]] = _value(value, state, context)
        else:
            filled[key] = _fill(value, state, context)
    return filled


def _value(text: str, state: Any, context: dict[str, Any]) -> Any:
    """What a path or ``States.MathAdd($.a, 1)`` stands for."""
    if added := re.fullmatch(r"States\.MathAdd\((\$[\w.]+), (\d+)\)", text):
        return read(state, added[1]) + int(added[2])
    assert text.startswith("$"), text
    return read(context if text.startswith("$$") else state, text.replace("$$", "$"))


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
            or ("NumericLessThanPath" in rule and value < read(state, rule["NumericLessThanPath"]))
        ):
            return str(rule["Next"])
    return str(here["Default"])
