"""Step Functions through the AWS CLI, which a GitHub runner brings along."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Any

from quorumshift.adapters.aws.history import read_event
from quorumshift.domain.chronicle import Event

_CODE = re.compile(r"An error occurred \((\w+)\)")
_ANSWERS = {
    "start-execution": ("executionArn",),
    "describe-execution": ("executionArn", "name", "status", "startDate", "input"),
    "get-execution-history": ("events",),
}
"""What each answer has that is one."""
_OURS = re.compile(r"credentials|region|profile|usage:", re.IGNORECASE)
"""What the AWS CLI complains of before it asks anything; its exit status is that of no reply, too,
in version 1."""


class CallFailed(Exception):
    """``code``: AWS's name of the error; empty where AWS did not answer. ``passing``: whether AWS
    may have done it, and would do no more if it were asked again."""

    def __init__(self, code: str, message: str, passing: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.passing = passing


def call(operation: str, **parameters: str) -> dict[str, Any]:
    """One call of Step Functions; ``parameters`` are the CLI's options. Raises ``CallFailed``, for
    an answer without what it must have, too: the AWS CLI ends with 0 and prints nothing where a
    proxy answered with a page of its own."""
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
        name = code[1] if code else ""
        raise CallFailed(name, said, passing=_is_passing(name, said))
    return _read(operation, done.stdout)


def _is_passing(code: str, said: str) -> bool:
    """Whether AWS was asked and nobody knows what it did."""
    return code.isdigit() or (not code and not _OURS.search(said))


def _read(operation: str, text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text or "null")
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not answer.keys() >= set(_ANSWERS[operation]):
        said = f"printed {' '.join(text.split())[:80]!r}" if text.strip() else "printed nothing"
        raise CallFailed(
            "",
            f"the AWS CLI {said} for {operation} and called that a success: something that is not "
            "AWS answered; look at the runner's proxy and endpoints",
            passing=True,
        )
    return answer


class History:
    """The events of one execution, read on from where the last reading ended."""

    STEP = 100
    """How many events a reading asks for at first."""

    def __init__(self, execution: str) -> None:
        self._execution = execution
        self._known = 0

    def read(self) -> list[Event]:
        """What is new, the oldest first. Raises ``CallFailed``.

        The service cannot be asked for what came after an event, so the newest are read backwards,
        more of them each time, until the last known one is among them.
        """
        wanted = self.STEP
        while True:
            answer = call(
                "get-execution-history",
                execution_arn=self._execution,
                reverse_order="",
                max_items=str(wanted),
            )
            events = answer["events"]
            if not events:  # reading is eventually consistent: it was started just now
                return []
            if not answer.get("NextToken") or events[-1]["id"] <= self._known + 1:
                break
            wanted *= 4
        new = [event for event in reversed(events) if event["id"] > self._known]
        self._known = events[0]["id"]
        return [read for event in new if (read := read_event(event))]
