"""``python -m quorumshift.rehearsal.load --url http://127.72.1.2:8080 --rate 200``."""

from __future__ import annotations

import argparse
import signal
import sys

from quorumshift.rehearsal.processes import die_with_parent


def main() -> int:
    """Run until ``finish SECONDS`` comes by standard input (so long may reading back take); ends
    quietly when that is closed."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C: the rehearsal ends us in its own order
    parser = argparse.ArgumentParser(prog="quorumshift.rehearsal.load")
    parser.add_argument("--url", required=True, help="http://host:port of the service")
    parser.add_argument("--rate", type=int, default=200, help="requests a second (default 200)")
    parser.add_argument(
        "--writes", type=int, default=50, help="percent of them that write (default 50)"
    )
    options = parser.parse_args()
    from quorumshift.rehearsal.load.generator import run

    return run(options.url, options.rate, options.writes)


if __name__ == "__main__":
    sys.exit(main())
