"""``python -m quorumshift.rehearsal.balancer --address 127.72.1.2 --speed 60``."""

from quorumshift.rehearsal.processes import die_with_parent

die_with_parent()

import argparse  # noqa: E402 # the parent's death must be watched before anything else
import asyncio  # noqa: E402 # as above
import gc  # noqa: E402 # as above
import signal  # noqa: E402 # as above

from quorumshift.rehearsal.balancer.control import serve  # noqa: E402 # as above


def main() -> None:
    """Serve until standard input ends or SIGTERM comes. Ctrl-C is for the rehearsal to handle:
    it drains first and then ends this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--speed", type=float, required=True)
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # rare collections: each is a pause that requests would feel
    asyncio.run(serve(arguments.address, arguments.speed))


main()
