"""Step Functions through the AWS CLI, which a GitHub runner brings along."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from typing import Any

_CODE = re.compile(r"An error occurred \((\w+)\)")
_KEPT = ("id", "type", "timestamp", "stateExitedEventDetails")


class CallFailed(Exception):
    """``code``: AWS's name of the error; empty where AWS did not answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def call(operation: str, **parameters: str) -> dict[str, Any]:
    """One call of Step Functions; ``parameters`` are the CLI's options. Raises ``CallFailed``."""
    command = ["aws", "stepfunctions", operation, "--output", "json"]
    for name, value in parameters.items():
        option = f"--{name.replace('_', '-')}"
        command += [option, value] if value else [option]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "AWS_PAGER": ""},
        )
    except FileNotFoundError:
        raise CallFailed(
            "", "there is no AWS CLI on this runner; install it in a step before this one"
        ) from None
    if done.returncode:
        code = _CODE.search(done.stderr)
        said = " ".join(done.stderr.split()) or f"the AWS CLI ended with {done.returncode}"
        raise CallFailed(code[1] if code else "", said)
    return dict(json.loads(done.stdout))


class History:
    """The events of one execution, read on from where the last reading ended."""

    STEP = 100
    """How many events a reading asks for at first."""

    def __init__(self, execution: str) -> None:
        self._execution = execution
        self._events: list[dict[str, Any]] = []

    def read(self) -> list[dict[str, Any]]:
        """All events so far, the oldest first. Raises ``CallFailed``.

        The service cannot be asked for what came after an event, so the newest are read backwards,
        more of them each time, until the last known one is among them.
        """
        known = self._events[-1]["id"] if self._events else 0
        wanted = self.STEP
        while True:
            answer = call(
                "get-execution-history",
                execution_arn=self._execution,
                reverse_order="",
                max_items=str(wanted),
            )
            events = answer["events"]
            if not answer.get("NextToken") or events[-1]["id"] <= known + 1:
                break
            wanted *= 4
        new = [_kept(event) for event in reversed(events) if event["id"] > known]
        self._events += new
        return self._events


def _kept(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event without what functions were given, which is most of it and told by nobody."""
    kept = {key: event[key] for key in _KEPT if key in event}
    if entered := event.get("stateEnteredEventDetails"):
        kept["stateEnteredEventDetails"] = {"name": entered["name"]}
    for key, details in event.items():
        if key.endswith(("FailedEventDetails", "TimedOutEventDetails")):
            kept[key] = details
    return kept
