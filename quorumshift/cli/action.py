"""What the GitHub action runs: starts an execution of ``deploy``, follows it, and ends as it ended.

It needs Python and the AWS CLI, which GitHub's runners have, and nothing that would have to be
installed (docs/decisions/0010). What it is told comes through the environment: ``QUORUMSHIFT_…``
from ``action.yml``, ``GITHUB_…`` from the runner, ``AWS_…`` from the step that assumed the role.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from quorumshift.adapters.aws.history import read_execution
from quorumshift.cli.action_aws import CallFailed, History, call
from quorumshift.cli.action_request import Asked, BadInput, asked
from quorumshift.cli.errors import tracebacks_made_safe
from quorumshift.cli.exit_codes import ExitCode, code_of
from quorumshift.domain.chronicle import Chronicle
from quorumshift.domain.execution import Ending, Execution
from quorumshift.domain.findings import Document, table
from quorumshift.domain.shown import job_line, markdown, one_line, page
from quorumshift.report.chronicle import record
from quorumshift.report.job_log import JobLog
from quorumshift.report.summary import as_markdown, titled

PATIENCE = 12
"""Looks in a row that may fail, beyond what the AWS CLI tries by itself, until one gives up."""
_AGAIN = (
    "This run had started its execution before. A re-run deploys nothing: it follows that execution"
)


class Following:
    """One execution, from its start to what is left of it on GitHub."""

    def __init__(self, request: Asked, environment: Mapping[str, str], log: JobLog) -> None:
        self._asked = request
        self._environment = environment
        self._log = log
        self._every = float(environment.get("QUORUMSHIFT_EVERY_SECONDS") or 10)
        self._chronicle = Chronicle()
        self._execution: Execution | None = None

    def start(self) -> None:
        """Start the execution, or find the one that this run has started already.

        Raises ``CallFailed``, and ``BadInput`` when that one was asked for something else.
        """
        try:
            self._patiently(
                "start-execution",  # the same name and input twice is one execution
                state_machine_arn=self._asked.machine,
                name=self._asked.name,
                input=self._asked.input,
            )
        except CallFailed as error:
            if error.code != "ExecutionAlreadyExists":
                raise
            found = self._patiently("describe-execution", execution_arn=self._asked.execution)
            if found["input"] != self._asked.input:
                raise BadInput(
                    f"execution {self._asked.name} of this run exists and was asked for something "
                    f"else: {found['input']}; deploy once a job, or in another job"
                ) from None
            self._log.say(f"{_AGAIN}, whose status is {found['status']}.")
        self._put_out("execution-arn", self._asked.execution)
        self._log.say(f"execution: {self._asked.execution}")
        if self._asked.console:
            self._log.say(f"console: {self._asked.console}")

    def _patiently(self, operation: str, **parameters: str) -> dict[str, Any]:
        for _ in range(PATIENCE):
            try:
                return call(operation, **parameters)
            except CallFailed as error:
                if not error.passing:
                    raise
            time.sleep(self._every)
        return call(operation, **parameters)

    def follow(self) -> Document:
        """Show it until it ends; return its record. Raises ``CallFailed`` when it cannot be seen
        any more."""
        history = History(self._asked.execution)
        failures = 0
        while True:
            try:
                described = call("describe-execution", execution_arn=self._asked.execution)
                # Read after the status: what has ended has its whole history.
                events = history.read()
                failures = 0
            except CallFailed as error:
                failures += 1
                if failures > PATIENCE or error.code.startswith(("ExpiredToken", "AccessDenied")):
                    raise
            else:
                self._execution = read_execution(described)
                news = [one for event in events for one in self._chronicle.take(event)]
                self._log.show(news, self._chronicle.chapter)
                if not self._execution.running:
                    return self._record(self._execution)
            time.sleep(self._every)

    def finish(self, found: Document) -> int:
        """Leave summary and outputs; return the exit code."""
        ending = Ending(found["ending"])
        again = "To try again, start a new run: a re-run of this one only reports it."
        self._summarise("" if ending is Ending.DEPLOYED else again)
        self._put_out("ending", ending)
        self._put_out("task-definition", table(found, "revision").get("to") or "")
        self._put_out("deployment-id", found["deployment"] or "")
        if ending is Ending.DEPLOYED:
            self._log.notice("quorumshift", titled(found))
        else:
            self._log.error(titled(found), found["cause"])
            self._log.say(again)
        return code_of(ending)

    def leave(self, why: str) -> None:
        """Say that nobody follows any more, that the deployment goes on, and how to stop it."""
        text = f"{why} {self.how_it_is_left()}"
        self._log.error("No longer followed", text)
        self._summarise(markdown(text))

    def how_it_is_left(self) -> str:
        """What goes on, and the command that stops it, as far as is known what there is to stop."""
        deployment = table(self._chronicle.document, "deployment").get("id")
        if deployment:
            return (
                "The deployment goes on. To stop it, and have traffic and votes go back: aws "
                f"deploy stop-deployment --auto-rollback-enabled --deployment-id {deployment}"
            )
        return (
            "If the execution was started, it goes on. To stop it: aws stepfunctions "
            f"stop-execution --execution-arn {self._asked.execution}"
        )

    def _summarise(self, footer: str) -> None:
        page = footer
        if self._execution:
            found = self._record(self._execution)
            page = as_markdown(found, self._chronicle, self._asked.console, footer)
        _append(self._environment.get("GITHUB_STEP_SUMMARY"), f"{page}\n")

    def _record(self, execution: Execution) -> Document:
        return record(execution, self._chronicle.place, time.time())

    def _put_out(self, name: str, value: str) -> None:
        _append(self._environment.get("GITHUB_OUTPUT"), f"{name}={one_line(value)}\n")


def main() -> int:
    """Deploy and follow; return the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    tracebacks_made_safe(job_line)
    log = JobLog(sys.stdout)
    try:
        following = Following(asked(os.environ), os.environ, log)
    except BadInput as error:
        log.error("quorumshift", str(error))
        return ExitCode.USAGE
    try:
        following.start()
    except BadInput as error:
        log.error("quorumshift", str(error))
        return ExitCode.USAGE
    except CallFailed as error:
        if error.passing:
            following.leave(f"{error}. Whether it was started is not known.")
        else:
            log.error("Not started", str(error))
        return ExitCode.BROKEN
    except KeyboardInterrupt:
        following.leave("The job was cancelled, which stops the waiting alone.")
        return ExitCode.INTERRUPTED
    try:
        return following.finish(following.follow())
    except CallFailed as error:
        following.leave(f"{error}.")
        return ExitCode.BROKEN
    except KeyboardInterrupt:
        following.leave("The job was cancelled, which stops the waiting alone.")
        return ExitCode.INTERRUPTED


def _interrupt(number: int, frame: FrameType | None) -> None:
    """The runner sends SIGINT, 7.5 s later SIGTERM, and 2.5 s later ends the process."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _append(file: str | None, text: str) -> None:
    if file:
        with Path(file).open("a", encoding="utf-8") as opened:
            opened.write(page(text))


if __name__ == "__main__":
    sys.exit(main())
