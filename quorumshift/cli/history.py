"""``quorumshift history``: the last deployments, and how each ended."""

from __future__ import annotations

import argparse
import time
from typing import Any

from quorumshift.cli.service import Service, add_options, explained, put

MOST = 1000


def add_to(verbs: Any) -> None:
    """Add the verb and its options."""
    verb = verbs.add_parser(
        "history",
        help="the last deployments: outcome, revision, who asked for it, how long it took",
        description="List the last executions of the deployment's state machine, newest first.",
        epilog="exit codes: 0 listed; 1 AWS could not be asked; 2 bad usage.",
        allow_abbrev=False,
    )
    verb.add_argument(
        "--limit", type=_limit, default=10, metavar="N", help=f"how many, 1 to {MOST} (default 10)"
    )
    add_options(verb)
    verb.set_defaults(run=run)


def _limit(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MOST}")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """List them; return the exit code."""
    return explained("history", options, lambda service: _run(service, options))


def _run(service: Service, options: argparse.Namespace) -> int:
    from quorumshift.report.chronicle import record
    from quorumshift.report.history import as_text

    now = time.time()
    records = [
        record(one, service.executions.place(one.id), now)
        for one in service.executions.newest(options.limit)
    ]
    put(options.output, records, lambda: as_text(records))
    return 0
