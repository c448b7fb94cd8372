"""Starts the state machine ``hand_over``, resumes it, and tells how its executions stand."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import code, every
from quorumshift.domain.asked import Asked
from quorumshift.domain.raft import Colour
from quorumshift.domain.undo import ATTEMPTS, HandBack
from quorumshift.ports import RECONCILE

_RECENT = 100
"""Executions among which one of the same cause is looked for: more than a day has."""


@dataclass(frozen=True, slots=True)
class Known:
    """One execution. ``resumable``: somebody stopped it, and it can be resumed once. ``hook``: the
    question it was started to answer; ``why``: its cause."""

    name: str
    running: bool
    redriven: bool
    resumable: bool
    hook: str
    why: str


class HandOvers:
    """Implements ``ports.HandOvers``.

    Never two at once, whoever acts and however often: an execution's name is derived from the
    rollout, so that whoever starts the same again finds the one that is there; the next name is
    started only when the one before has ended for good; and the request that resumes one carries a
    token derived from its name, so that Step Functions does it once (``RedriveExecution``,
    ``clientToken``).
    """

    def __init__(self, stepfunctions: Any, machine: str) -> None:
        self._stepfunctions = stepfunctions
        self._machine = machine

    def start(self, deployment: str, hook: str, goal: Colour) -> bool:
        """Hand the votes to ``goal``, answering the question ``hook`` at the end (empty: none).

        ``False`` when an execution for another question has taken the name; the same question
        twice is one execution.
        """
        name = f"{deployment}-{goal.value}"
        if self._start(name, Asked(deployment, hook, goal)):
            return True
        known = self._look(name)
        return known is not None and known.hook == hook

    def resume(self, deployment: str, execution: str) -> bool:
        """Let the execution (its ARN), which somebody stopped, go on where it stood: once, and not
        when another one works on the rollout or came after it. Whether it runs now.

        That it was stopped is the caller's word: DescribeExecution is eventually consistent.
        """
        names, name = _names(deployment), execution.rpartition(":")[2]
        if name not in names:
            return False
        own = self._look(name)
        if own is not None and own.redriven:
            return own.running
        at = names.index(name)
        before = [self._look(other) for other in names[:at]]
        if any(one.running for one in before if one) or any(map(self._look, names[at + 1 :])):
            return False
        return self._resume(name)

    def hand_back(self, deployment: str) -> None:
        """Call the votes home, unless that is being done.

        A hand-over that still runs turns back by itself when it sees that the rollout stopped; so
        does one that was stopped and is resumed.
        """
        known = self._known(deployment)
        if any(one.running for one in known):
            return
        if known and known[-1].resumable and self._resume(known[-1].name):
            return
        for name in _names(deployment)[1:]:
            if self._start(name, Asked(deployment, "", Colour.BLUE)):
                return

    def state(self, deployment: str) -> HandBack:
        """How the hand-over and the attempts to hand back stand, as far as they were started. The
        last one has not ended while it can be resumed."""
        known = self._known(deployment)
        ended = [one for one in known if one.name != _names(deployment)[0]]
        if ended and (ended[-1].running or ended[-1].resumable):
            del ended[-1]
        why = ended[-1].why if ended else ""
        return HandBack(any(one.running for one in known), len(ended), why)

    def unanswered(self, deployment: str) -> str:
        """What it was started for. One that succeeded has answered."""
        known = self._look(_names(deployment)[0])
        return "" if known is None or known.running or known.why == "SUCCEEDED" else known.hook

    def reconcile(self, cause: str) -> str:
        """Start one that belongs to no rollout, named after its cause.

        One that ended well is over, so the same cause again is a new one; while one runs, or has
        ended with people being told, it is not repeated. Two at once, where :meth:`running` was
        told too late, take the same steps: each plans anew from what it sees, and a step done
        twice does no harm.
        """
        name = f"{RECONCILE}{cause}"
        before = every(
            self._stepfunctions.list_executions,
            "executions",
            stateMachineArn=self._machine,
            statusFilter="SUCCEEDED",
            maxResults=_RECENT,
        )
        recent = itertools.islice(before, _RECENT)
        ended = sum(str(one["name"]).startswith(name) for one in recent)
        name = f"{name}-{ended + 1}" if ended else name
        return name if self._start(name, Asked(goal=Colour.BLUE)) else ""

    def running(self) -> tuple[str, ...]:
        """The names of those that run (ListExecutions is eventually consistent)."""
        found = every(
            self._stepfunctions.list_executions,
            "executions",
            stateMachineArn=self._machine,
            statusFilter="RUNNING",
        )
        return tuple(str(one["name"]) for one in found)

    def _known(self, deployment: str) -> list[Known]:
        """Those that were started, in their order."""
        return [found for name in _names(deployment) if (found := self._look(name))]

    def _start(self, name: str, asked: Asked) -> bool:
        try:
            self._stepfunctions.start_execution(
                stateMachineArn=self._machine, name=name, input=asked.text()
            )
        except ClientError as error:
            if code(error) == "ExecutionAlreadyExists":
                return False
            raise
        return True

    def _resume(self, name: str) -> bool:
        try:
            self._stepfunctions.redrive_execution(
                executionArn=self._arn(name), clientToken=f"{name}-resumed"
            )
        except ClientError as error:
            if code(error) != "ExecutionNotRedrivable":
                raise
            now = self._look(name)
            return now is not None and now.running  # a person was first
        return True

    def _arn(self, name: str) -> str:
        return self._machine.replace(":stateMachine:", ":execution:") + f":{name}"

    def _look(self, name: str) -> Known | None:
        try:
            found = self._stepfunctions.describe_execution(executionArn=self._arn(name))
        except ClientError as error:
            if code(error) == "ExecutionDoesNotExist":
                return None
            raise
        return Known(
            name=name,
            running=found["status"] == "RUNNING",
            redriven=bool(found.get("redriveCount")),
            resumable=found["status"] == "ABORTED"
            and not found.get("redriveCount")
            and found.get("redriveStatus") != "NOT_REDRIVABLE",
            hook=Asked.read(json.loads(found.get("input") or "{}")).hook,
            why=str(found.get("cause") or found["status"]),
        )


def _names(deployment: str) -> list[str]:
    """Of all executions for one rollout, in the order in which they may be started."""
    back = [f"{deployment}-{Colour.BLUE.value}-{attempt}" for attempt in range(1, ATTEMPTS + 1)]
    return [f"{deployment}-{Colour.GREEN.value}", *back]
