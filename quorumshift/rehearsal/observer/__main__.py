"""``python -m quorumshift.rehearsal.observer --instances FILE``."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from quorumshift.rehearsal.processes import die_with_parent


def main() -> int:
    """Run until ``finish`` comes by standard input; ends quietly when that is closed."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C: the rehearsal ends us in its own order
    parser = argparse.ArgumentParser(prog="quorumshift.rehearsal.observer")
    parser.add_argument("--instances", type=Path, required=True, help="the service's tasks")
    options = parser.parse_args()
    from quorumshift.rehearsal.observer.watch import run

    return run(options.instances)


if __name__ == "__main__":
    sys.exit(main())
