"""``python -m quorumshift.rehearsal.players --url http://127.72.1.2:8080 --count 300``."""

from __future__ import annotations

import argparse
import signal
import sys

from quorumshift.rehearsal.players import ANSWER_SECONDS, PACE, SESSION_SECONDS
from quorumshift.rehearsal.processes import die_with_parent


def main() -> int:
    """Run until ``finish SECONDS`` comes by standard input (so long may reading back take); ends
    quietly when that is closed."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C: the rehearsal ends us in its own order
    shortest, longest = SESSION_SECONDS
    parser = argparse.ArgumentParser(prog="quorumshift.rehearsal.players")
    parser.add_argument("--url", required=True, help="http://host:port of the service")
    parser.add_argument("--count", type=int, default=300, help="players at one time (default 300)")
    parser.add_argument("--pace", type=float, default=PACE, help="commands a second, of all")
    parser.add_argument("--shortest", type=float, default=shortest, help="seconds of a session")
    parser.add_argument("--longest", type=float, default=longest, help="seconds of a session")
    parser.add_argument(
        "--patience", type=float, default=ANSWER_SECONDS, help="seconds to wait for an answer"
    )
    options = parser.parse_args()
    from quorumshift.rehearsal.players.crowd import run

    session = (options.shortest, options.longest)
    return run(options.url, options.count, options.pace, session, options.patience)


if __name__ == "__main__":
    sys.exit(main())
