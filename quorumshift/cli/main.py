"""The command ``quorumshift``.

Only what the chosen verb needs is imported, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from quorumshift.cli.exit_codes import ExitCode
from quorumshift.domain.shown import one_line


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line and exits with 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(ExitCode.USAGE, one_line(f"{self.prog}: {message}") + "\n")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = Parser(
        prog="quorumshift",
        description="Blue/green deployments on Amazon ECS that never cost a Raft cluster its "
        "quorum.",
        allow_abbrev=False,
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    from quorumshift.cli import (
        deploy,
        doctor,
        history,
        plan,
        rehearse,
        rollback,
        status,
        stop,
        verify,
        watch,
    )

    for verb in (doctor, deploy, status, watch, verify, stop, rollback, history, plan, rehearse):
        verb.add_to(verbs)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main())
