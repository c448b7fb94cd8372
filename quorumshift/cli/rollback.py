"""``quorumshift rollback``: deploys an earlier revision again, through ``deploy``."""

from __future__ import annotations

import argparse
from typing import Any

from quorumshift.cli.deploy import add_start_options, start
from quorumshift.cli.service import CODES


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
        default="previous",
        metavar="REVISION",
        help="an ARN or family:revision (default: previous, the one before the one that serves)",
    )
    add_start_options(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Roll back; return the exit code."""
    if options.description is None:
        options.description = f"roll-back to {options.to}"[:200]
    return start("rollback", options, {"taskDefinition": options.to})
