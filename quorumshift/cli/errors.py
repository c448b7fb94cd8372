"""How a command tells what went wrong: one line on standard error, and a code."""

from __future__ import annotations

import sys
from typing import Any

from quorumshift.cli.exit_codes import ExitCode
from quorumshift.domain.shown import one_line

LONGEST = 600
"""Characters of an error that nobody thought of."""


def add_debug(verb: Any) -> None:
    """Add what shows an error as Python does."""
    verb.add_argument("--debug", action="store_true", help="show the traceback of an error")


def say(verb: str, what: object, code: ExitCode) -> int:
    """One line on standard error."""
    print(one_line(f"quorumshift {verb}: {what}"), file=sys.stderr, flush=True)
    return code


def broke(verb: str, error: Exception) -> int:
    """One line for what nobody thought of."""
    text = " ".join(str(error).split())
    what = f"{type(error).__name__}: {text[:LONGEST]}"
    return say(verb, f"broke: {what}; run it again with --debug", ExitCode.BROKEN)
