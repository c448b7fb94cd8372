"""``quorumshift deploy``: shows what will change, asks, starts an execution and follows it."""

from __future__ import annotations

import argparse
import getpass
import re
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from quorumshift.cli.errors import say
from quorumshift.cli.exit_codes import ExitCode
from quorumshift.cli.service import (
    CODES,
    Service,
    add_options,
    add_wait,
    explained,
    put,
    tell,
)
from quorumshift.cli.watch import conclude, follow
from quorumshift.domain.console import execution_page
from quorumshift.domain.shown import one_line

if TYPE_CHECKING:
    from quorumshift.domain.execution import Execution

LONGEST_NAME = 80
"""Of an execution, for Step Functions."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


def add_to(verbs: Any) -> None:
    """Add the verb and its options."""
    verb = verbs.add_parser(
        "deploy",
        help="deploy an image, a commit or a task definition, and follow it",
        description="Show what will change and what would refuse it now, ask, start the "
        "deployment's state machine, and follow it to its end. Without --image, --source and "
        "--task-definition the current revision is deployed again.",
        epilog=CODES,
        allow_abbrev=False,
    )
    target = verb.add_mutually_exclusive_group()
    target.add_argument(
        "--image", metavar="IMAGE", help="a reference, a tag of the service's repository, a digest"
    )
    target.add_argument(
        "--source", metavar="REPO@COMMIT", help="build owner/name at this commit, then deploy it"
    )
    target.add_argument(
        "--task-definition",
        metavar="REVISION",
        help="an ARN, family:revision, current or previous",
    )
    add_start_options(verb)
    verb.set_defaults(run=run)


def add_start_options(verb: Any) -> None:
    """Add what holds for everything that starts a deployment."""
    verb.add_argument("--description", metavar="TEXT", help="why, at most 200 characters")
    verb.add_argument(
        "--deployment-config",
        metavar="NAME",
        help="CodeDeploy's configuration of the traffic shift (default: the service's own)",
    )
    verb.add_argument(
        "--initiator", metavar="TEXT", help="who asks for it (default: user@host of this machine)"
    )
    verb.add_argument(
        "--execution-name",
        metavar="NAME",
        help="the execution's name; the same name again follows what was started "
        "(default: made from time and initiator)",
    )
    verb.add_argument("--yes", action="store_true", help="do not ask")
    add_wait(verb, "follow it to its end")
    add_options(verb)


def run(options: argparse.Namespace) -> int:
    """Deploy; return the exit code."""
    request = {"image": options.image, "taskDefinition": options.task_definition}
    if options.source is not None:
        repository, _, commit = options.source.rpartition("@")
        request["source"] = {"repository": repository, "commit": commit}
    return start("deploy", options, lambda service, known: request)


Target = Callable[["Service", "Execution | None"], dict[str, Any]]
"""Tells what to deploy, in the request's words; the execution is the one that has the name."""


def start(verb: str, options: argparse.Namespace, target: Target) -> int:
    """Preview, ask, start and follow."""
    initiator = options.initiator if options.initiator is not None else _somebody()
    words = {
        "description": options.description,
        "deploymentConfig": options.deployment_config,
        "initiator": initiator,
    }
    name = options.execution_name or default_name(datetime.now(UTC), initiator)
    if not _NAME.fullmatch(name):
        what = f"--execution-name {name!r}: write 1 to {LONGEST_NAME} letters, digits, '-' and '_'"
        return say(verb, what, ExitCode.USAGE)
    if not options.yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        what = "there is no terminal to ask on; add --yes to deploy without being asked"
        return say(verb, what, ExitCode.USAGE)
    return explained(
        verb, options, lambda service: _start(verb, service, options, name, target, words)
    )


def _start(
    verb: str,
    service: Service,
    options: argparse.Namespace,
    name: str,
    target: Target,
    words: dict[str, Any],
) -> int:
    known = service.executions.find(name) if options.execution_name else None
    asked = {**target(service, known), **words}
    request = {key: value for key, value in asked.items() if value is not None}
    refused = None if known else _shown(verb, service, options, request)
    if refused is not None:
        return refused
    execution, new = service.executions.start(name, request)
    tell(f"{'started' if new else 'was started before'}: {execution.id}")
    if link := execution_page(execution.id):
        tell(f"console: {link}")
    return _followed(verb, service, execution, options)


def _shown(
    verb: str, service: Service, options: argparse.Namespace, request: dict[str, Any]
) -> int | None:
    """Show what it would do, and ask; the exit code where it shall not be started."""
    from quorumshift.cli.preview import gather
    from quorumshift.domain.data import to_json
    from quorumshift.domain.request import parse_request
    from quorumshift.report.preview import as_text

    checked = parse_request(request, service.configuration.deployment.config)
    preview = gather(service, checked)
    tell(as_text(preview))
    refused = _refused(verb, preview.refusals, options, checked.ignore_alarms)
    if refused is not None and options.output == "json":
        put("json", {"execution": None, "ending": "refused", "preview": to_json(preview)}, str)
    return refused


def _refused(
    verb: str, refusals: tuple[str, ...], options: argparse.Namespace, unwatched: bool
) -> int | None:
    """The exit code where it shall not be started: something refuses it, or a person does."""
    if refusals:
        return say(verb, f"nothing was started: {refusals[0]}", ExitCode.REFUSED)
    risk = ", though no alarm will stop it" if unwatched else ""
    if options.yes or confirmed(f"{verb} this{risk}? [y/N] "):
        return None
    return say(verb, "nothing was started, as you said", ExitCode.REFUSED)


def _followed(
    verb: str, service: Service, execution: Execution, options: argparse.Namespace
) -> int:
    if options.wait:
        return follow(verb, service, execution, options)
    code = conclude(service, execution, options.output)
    if execution.running:
        tell(f"follow it with: quorumshift watch {execution.name}")
    return code


def confirmed(question: str) -> bool:
    """Ask on the terminal; anything but yes is no."""
    print(one_line(question), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def default_name(now: datetime, initiator: str) -> str:
    """``20261123T065000Z-ada-host``: sorts by time, and says who."""
    who = re.sub(r"[^A-Za-z0-9_]+", "-", initiator).strip("-")
    return f"{now:%Y%m%dT%H%M%SZ}-{who}"[:LONGEST_NAME].rstrip("-")


def _somebody() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no name for this user id
        user = "somebody"
    return f"{user}@{socket.gethostname()}"
