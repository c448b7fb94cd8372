"""One task: front and member together, from the first request to the exit code."""

from __future__ import annotations

import asyncio
import signal

from quorumshift.rehearsal.service import self_join
from quorumshift.rehearsal.service.core import Core
from quorumshift.rehearsal.service.front import Front
from quorumshift.rehearsal.service.node import Node
from quorumshift.rehearsal.service.sockets import Echo


def run(node: Node) -> int:
    """Serve until SIGTERM (exit code 0) or until the member is lost (1)."""
    # Ctrl-C reaches every process of the terminal; the rehearsal then ends us in its own order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return asyncio.run(_serve(node))


async def _serve(node: Node) -> int:
    core = Core(node)
    await core.start()
    front = Front(node, core.store, core.health, Echo(node))
    await front.start()
    print(f"version {node.version} listens on {node.address}", flush=True)

    async def drain() -> None:
        await front.drain()
        await core.membership.etcd.stop()

    joins = [self_join.join(node, core.gateway, core.view)] if node.behaviour == "self-join" else []
    return await core.live(joins, drain)
