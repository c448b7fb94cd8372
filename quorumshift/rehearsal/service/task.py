"""One task: front and member together, from the first request to the exit code."""

from __future__ import annotations

import asyncio
import signal
import sys
import traceback

from quorumshift.rehearsal.service import self_join
from quorumshift.rehearsal.service.forward import Store
from quorumshift.rehearsal.service.front import Front
from quorumshift.rehearsal.service.gateway import Gateway
from quorumshift.rehearsal.service.membership import MemberLost, Membership
from quorumshift.rehearsal.service.node import Node, read_instances
from quorumshift.rehearsal.service.peer_relay import PeerRelay
from quorumshift.rehearsal.service.view import View


def run(node: Node) -> int:
    """Serve until SIGTERM (exit code 0) or until the member is lost (1)."""
    # Ctrl-C reaches every process of the terminal; the rehearsal then ends us in its own order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return asyncio.run(_serve(node))


async def _serve(node: Node) -> int:
    told_to_end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told_to_end.set)
    gateway = Gateway()
    view = View(gateway, lambda: read_instances(node.instances))
    membership = Membership(node, gateway, view)
    front = Front(node, Store(gateway, view), lambda: _missing(view))
    relay = PeerRelay(node) if node.relayed else None
    if relay is not None:
        await relay.start()
    await front.start()
    print(f"version {node.version} listens on {node.address}", flush=True)
    member = asyncio.create_task(membership.live())
    look_out = asyncio.create_task(view.follow())
    parts = [member, look_out, asyncio.create_task(told_to_end.wait())]
    if node.behaviour == "self-join":
        parts.append(asyncio.create_task(self_join.join(node, gateway, view)))
    if relay is not None:
        parts.append(asyncio.create_task(relay.follow()))
    ended, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    failures = [error for part in ended if (error := part.exception()) is not None]
    for error in failures:
        _tell(error)
    member.cancel()  # no new etcd from now on; what is under way still needs to know the leader
    await front.drain()
    await membership.etcd.stop()
    for part in parts:
        part.cancel()
    await asyncio.gather(*parts, return_exceptions=True)
    await gateway.close()
    return 1 if failures else 0


def _missing(view: View) -> str | None:
    return None if view.members else "no leader of the cluster has been seen yet"


def _tell(error: BaseException) -> None:
    """A lost member is explained in a sentence; anything else is a defect, with its trace."""
    if isinstance(error, MemberLost):
        print(f"MemberLost: {error}", file=sys.stderr, flush=True)
    else:
        traceback.print_exception(error, file=sys.stderr)
