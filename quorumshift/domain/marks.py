"""How a deployment, or a build, is recognised as the one an execution started.

Starting a deployment cannot be made idempotent at the engine, so its description carries a mark
that is derived from the execution: whoever repeats the step finds it and adopts the deployment. A
build is found by its mark when nobody waits for it any more.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

LONGEST_DESCRIPTION = 256
"""What CodeDeploy takes."""

_MARK = re.compile(r"\[quorumshift ([0-9a-f]{12}) r([0-9]+)(?: over r([0-9]+))?\]$")


@dataclass(frozen=True, slots=True)
class Mark:
    """``execution``: twelve hex digits derived from its id. ``revision``: number of the task
    definition's revision that was asked for. ``over``: of the one that served by then, where it is
    known."""

    execution: str
    revision: int
    over: int | None = None


def mark_for(execution_id: str, task_definition: str, replaces: str = "") -> Mark:
    """The mark of an execution (its ARN) that deploys this revision (its ARN) over another one of
    its family."""
    digest = hashlib.sha256(execution_id.encode()).hexdigest()[:12]
    family, _, revision = task_definition.rpartition(":")
    before, _, over = replaces.rpartition(":")
    return Mark(digest, int(revision), int(over) if before == family else None)


def build_mark(execution_id: str) -> str:
    """32 hex digits derived from an execution's id."""
    return hashlib.sha256(execution_id.encode()).hexdigest()[:32]


def describe(description: str, mark: Mark) -> str:
    """``description`` with the mark behind it, shortened to what the engine takes."""
    over = f" over r{mark.over}" if mark.over is not None else ""
    tail = f"[quorumshift {mark.execution} r{mark.revision}{over}]"
    head = description[: LONGEST_DESCRIPTION - len(tail) - 1].rstrip()
    return f"{head} {tail}".lstrip()


def read_mark(description: str | None) -> Mark | None:
    """The mark in a description, if there is one."""
    found = _MARK.search(description) if description else None
    if found is None:
        return None
    return Mark(found[1], int(found[2]), int(found[3]) if found[3] else None)
