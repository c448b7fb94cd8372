"""``quorumshift rollback``: deploys an earlier revision again, through ``deploy``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from quorumshift.cli.deploy import add_start_options, start
from quorumshift.cli.service import CODES, Service
from quorumshift.domain.request import PREVIOUS

if TYPE_CHECKING:
    from quorumshift.domain.execution import Execution


def add_to(verbs: Any) -> None:
    """Add the verb and its options."""
    verb = verbs.add_parser(
        "rollback",
        help="deploy the previous revision, or another one, again",
        description="Deploy an earlier revision of the task definition, with all the checks of a "
        "deployment. While an alarm of the deployment group rings, the group's alarms are left out "
        "for this deployment, because they would stop it. Nothing is deregistered. To undo a "
        "deployment that is still under way, use `quorumshift stop`.",
        epilog=CODES,
        allow_abbrev=False,
    )
    verb.add_argument(
        "--to",
        metavar="REVISION",
        help="an ARN, family:revision or previous (default: the revision that served before the "
        "one that serves)",
    )
    verb.add_argument(
        "--ignore-alarms",
        action="store_true",
        help="no alarm stops it; where one rings already, that is so without this option",
    )
    add_start_options(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Roll back; return the exit code."""
    if options.description is None:
        options.description = f"roll-back to {options.to or 'what served before'}"[:200]
    return start("rollback", options, lambda service, known: _request(options, service, known))


def _request(
    options: argparse.Namespace, service: Service, known: Execution | None
) -> dict[str, Any]:
    """An alarm of what serves is a reason to go back, and would stop the way back. ``known``: was
    started by this name before."""
    from quorumshift.cli.preview import ringing

    target = _target(options.to, service, known)
    if known is not None:
        return {**target, "ignoreAlarms": known.request.get("ignoreAlarms")}
    return {**target, "ignoreAlarms": True if options.ignore_alarms or ringing(service) else None}


def _target(to: str | None, service: Service, known: Execution | None) -> dict[str, Any]:
    """``previous`` as the revision that it is now, so that what was shown is what is deployed.
    ``known``: was started by this name before."""
    if known is not None and to in (None, PREVIOUS):
        return {"taskDefinition": known.request.get("taskDefinition")}
    if to in (None, PREVIOUS):
        return {"taskDefinition": service.definitions.resolve(PREVIOUS)}
    return {"taskDefinition": to}
