"""``quorumshift watch``: follows an execution to its end, from its history."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from quorumshift.cli.errors import say
from quorumshift.cli.exit_codes import ExitCode, code_of
from quorumshift.cli.service import (
    CODES,
    Service,
    add_execution,
    add_options,
    explained,
    put,
    tell,
)
from quorumshift.domain.chronicle import Chronicle, News
from quorumshift.domain.errors import Transient

if TYPE_CHECKING:
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
    chronicle = Chronicle()
    try:
        with _view(execution, options.output, from_now) as view:
            execution = _to_the_end(service, execution, chronicle, view)
    except KeyboardInterrupt:
        name = execution.name
        text = (
            f"watching has stopped, the deployment goes on; to see it: quorumshift watch {name}; "
            f"to stop it: quorumshift stop {name}"
        )
        return say(verb, text, ExitCode.INTERRUPTED)
    return conclude(service, execution, options.output, chronicle.news)


def conclude(
    service: Service, execution: Execution, form: str, told: list[Any] | None = None
) -> int:
    """Print how an execution ended, or stands; the exit code that says so."""
    from quorumshift.domain.data import to_json
    from quorumshift.report.chronicle import as_text, record

    place = service.executions.place(execution.id)
    document = record(execution, place, time.time())
    timeline = {} if told is None else {"timeline": to_json(told)}
    put(form, {**document, **timeline}, lambda: as_text(document))
    return code_of(place.ending(execution.status))


class _View(Protocol):
    """Shows what is told; ``complain``: of the watching itself."""

    def show(self, execution: Execution, chronicle: Chronicle, told: Sequence[News]) -> None: ...

    def complain(self, text: str) -> None: ...


class _Lines:
    """A line each. ``silent``: the first look's are not shown."""

    def __init__(self, silent: bool) -> None:
        self._silent = silent

    def show(self, execution: Execution, chronicle: Chronicle, told: Sequence[News]) -> None:
        from quorumshift.report.chronicle import clock, line, worth_a_line

        for news in () if self._silent else worth_a_line(told):
            tell(f"{clock(news.at - execution.started):>8}  {line(news)}")
        self._silent = False

    def complain(self, text: str) -> None:
        tell(text)


@contextlib.contextmanager
def _view(execution: Execution, form: str, from_now: bool) -> Iterator[_View]:
    """A picture on a terminal, lines elsewhere and beside JSON."""
    from quorumshift.report.live import drawable

    tell(f"watching {execution.name} (Ctrl-C stops the watching, not the deployment)")
    if form == "json" or not drawable(sys.stderr):
        yield _Lines(silent=from_now)
        return
    from quorumshift.report.drawing import canvas
    from quorumshift.report.picture import Drawn

    drawn = Drawn(execution)
    with canvas(sys.stderr, drawn.picture, screen=True):
        yield drawn


def _to_the_end(
    service: Service, execution: Execution, chronicle: Chronicle, view: _View
) -> Execution:
    """Follow it until it has ended. Raises ``Transient`` when AWS does not answer for long."""
    seen, answered = 0, time.monotonic()
    while True:
        try:
            # Before its history, so that of what has ended no event is missed.
            now = service.executions.describe(execution.id)
            events = service.executions.history(execution.id, seen)
        except Transient as error:
            if time.monotonic() - answered >= PATIENCE_SECONDS:
                raise
            view.complain(f"{error} (the watching goes on, and so does the deployment)")
        else:
            answered = time.monotonic()
            seen = events[-1].number if events else seen
            view.show(now, chronicle, [news for event in events for news in chronicle.take(event)])
            if not now.running:
                return now
        time.sleep(PAUSE_SECONDS)
