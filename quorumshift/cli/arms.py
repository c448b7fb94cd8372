"""Both arms of ``rehearse --baseline``, one after the other, each in a process of its own.

The embedded AWS's state is global to its process, so two rehearsals cannot share one. An arm gets
what holds for every rehearsal on its command line, shows its progress on the standard error that
it inherits, and prints its result as JSON.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from quorumshift.cli import rehearse
from quorumshift.cli.entry import heed
from quorumshift.cli.errors import add_debug, tracebacks_made_safe
from quorumshift.cli.exit_codes import ExitCode, exit_code
from quorumshift.domain.shown import one_line, page
from quorumshift.rehearsal.processes import die_with_parent, environment_of_child

if TYPE_CHECKING:
    from quorumshift.rehearsal.result import Result
    from quorumshift.rehearsal.ways import Way

_END_SECONDS = 20.0


def compare(options: argparse.Namespace) -> int:
    """Run both arms and print them side by side. Returns the exit code of the product's arm, or
    that of the first arm which has no result."""
    from quorumshift.rehearsal.ways import WAYS
    from quorumshift.report.side_by_side import as_json, as_text

    results: dict[str, Result] = {}
    code = 0
    for number, way in enumerate(WAYS.values(), 1):
        what = f"{number} of {len(WAYS)}: {way.name}: {way.about}"
        print(one_line(what), file=sys.stderr, flush=True)
        code, result = _run(way, options)
        if result is None:
            return code
        results[way.name] = result
    rehearse.put_out(as_json(results) if options.output == "json" else as_text(results))
    return code


def _run(way: Way, options: argparse.Namespace) -> tuple[int, Result | None]:
    """An arm's exit code, and its result where it has one."""
    from quorumshift.domain.data import from_json
    from quorumshift.rehearsal.result import Result

    scale = {name: getattr(options, name) for name in ("nodes", "rate", "speed", "players")}
    scale["config"] = rehearse.configuration_of(options)
    scale["contract"] = options.contract.name
    command = [sys.executable, "-m", __name__, way.name]
    command += [f"--{name}={value}" for name, value in scale.items() if value is not None]
    command += ["--debug"] if options.debug else []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env=environment_of_child(), text=True
    ) as arm:
        try:
            said, _ = arm.communicate()
        except KeyboardInterrupt:
            _end(arm)
            raise
    if not said:
        return arm.returncode if arm.returncode > 0 else ExitCode.BROKEN, None
    return arm.returncode, from_json(Result, json.loads(said))


def _end(arm: subprocess.Popen[str]) -> None:
    """Let it end what it has started; if it cannot, the kernel does."""
    arm.terminate()
    try:
        arm.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        arm.kill()


def main() -> int:
    """One arm: ``python -m quorumshift.cli.arms WAY --nodes …``."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C: our parent ends us
    heed()
    tracebacks_made_safe()
    from quorumshift.rehearsal.run import Interrupted
    from quorumshift.rehearsal.ways import WAYS

    parser = argparse.ArgumentParser(prog="quorumshift rehearse --baseline")
    parser.add_argument("way", choices=WAYS)
    rehearse.add_scale_to(parser)
    add_debug(parser)
    options = parser.parse_args()

    def act() -> int:
        try:
            return _run_here(WAYS[options.way], options)
        except (KeyboardInterrupt, Interrupted):
            return ExitCode.INTERRUPTED  # our parent says so

    return rehearse.explained(act, options.debug)


def _run_here(way: Way, options: argparse.Namespace) -> int:
    from quorumshift.rehearsal.options import Options
    from quorumshift.rehearsal.run import Rehearsal
    from quorumshift.report.live import live_view
    from quorumshift.report.outcome import as_json

    what = Options(
        nodes=options.nodes,
        rate=options.rate,
        speed=options.speed,
        fault=None,
        configuration=rehearse.configuration_of(options),
        way=way,
        contract=options.contract,
        players=options.players,
    )
    with Rehearsal(what) as rehearsal, live_view(rehearsal, sys.stderr):
        result = rehearsal.run()
    print(page(as_json(result)), flush=True)
    return exit_code(result)


if __name__ == "__main__":
    sys.exit(main())
