"""One task of SnakeTron, from the first request to the exit code."""

from __future__ import annotations

import asyncio
import signal

from grpclib.server import Server

from quorumshift.rehearsal.service.core import Core
from quorumshift.rehearsal.service.front import Front
from quorumshift.rehearsal.snaketron.api import Api
from quorumshift.rehearsal.snaketron.aside import aside
from quorumshift.rehearsal.snaketron.changes import Changes
from quorumshift.rehearsal.snaketron.directory import Directory
from quorumshift.rehearsal.snaketron.joining import Joining
from quorumshift.rehearsal.snaketron.leaving import leave
from quorumshift.rehearsal.snaketron.peers import Peers
from quorumshift.rehearsal.snaketron.players import Players
from quorumshift.rehearsal.snaketron.raft import Raft
from quorumshift.rehearsal.snaketron.registration import Registration
from quorumshift.rehearsal.snaketron.rpc import GameRelay
from quorumshift.rehearsal.snaketron.settings import Settings
from quorumshift.rehearsal.snaketron.table import Table

SHUTDOWN_SECONDS = 1.0
"""Between the news that a node ends and the end of its WebSockets: so long a player has to open the
next one. What else an end takes is kept short: a rehearsal at speed leaves two real seconds."""
SEND_ON_SECONDS = 3.0
_LAST_WORD_SECONDS = 0.4


def run(settings: Settings) -> int:
    """Serve until SIGTERM (exit code 0) or until the member is lost (1)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the rehearsal ends us in its own order
    return asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    task = _Task(settings)
    await task.start()
    return await task.live()


class _Task:
    """To be made inside a running event loop."""

    def __init__(self, settings: Settings) -> None:
        node = settings.node
        table = Table(settings)
        self._settings = settings
        self._core = Core(node)
        self._directory = Directory(lambda: aside(table.rows))
        self._registration = Registration(table, self._directory)
        self._players = Players(node, self._core.store)
        self._raft = Raft(settings, self._core, self._registration, self._directory, self._players)
        self._peers = Peers(self._directory)
        self._joining = Joining(settings, self._core, self._raft, self._peers)
        self._front = Front(
            node, self._core.store, self._core.health, self._players, settings.ws_port
        )
        self._api = Api(self._core.health, node.address, settings.api_port)
        changes = Changes(self._core, self._directory, self._raft, extended=settings.extended)
        self._relay = Server([GameRelay(self._raft, changes, extended=settings.extended)])

    async def start(self) -> None:
        """Listen on every port. Raises ``OSError`` when one is taken."""
        node = self._settings.node
        await self._core.start()
        await self._front.start()
        await self._api.start()
        await self._relay.start(node.address, self._settings.grpc_port)
        print(f"version {node.version} listens on {node.address}", flush=True)

    async def live(self) -> int:
        """Returns the exit code."""
        others = [self._registration.keep(), self._joining.follow()]
        if self._settings.extended:
            others.append(self._send_players_on())
        return await self._core.live(others, self._drain)

    async def _send_players_on(self) -> None:
        """Who is taken out will be ended, and before SIGTERM comes the load balancer has cut off
        whoever is still connected."""
        await self._core.membership.taken_out.wait()
        await self._players.send_on(SEND_ON_SECONDS)
        await asyncio.Event().wait()

    async def _drain(self) -> None:
        """Players first; the row says ``offline`` last of all."""
        self._registration.drain()
        if self._settings.extended:
            await asyncio.gather(self._front.drain(SHUTDOWN_SECONDS), self._leave())
        else:
            await self._front.drain(SHUTDOWN_SECONDS)
        # Hard, as with a process that just ends: whatever was to be handed over has been.
        await self._core.membership.etcd.kill()
        await self._registration.leave(_LAST_WORD_SECONDS)
        await self._api.close()
        self._relay.close()
        self._peers.close()

    async def _leave(self) -> None:
        """Out of the cluster, as far as a node may go by itself."""
        try:
            async with asyncio.timeout(SHUTDOWN_SECONDS):
                await self._joining.stop()
                said = await leave(self._core, self._raft, self._peers)
        except TimeoutError:
            said = f"leaving: given up after {SHUTDOWN_SECONDS:.1f} s"
        print(said, flush=True)
