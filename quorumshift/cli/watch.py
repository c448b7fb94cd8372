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


def follow(verb: str, service: Service, execution: Execution, options: argparse.Namespace) -> int:
    """Tell the news of ``execution`` until it has ended, then how. Interrupted, it says how to
    stop the deployment, which goes on."""
    from quorumshift.domain.chronicle import Chronicle

    chronicle = Chronicle()
    told: list[Any] = []
    try:
        execution = _to_the_end(service, execution, chronicle, told)
    except KeyboardInterrupt:
        name = execution.name
        text = (
            f"watching has stopped, the deployment goes on; to see it: quorumshift watch {name}; "
            f"to stop it: quorumshift stop {name}"
        )
        return say(verb, text, ExitCode.INTERRUPTED)
    return conclude(service, execution, options.output, told)


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


def _to_the_end(
    service: Service, execution: Execution, chronicle: Any, told: list[Any]
) -> Execution:
    from quorumshift.domain.errors import Transient

    tell(f"watching {execution.name} (Ctrl-C stops the watching, not the deployment)")
    seen, answered = 0, time.monotonic()
    while True:
        try:
            now = service.executions.describe(execution.id)  # first, so that no event is missed
            seen = _news(service, now, chronicle, told, seen)
        except Transient as error:
            if time.monotonic() - answered >= PATIENCE_SECONDS:
                raise
            tell(f"{error} (the watching goes on, and so does the deployment)")
        else:
            answered = time.monotonic()
            if not now.running:
                return now
        time.sleep(PAUSE_SECONDS)


def _news(
    service: Service, execution: Execution, chronicle: Any, told: list[Any], seen: int
) -> int:
    """Tell what is new behind event ``seen``; the number of the last event."""
    from quorumshift.report.chronicle import line

    for event in service.executions.history(execution.id, seen):
        seen = event.number
        for news in chronicle.take(event):
            told.append(news)
            if (text := line(news, execution.started)) is not None:
                tell(text)
    return seen
