"""How a command tells what went wrong: one line on standard error, and a code; or, where it was
asked for, the traceback."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from quorumshift.cli.exit_codes import ExitCode
from quorumshift.domain.shown import one_line, page

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


def tracebacks_made_safe(line: Callable[[str], str] = str) -> None:
    """From now on what nobody catches is shown as any other text from outside, whichever thread it
    ends: an error holds what AWS, a node or a request said. ``line``: what more each of its lines
    needs, such as ``job_line``."""

    def show(
        kind: type[BaseException], error: BaseException | None, where: TracebackType | None
    ) -> None:
        lines = "".join(traceback.format_exception(kind, error, where)).split("\n")
        print(page("\n".join(map(line, lines))), end="", file=sys.stderr, flush=True)

    def show_of_thread(ended: threading.ExceptHookArgs) -> None:
        if ended.exc_type is not SystemExit:  # as Python's own does
            show(ended.exc_type, ended.exc_value, ended.exc_traceback)

    sys.excepthook, threading.excepthook = show, show_of_thread
