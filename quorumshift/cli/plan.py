"""``quorumshift plan``: the path of the hand-over from here, and what each death on it would do."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorumshift.cli.errors import broke, say
from quorumshift.cli.exit_codes import ExitCode
from quorumshift.cli.rehearse import put_out
from quorumshift.cli.service import add_options
from quorumshift.domain.errors import InvalidConfiguration, ObservationFailed

if TYPE_CHECKING:
    from quorumshift.config import Configuration
    from quorumshift.domain.look import Look
    from quorumshift.domain.prospect import Prospect

SAFE = 0
"""There is something safe to do, or nothing left to do. Other exit codes: ``ExitCode``."""


def add_to(verbs: Any) -> None:
    """Add the verb and its options."""
    verb = verbs.add_parser(
        "plan",
        help="show the path of the hand-over, step by step, and what each node's death would do",
        description="Show the path of the hand-over from how things stand now, and what would "
        "happen if any one node died at any step. Nothing is changed. It asks the deployed "
        "service, or a rehearsal kept with --keep through the variables that it prints; or it "
        "reads what was seen from a file.",
        epilog="exit codes: 0 there is a safe step, a wait that ends by itself, or nothing left "
        "to do; 1 nobody could tell how things stand; 2 bad usage; 4 nothing is safe to do.",
        allow_abbrev=False,
    )
    source = verb.add_mutually_exclusive_group()
    source.add_argument(
        "--observation",
        metavar="FILE",
        help="plan from this JSON, as the state Observe writes it (- is standard input)",
    )
    source.add_argument(
        "--deployment",
        metavar="ID",
        help="the deployment to plan for (default: the one that runs, if any does)",
    )
    verb.add_argument(
        "--goal",
        choices=("green", "blue"),
        help="whose votes it shall be (default: green, or blue once the deployment has stopped)",
    )
    add_options(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Plan and print; return the exit code."""
    if options.debug:
        return _run(options)
    try:
        return _run(options)
    except (InvalidConfiguration, BadObservation) as error:
        return say("plan", error, ExitCode.USAGE)
    except ObservationFailed as error:
        return say("plan", error, ExitCode.BROKEN)
    except KeyboardInterrupt:
        return say("plan", "interrupted", ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 # one line for whatever we did not think of
        return broke("plan", error)


def _run(options: argparse.Namespace) -> int:
    from quorumshift.config import load

    prospect = _prospect(options, load(options.config))
    put_out(_page(prospect, options.output))
    return SAFE if prospect.safe else ExitCode.REFUSED


class BadObservation(Exception):
    """What was given is no observation."""


def _prospect(options: argparse.Namespace, configuration: Configuration) -> Prospect:
    from quorumshift.adapters.raft.dialects import dialect
    from quorumshift.domain.prospect import look_ahead
    from quorumshift.domain.raft import Colour

    able = dialect(configuration.raft.dialect)
    if options.observation:
        deployment, look = None, _from_file(options.observation)
    else:
        deployment, look = _live(options, configuration)
    goal = Colour(options.goal) if options.goal else look.goal
    found = look_ahead(look.cluster, goal, able, configuration.raft.policy)
    return replace(found, deployment=deployment, stopped=look.stopped, busy=look.busy)


def _from_file(name: str) -> Look:
    from quorumshift.domain.look import look_from

    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        return look_from(json.loads(text))
    except (OSError, ValueError, RecursionError) as error:
        where = "standard input" if name == "-" else name
        what = getattr(error, "strerror", None) or str(error)
        raise BadObservation(f"{where}: no observation can be read: {what}") from None


def _live(options: argparse.Namespace, configuration: Configuration) -> tuple[str | None, Look]:
    from quorumshift.adapters.aws.observe_function import ObserveFunction

    function = ObserveFunction(configuration.names, options.region, options.profile)
    deployment = options.deployment or function.under_way()
    look = function.look(deployment)
    if look.busy:  # it began after CodeDeploy was asked
        return look.busy, function.look(look.busy)
    return deployment, look


def _page(prospect: Prospect, form: str) -> str:
    from quorumshift.report.plan import WIDTH, as_json, as_text

    if form == "json":
        return as_json(prospect)
    width = shutil.get_terminal_size((WIDTH, 0)).columns if sys.stdout.isatty() else WIDTH
    return as_text(prospect, max(width, 60))
