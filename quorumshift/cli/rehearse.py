"""``quorumshift rehearse``: a whole deployment on this machine."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorumshift.cli.entry import heed
from quorumshift.cli.errors import add_debug, broke, say
from quorumshift.cli.exit_codes import ExitCode, exit_code
from quorumshift.domain.errors import InvalidConfiguration
from quorumshift.domain.shown import page
from quorumshift.rehearsal.faults import Fault, listing, parse_fault
from quorumshift.rehearsal.samples import CONTRACTS, SAMPLES, SNAKETRON, Contract
from quorumshift.rehearsal.service.node import EXTENDED
from quorumshift.rehearsal.starts import Start

if TYPE_CHECKING:
    from quorumshift.rehearsal.result import Result

NODES = (3, 5, 7, 9)
RATE = (1, 500)
SPEED = (1.0, 120.0)
PLAYERS = (0, 1000)
DEFAULT_CONFIGURATION = SNAKETRON.configuration


def add_to(verbs: Any) -> None:
    """Add the verb and its options."""
    verb = verbs.add_parser(
        "rehearse",
        help="rehearse a deployment on this machine: real processes, a real Raft cluster, load",
        description="Rehearse a whole blue/green deployment on this machine. Progress goes to "
        "standard error, the result to standard output.",
        epilog="exit codes: 0 deployed; 1 the rehearsal itself broke; 2 bad usage; 3 rolled "
        "back; 4 refused before anything was touched.",
        allow_abbrev=False,
    )
    add_scale_to(verb)
    verb.add_argument(
        "--fault",
        type=fault,
        metavar="NAME[@MOMENT]",
        help=f"what shall go wrong, and when: {listing()}",
    )
    verb.add_argument(
        "--start",
        choices=[start.value for start in Start],
        default=Start.COMMAND.value,
        help="who starts it: command, with version 2 (default); schedule, the service's own, which "
        "deploys what serves once more",
    )
    verb.add_argument("--output", choices=("text", "json"), default="text", help="default text")
    verb.add_argument(
        "--keep",
        action="store_true",
        help="stay up after the result, until Ctrl-C, and say how to reach the rehearsal",
    )
    verb.add_argument(
        "--baseline",
        action="store_true",
        help="deploy the way of today first (green joins and votes by itself, CodeDeploy ends "
        "blue at once), then with quorumshift, and print both side by side; not together with "
        "--fault, --start or --keep",
    )
    add_debug(verb)
    verb.set_defaults(run=run)


def add_scale_to(verb: Any) -> None:
    """Add the options that hold for every rehearsal: of which service, how large, how fast."""
    verb.add_argument(
        "--nodes", type=nodes, default=3, metavar="N", help="tasks of the service: 3, 5, 7 or 9"
    )
    verb.add_argument(
        "--rate",
        type=rate,
        default=200,
        metavar="N",
        help=f"requests a second, {RATE[0]} to {RATE[1]}; half of them writes (default 200)",
    )
    verb.add_argument(
        "--speed",
        type=speed,
        default=60.0,
        metavar="N",
        help=f"how many of AWS's seconds pass in one, {SPEED[0]:.0f} to {SPEED[1]:.0f} "
        "(default 60); Raft's own times are real",
    )
    what = verb.add_mutually_exclusive_group()
    what.add_argument(
        "--service",
        choices=SAMPLES,
        default=SNAKETRON.name,
        help="which of the repository's services to deploy: "
        + "; ".join(f"{sample.name}, {sample.about}" for sample in SAMPLES.values())
        + f" (default {SNAKETRON.name})",
    )
    what.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the description of another service; the sample that speaks its Raft dialect stands "
        "for it",
    )
    verb.add_argument(
        "--contract",
        type=contract,
        default=CONTRACTS[EXTENDED],
        metavar="NAME",
        help="what SnakeTron's nodes speak: "
        + "; ".join(f"{each.name}, {each.about}" for each in CONTRACTS.values())
        + f" (default {EXTENDED}; docs/snaketron.md)",
    )
    verb.add_argument(
        "--build",
        action="store_true",
        help="deploy a commit, which CodeBuild builds first, instead of an image; not together "
        "with --baseline",
    )
    verb.add_argument(
        "--players",
        type=players,
        metavar="N",
        help=f"players who keep a WebSocket open, {PLAYERS[0]} to {PLAYERS[1]:,} (default "
        f"{SNAKETRON.players} for SnakeTron; other samples have none)",
    )


def nodes(text: str) -> int:
    """An odd number of tasks."""
    number = _number(text, int)
    if number not in NODES:
        why = (
            "an even number tolerates no more failures than one fewer"
            if number % 2 == 0 and number > 3
            else "fewer than 3 tolerate no failure"
            if number < 3
            else "more than 9 slow every write down"
        )
        raise argparse.ArgumentTypeError(f"{number} nodes: {why}; use 3, 5, 7 or 9")
    return int(number)


def rate(text: str) -> int:
    """Requests a second."""
    return int(_within(_number(text, int), RATE, "requests a second"))


def speed(text: str) -> float:
    """AWS's seconds in a real one."""
    return float(_within(_number(text, float), SPEED, "times as fast"))


