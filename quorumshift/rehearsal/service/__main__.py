"""One task of the sample service: ``python -m quorumshift.rehearsal.service``."""

from __future__ import annotations

import sys

from quorumshift.rehearsal.processes import die_with_parent


def main() -> int:
    """Run until SIGTERM. Returns the exit code of the task."""
    die_with_parent()
    # Imported only now: should the parent be gone already, nothing more is loaded.
    from quorumshift.rehearsal.service.node import InvalidNode, read_node

    try:
        node = read_node()
    except InvalidNode as error:
        print(error, file=sys.stderr, flush=True)
        return 2
    if node.behaviour == "exit":
        print(f"version {node.version} was made to exit at start", file=sys.stderr, flush=True)
        return 1
    from quorumshift.rehearsal.service.task import run

    return run(node)


if __name__ == "__main__":
    sys.exit(main())
