"""What Step Functions writes into an execution's history, state by state.

AWS Step Functions API reference, "HistoryEvent"; the embedded Step Functions counts the same
(``tests/rehearsal/test_step_functions_limits.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

BOTH_ENDS = 2
"""ExecutionStarted, and how it ended."""


def cost(state: dict[str, Any], tries: int = 1) -> int:
    """Events of one passage: entered, exited (which a Fail is not), and for each of a task's
    ``tries``: scheduled, started, and succeeded, failed or timed out."""
    return {"Fail": 1, "Task": 2 + 3 * tries}.get(state["Type"], 2)


def worst(state: dict[str, Any]) -> int:
    """Events of the longest passage. Each retrier counts for itself."""
    return cost(state, 1 + sum(retry["MaxAttempts"] for retry in state.get("Retry", ())))


def following(state: dict[str, Any]) -> Iterator[str]:
    """The names of the states that may come next."""
    for there in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        if "Next" in there:
            yield there["Next"]
    if "Default" in state:
        yield state["Default"]


def dearest_round(states: dict[str, Any], start: str) -> int:
    """Events of the most expensive way from a state back to itself."""

    def ways(name: str, passed: frozenset[str]) -> Iterator[int]:
        for there in following(states[name]):
            if there == start:
                yield worst(states[name])
            elif there not in passed:
                for rest in ways(there, passed | {there}):
                    yield worst(states[name]) + rest

    return max(ways(start, frozenset({start})))
