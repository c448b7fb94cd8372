"""The line between the engine and the process: a JSON object a line, both ways.

To the process, on its standard input: ``{"version": 3, "desired": <Desired>}``. Its end is the end
of the process. From the process, on its standard output:

- ``{"kind": "ready"}`` once it reads;
- ``{"kind": "applied", "version": 3, "refused": [{"listener", "port", "error"}]}`` when the desired
  state is in force; a refused listener is tried again with the next state;
- ``{"kind": "health", "group", "id", "port", "registration", "state", "reason", "description"}``
  whenever a target's health changes; ``unused`` with ``Target.NotRegistered`` is the last word;
- ``{"kind": "metrics", "bucket", "groups": {arn: …}, "balancers": {name: …}, "late": {…}}`` at the
  end of every scaled minute; ``bucket`` counts such minutes since 1970; ``late``: the statistic of
  the seconds by which the process came too late to what was due.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from quorumshift.domain.data import from_json
from quorumshift.rehearsal.balancer.core import Balancer
from quorumshift.rehearsal.balancer.state import Desired

_LONGEST_LINE = 1 << 24


async def serve(address: str, speed: float) -> None:
    """Be the load balancer until standard input ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    writer, _ = await loop.connect_write_pipe(asyncio.Protocol, sys.stdout)

    def tell(message: dict[str, Any]) -> None:
        writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    balancer = Balancer(address, speed, tell)
    running = loop.create_task(balancer.run())
    tell({"kind": "ready"})
    while line := await reader.readline():
        order = json.loads(line)
        refused = await balancer.apply(from_json(Desired, order["desired"]))
        tell({"kind": "applied", "version": order["version"], "refused": refused})
    running.cancel()
