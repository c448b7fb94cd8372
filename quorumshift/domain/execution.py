"""One execution of the state machine ``deploy``, seen from outside: what it is, how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from quorumshift.domain.findings import table

ROLLED_BACK_AT = "RolledBack"
"""The state in which an execution ends when its deployment was undone."""
SKIPPED_AT = "Skipped"
"""The state in which one ends that would rather not run while another deployment did."""
FOLLOWING = frozenset({"NotifyStarted", "WaitForDeployment"})
"""Once one of these states was entered, a deployment was made."""
CREATING = "CreateDeployment"
"""While this state is at work, nobody knows whether a deployment exists."""


class Ending(StrEnum):
    """How an execution stands. ``REFUSED``: it ended before a deployment existed, and nothing was
    touched. ``SKIPPED``: it would rather not run beside another deployment, as it was asked to.
    ``FAILED``, ``STOPPED``, ``TIMED_OUT``: it ended with a deployment, or perhaps with
    one, and without a word of how that ended."""

    RUNNING = "running"
    DEPLOYED = "deployed"
    ROLLED_BACK = "rolledBack"
    REFUSED = "refused"
    SKIPPED = "skipped"
    FAILED = "failed"
    STOPPED = "stopped"
    TIMED_OUT = "timedOut"


_UNFINISHED = {"ABORTED": Ending.STOPPED, "TIMED_OUT": Ending.TIMED_OUT}


def ending(status: str, last_state: str, document: Mapping[str, Any]) -> Ending:
    """``status``: the workflow engine's word; ``last_state``: the last one entered; ``document``:
    what it was given."""
    if status in ("RUNNING", "PENDING_REDRIVE"):
        return Ending.RUNNING
    if status == "SUCCEEDED":
        return Ending.SKIPPED if last_state == SKIPPED_AT else Ending.DEPLOYED
    if status == "FAILED" and last_state == ROLLED_BACK_AT:
        return Ending.ROLLED_BACK
    if not has_deployment(last_state, document):
        return Ending.REFUSED
    return _UNFINISHED.get(status, Ending.FAILED)


def has_deployment(last_state: str, document: Mapping[str, Any]) -> bool:
    """Whether one exists, or may: while it is being created nobody knows."""
    if last_state == CREATING:
        return True
    deployment, outcome = table(document, "deployment"), table(document, "outcome")
    return bool(deployment.get("id") or outcome.get("touched"))


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution. ``id``: its ARN; ``status``: the engine's word; ``started``, ``stopped``:
    epoch seconds; ``request``: its input; ``error``, ``cause``: of an end that is no success."""

    id: str
    name: str
    status: str
    started: float
    stopped: float | None
    request: dict[str, Any]
    error: str
    cause: str

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.status in ("RUNNING", "PENDING_REDRIVE")

    @property
    def since(self) -> str:
        """When it started, as CodeDeploy takes it: ISO 8601 without fractions."""
        return datetime.fromtimestamp(int(self.started), UTC).isoformat()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an execution stands, or ended: the last state, and the data that it was given."""

    state: str
    document: dict[str, Any]

    def ending(self, status: str) -> Ending:
        """How it stands."""
        return ending(status, self.state, self.document)

    @property
    def has_deployment(self) -> bool:
        """Whether a deployment exists, or may."""
        return has_deployment(self.state, self.document)
