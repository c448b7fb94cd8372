"""Executions of the state machine ``deploy``: started, listed, stopped, and read from their
histories."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import code, every
from quorumshift.adapters.aws.history import read_event, read_execution
from quorumshift.domain.chronicle import Event, Mark
from quorumshift.domain.errors import InvalidRequest
from quorumshift.domain.execution import Execution, Place

LATEST = "latest"
_PAGE = 200
_TAIL = 20
"""Events from the end, among which the last entry of a state is."""


class Executions:
    """Those of one state machine (its ARN)."""

    def __init__(self, stepfunctions: Any, machine: str) -> None:
        self._stepfunctions = stepfunctions
        self._machine = machine

    def start(self, name: str, request: dict[str, Any]) -> tuple[Execution, bool]:
        """Start one; whether it is new. Who starts the same again adopts the one that is there.

        Raises ``InvalidRequest`` when the name was used for another request.
        """
        if (known := self.find(name)) is not None:
            return self._adopted(known, request), False
        try:
            self._stepfunctions.start_execution(
                stateMachineArn=self._machine, name=name, input=json.dumps(request)
            )
        except ClientError as error:
            if code(error) != "ExecutionAlreadyExists":
                raise
            return self._adopted(self.describe(self.arn(name)), request), False
        return self.describe(self.arn(name)), True

    def find(self, text: str) -> Execution | None:
        """By ARN, name or ``latest``; ``None``: this state machine has none such."""
        if text == LATEST:
            return next(self.newest(1), None)
        arn = text if text.startswith("arn:") else self.arn(text)
        if not arn.startswith(self.arn("")):  # another machine's, which is not to be stopped here
            return None
        try:
            return self.describe(arn)
        except ClientError as error:
            if code(error) in ("ExecutionDoesNotExist", "InvalidArn"):
                return None
            raise

    def describe(self, arn: str) -> Execution:
        """One, by its ARN."""
        return read_execution(self._stepfunctions.describe_execution(executionArn=arn))

    def newest(self, count: int) -> Iterator[Execution]:
        """The last ones, newest first."""
        listed = every(
            self._stepfunctions.list_executions,
            "executions",
            stateMachineArn=self._machine,
            maxResults=min(count, 99),
        )
        for one in itertools.islice(listed, count):
            yield self.describe(str(one["executionArn"]))

    def stop(self, arn: str, cause: str) -> None:
        """End the execution alone. One that has ended is no error."""
        self._stepfunctions.stop_execution(
            executionArn=arn, error="StoppedByRequest", cause=cause[:32768]
        )

    def place(self, arn: str) -> Place:
        """Where it stands, read from the end of its history. The data is the last that is whole."""
        state = ""
        for event in self._backwards(arn, _TAIL):
            if event.mark in (Mark.ENTERED, Mark.LEFT):
                state = state or event.state
                if event.document:
                    return Place(state, dict(event.document))
        return Place(state, {})

    def history(self, arn: str, after: int = 0) -> list[Event]:
        """The events behind number ``after``, oldest first; read from the end, so that to ask again
        costs little however long the history is."""
        found: list[Event] = []
        for event in self._backwards(arn, _PAGE if after == 0 else _TAIL):
            if event.number <= after:
                break
            found.append(event)
        return found[::-1]

    def arn(self, name: str) -> str:
        """Of the execution by this name."""
        return self._machine.replace(":stateMachine:", ":execution:") + f":{name}"

    def _adopted(self, known: Execution, request: dict[str, Any]) -> Execution:
        asked, was = _what(request), _what(known.request)
        if asked != was:
            raise InvalidRequest(
                f"an execution {known.name} exists, and was asked for {json.dumps(was)}, not for "
                f"{json.dumps(asked)}; give another --execution-name"
            )
        return known

    def _backwards(self, arn: str, page: int) -> Iterator[Event]:
        found = every(
            self._stepfunctions.get_execution_history,
            "events",
            executionArn=arn,
            reverseOrder=True,
            maxResults=page,
        )
        for one in found:
            event = read_event(one)
            if event is not None:
                yield event


def _what(request: dict[str, Any]) -> dict[str, Any]:
    """The request but for who asks."""
    return {key: value for key, value in request.items() if key != "initiator"}
