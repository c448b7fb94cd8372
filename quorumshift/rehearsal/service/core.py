"""What the task of every sample is made of, and how it lives: until SIGTERM, or until its member is
lost."""

from __future__ import annotations

import asyncio
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from quorumshift.rehearsal.service.forward import Store
from quorumshift.rehearsal.service.gateway import Gateway
from quorumshift.rehearsal.service.health import Health
from quorumshift.rehearsal.service.membership import MemberLost, Membership
from quorumshift.rehearsal.service.node import Node, read_instances
from quorumshift.rehearsal.service.peer_relay import PeerRelay
from quorumshift.rehearsal.service.view import View


class Core:
    """A node's member, its look-out for the leader, and what both need. To be made inside a running
    event loop."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.gateway = Gateway()
        self.view = View(self.gateway, lambda: read_instances(node.instances))
        self.membership = Membership(node, self.gateway, self.view)
        self.store = Store(self.gateway, self.view)
        self.health = Health(node, self.view)
        self._relay = PeerRelay(node) if node.relayed else None
        self._told_to_end = asyncio.Event()

    async def start(self) -> None:
        """Heed SIGTERM, and listen where peers expect it."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._told_to_end.set)
        if self._relay is not None:
            await self._relay.start()

    async def live(
        self, others: Iterable[Coroutine[Any, Any, Any]], drain: Callable[[], Awaitable[None]]
    ) -> int:
        """Returns the exit code: 0 after SIGTERM, 1 when a part failed.

        ``others``: what else is to run, none of which ends by itself. ``drain``: to be done at the
        end, while all of them but the life of the member go on; it stops etcd.
        """
        member = asyncio.create_task(self.membership.live())
        look_out = asyncio.create_task(self.view.follow())
        parts = [member, look_out, asyncio.create_task(self._told_to_end.wait())]
        parts += [asyncio.create_task(other) for other in others]
        if self._relay is not None:
            parts.append(asyncio.create_task(self._relay.follow()))
        ended, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        failures = [error for part in ended if (error := part.exception()) is not None]
        for error in failures:
            _tell(error)
        member.cancel()  # no new etcd from now on; what is under way still needs to know the leader
        await drain()
        for part in parts:
            part.cancel()
        await asyncio.gather(*parts, return_exceptions=True)
        await self.gateway.close()
        return 1 if failures else 0


def _tell(error: BaseException) -> None:
    """A lost member is explained in a sentence; anything else is a defect, with its trace."""
    if isinstance(error, MemberLost):
        print(f"MemberLost: {error}", file=sys.stderr, flush=True)
    else:
        traceback.print_exception(error, file=sys.stderr)
