"""``quorumshift stop``: stops what an execution deploys, and rolls it back."""

from __future__ import annotations

import argparse
from typing import Any

from quorumshift.cli.service import (
    CODES,
    Service,
    add_execution,
    add_options,
    add_wait,
    explained,
    put,
    tell,
)
from quorumshift.cli.watch import follow

ACKNOWLEDGED = 0


def add_to(verbs: Any) -> None:
    """Add the verb and its options."""
    verb = verbs.add_parser(
        "stop",
        help="stop a deployment and roll it back, wherever it stands",
        description="Stop the deployment of an execution, with its roll-back; the execution "
        "follows it, hands the votes home and ends as rolled back. Before a deployment exists, "
        "the execution itself is stopped. It says which was done.",
        epilog="with --wait, " + CODES + " With --no-wait, 0 as soon as it is acknowledged.",
        allow_abbrev=False,
    )
    add_execution(verb)
    add_wait(verb, "follow the roll-back to its end")
    add_options(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Stop it; return the exit code."""
    return explained("stop", options, lambda service: _run(service, options))


def _run(service: Service, options: argparse.Namespace) -> int:
    from quorumshift.adapters.clock import SystemClock
    from quorumshift.domain.data import to_json
    from quorumshift.usecases.stopping import Stopping

    execution = service.execution(options.execution)
    cause = "stopped by hand (quorumshift stop) before a deployment existed"
    stopping = Stopping(service.executions, service.deployments, SystemClock(), cause, tell)
    done = stopping.stop(execution)
    execution = service.executions.describe(execution.id)
    if options.wait and execution.running:
        tell(done.text)
        return follow("stop", service, execution, options, from_now=True)
    put(options.output, {"execution": execution.name, **to_json(done)}, lambda: done.text)
    return ACKNOWLEDGED
