"""Where the command begins: an interrupt is answered from the first moment on.

Until a verb has begun something (:func:`heed`), a signal ends the process at once. An exception
would strike in the middle of an import instead, and end as a traceback or be swallowed there.
"""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED = 130


def main() -> int:
    """The console script ``quorumshift``."""
    _set(_leave)
    from quorumshift.cli.errors import tracebacks_made_safe
    from quorumshift.cli.main import main as command

    tracebacks_made_safe()
    return command()


def heed() -> None:
    """From now on a signal raises ``KeyboardInterrupt``: there is something to end."""
    _set(interrupt)


def interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    """For every signal that ends a command, as Ctrl-C does."""
    raise KeyboardInterrupt


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    os.write(2, b"quorumshift: interrupted before anything was begun\n")
    os._exit(_INTERRUPTED)


def _set(handler: signal._HANDLER) -> None:
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background
            signal.signal(number, handler)
