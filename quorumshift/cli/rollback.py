"""``quorumshift rollback``: deploys an earlier revision again, through ``deploy``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from quorumshift.cli.deploy import add_start_options, start
from quorumshift.cli.service import CODES, Service

if TYPE_CHECKING:
    from quorumshift.domain.execution import Execution

PREVIOUS = "previous"
"""The active revision with the number before, where no history tells better."""
SEARCHED = 50
"""Executions that are looked through."""


def add_to(verbs: Any) -> None:
    """Add the verb and its options."""
    verb = verbs.add_parser(
        "rollback",
        help="deploy the previous revision, or another one, again",
        description="Deploy an earlier revision of the task definition, with all the checks of a "
        "deployment. Nothing is deregistered. To undo a deployment that is still under way, use "
        "`quorumshift stop`.",
        epilog=CODES,
        allow_abbrev=False,
    )
    verb.add_argument(
        "--to",
        metavar="REVISION",
        help="an ARN, family:revision or previous (default: the revision that served before the "
        "one that serves)",
    )
    add_start_options(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Roll back; return the exit code."""
    if options.description is None:
        options.description = f"roll-back to {options.to or 'what served before'}"[:200]
    return start("rollback", options, lambda service, known: _target(options.to, service, known))


def _target(to: str | None, service: Service, known: Execution | None) -> dict[str, Any]:
    """Without a revision named: the one that the last deployment which succeeded replaced. The one
    with the number before may never have served. ``known``: was started by this name before."""
    if to is None and known is not None:
        return {"taskDefinition": known.request.get("taskDefinition")}
    return {"taskDefinition": to or _served_before(service)}


def _served_before(service: Service) -> str:
    live = service.definitions.live()
    for one in service.executions.newest(SEARCHED):
        if one.status != "SUCCEEDED":
            continue
        revision = service.executions.place(one.id).document.get("revision") or {}
        if revision.get("to") == live and revision.get("from") not in (None, live):
            return str(revision["from"])
    return PREVIOUS
