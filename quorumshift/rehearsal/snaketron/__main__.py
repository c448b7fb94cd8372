"""One task of the sample SnakeTron: ``python -m quorumshift.rehearsal.snaketron``."""

from __future__ import annotations

import sys

from quorumshift.rehearsal.processes import die_with_parent


def main() -> int:
    """Run until SIGTERM. Returns the exit code of the task."""
    die_with_parent()
    # Imported only now: should the parent be gone already, nothing more is loaded.
    from quorumshift.rehearsal.service.node import InvalidNode
    from quorumshift.rehearsal.snaketron.settings import read_settings

    try:
        settings = read_settings()
    except InvalidNode as error:
        print(error, file=sys.stderr, flush=True)
        return 2
    node = settings.node
    if node.behaviour == "exit":
        print(f"version {node.version} was made to exit at start", file=sys.stderr, flush=True)
        return 1
    from quorumshift.rehearsal.snaketron.task import run

    return run(settings)


if __name__ == "__main__":
    sys.exit(main())
