"""``quorumshift watch``: follows an execution to its end, from its history."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from quorumshift.cli.exit_codes import ExitCode, code_of
from quorumshift.cli.service import (
    CODES,
    Service,
    add_execution,
    add_options,
    explained,
    put,
    say,
    tell,
)

if TYPE_CHECKING:
    from quorumshift.domain.chronicle import News
    from quorumshift.domain.execution import Execution

PAUSE_SECONDS = 2.0
"""Between two looks at the history."""
PATIENCE_SECONDS = 120.0
"""How long AWS may not answer before the watching is given up."""


def add_to(verbs: Any) -> None:
    """Add the verb and its options."""
    verb = verbs.add_parser(
        "watch",
        help="follow a deployment to its end: states, hooks, traffic, alarms, the cluster",
        description="Follow an execution of the deployment's state machine to its end, one line an "
        "event on standard error, and tell how it ended. Ctrl-C stops the watching, not the "
        "deployment.",
        epilog=CODES,
        allow_abbrev=False,
    )
    add_execution(verb)
    add_options(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Watch; return the exit code."""
    return explained("watch", options, lambda service: _run(service, options))


def _run(service: Service, options: argparse.Namespace) -> int:
    return follow("watch", service, service.execution(options.execution), options)


def follow(
    verb: str,
    service: Service,
    execution: Execution,
    options: argparse.Namespace,
    from_now: bool = False,
) -> int:
    """Tell the news of ``execution`` until it has ended, then how; ``from_now``: not what was
    before. Interrupted, it says how to stop the deployment, which goes on."""
    watching = _Watching(service, from_now)
    try:
        execution = watching.to_the_end(execution)
    except KeyboardInterrupt:
        name = execution.name
        text = (
            f"watching has stopped, the deployment goes on; to see it: quorumshift watch {name}; "
            f"to stop it: quorumshift stop {name}"
        )
        return say(verb, text, ExitCode.INTERRUPTED)
    return conclude(service, execution, options.output, watching.told)


def conclude(
    service: Service, execution: Execution, form: str, told: list[Any] | None = None
) -> int:
    """Print how an execution ended, or stands; the exit code that says so."""
    from quorumshift.domain.data import to_json
    from quorumshift.report.chronicle import as_text, record

    place = service.executions.place(execution.id)
    now = time.time()
    document = record(execution, place, now)
    if told is not None:
        document["timeline"] = to_json(told)
    put(form, document, lambda: as_text(execution, place, now))
    return code_of(place.ending(execution.status))


class _Watching:
    """Reads on in a history and tells what is new. ``told``: all of the news so far."""

    def __init__(self, service: Service, from_now: bool) -> None:
        from quorumshift.domain.chronicle import Chronicle

        self._executions = service.executions
        self._chronicle = Chronicle()
        self._silent = from_now
        self._seen = 0
        self.told: list[News] = []

    def to_the_end(self, execution: Execution) -> Execution:
        """Follow it until it has ended. Raises ``Transient`` when AWS does not answer for long."""
        from quorumshift.domain.errors import Transient

        tell(f"watching {execution.name} (Ctrl-C stops the watching, not the deployment)")
        answered = time.monotonic()
        while True:
            try:
                now = self._executions.describe(execution.id)  # first, so that no event is missed
                self._read_on(now)
            except Transient as error:
                if time.monotonic() - answered >= PATIENCE_SECONDS:
                    raise
                tell(f"{error} (the watching goes on, and so does the deployment)")
            else:
                answered = time.monotonic()
                if not now.running:
                    return now
            time.sleep(PAUSE_SECONDS)

    def _read_on(self, execution: Execution) -> None:
        from quorumshift.report.chronicle import line

        for event in self._executions.history(execution.id, self._seen):
            self._seen = event.number
            for news in self._chronicle.take(event):
                self.told.append(news)
                text = None if self._silent else line(news, execution.started)
                if text is not None:
                    tell(text)
        self._silent = False