def players(text: str) -> int:
    """How many WebSockets."""
    return int(_within(_number(text, int), PLAYERS, "players"))


def contract(text: str) -> Contract:
    """What the nodes speak."""
    if text not in CONTRACTS:
        raise argparse.ArgumentTypeError(f"no contract {text!r}; there is {', '.join(CONTRACTS)}")
    return CONTRACTS[text]


def configuration_of(options: argparse.Namespace) -> Path:
    """Where the service that was asked for is described."""
    return options.config or SAMPLES[options.service].configuration


def fault(text: str) -> Fault:
    """A fault, with its moment."""
    try:
        return parse_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _number(text: str, kind: type[int] | type[float]) -> float:
    try:
        return kind(text)
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}") from None


def _within(number: float, allowed: tuple[float, float], unit: str) -> float:
    low, high = allowed
    if not low <= number <= high:  # also refuses NaN
        raise argparse.ArgumentTypeError(
            f"{number:g} {unit} is out of range; use {low:g} to {high:g}"
        )
    return number


def run(options: argparse.Namespace) -> int:
    """Rehearse; return the exit code."""
    if not options.baseline:
        return explained(lambda: _run_one(options), options.debug)
    if options.build:
        what = "--baseline deploys an image both times; leave --build out"
        return say("rehearse", what, ExitCode.USAGE)
    if options.fault or options.keep or options.start != Start.COMMAND:
        what = (
            "--baseline compares two deployments in which nothing goes wrong and keeps neither; "
            "leave --fault, --start and --keep out"
        )
        return say("rehearse", what, ExitCode.USAGE)
    from quorumshift.cli.arms import compare

    return explained(lambda: compare(options), options.debug)


def _run_one(options: argparse.Namespace) -> int:
    from quorumshift.rehearsal.options import Options
    from quorumshift.rehearsal.run import Rehearsal
    from quorumshift.rehearsal.ways import STARTED_BY
    from quorumshift.report.live import Kept, live_view

    what = Options(
        nodes=options.nodes,
        rate=options.rate,
        speed=options.speed,
        fault=options.fault,
        configuration=configuration_of(options),
        way=STARTED_BY[options.start],
        contract=options.contract,
        players=options.players,
        build=options.build,
    )
    with Rehearsal(what) as rehearsal, live_view(rehearsal, sys.stderr) as view:
        result = rehearsal.run()
        view.close()
        _print(result, options.output)
        if options.keep:
            print(page(rehearsal.how_to_reach()), file=sys.stderr, flush=True)
            with contextlib.closing(Kept(rehearsal, sys.stderr)):
                rehearsal.wait_for_end()
        return exit_code(result)


def explained(act: Callable[[], int], debug: bool = False) -> int:
    """The exit code of ``act``; what it raises becomes a line on standard error and a code.
    ``debug``: what it was not made to raise passes."""
    from quorumshift.rehearsal.preflight import CannotStart
    from quorumshift.rehearsal.run import Broken, Interrupted

    try:
        heed()
        return act()
    except (InvalidConfiguration, CannotStart) as error:
        return say("rehearse", error, ExitCode.USAGE)
    except (KeyboardInterrupt, Interrupted):
        return say("rehearse", "interrupted; everything was ended", ExitCode.INTERRUPTED)
    except Broken as error:
        if debug:
            raise
        return say("rehearse", f"the rehearsal itself broke: {error}", ExitCode.BROKEN)
    except Exception as error:
        if debug:
            raise
        return broke("rehearse", error)


def _print(result: Result, form: str) -> None:
    from quorumshift.report.outcome import as_json, as_text

    put_out(as_json(result) if form == "json" else as_text(result))


def put_out(text: str) -> None:
    """Print a result."""
    try:
        print(page(text), flush=True)
    except BrokenPipeError:  # the reader left; the exit code still tells how it ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
