"""Stands between a node's etcd and its peers, in rehearsals of a fault of the network.

etcd listens on a port that nobody knows, and this relay on the one that its peers do. A relay
knows who calls, and every node has one. So a node that is cut off is so in both directions: its
own relay holds back everybody, and every other relay holds *it* back. Its ports for clients and
for requests stay as they are.
"""

from __future__ import annotations

import asyncio

from quorumshift.rehearsal.service.callers import Endpoint, far_socket, holds
from quorumshift.rehearsal.service.node import PEER_PORT, RELAYED_PEER_PORT, Node
from quorumshift.rehearsal.service.peer_files import Cuts, PeerFiles
from quorumshift.rehearsal.service.peer_link import Link

_LOOK_SECONDS = 0.01


class PeerRelay:
    """The relay of one node. To be made inside a running event loop."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._files = PeerFiles(node.instances)
        self._cuts = Cuts()
        self._links: set[Link] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; what is cut already is so from the first connection on."""
        self._obey(self._files.cuts())
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Link(self._accept, self._links.discard).peer, self._node.address, PEER_PORT
        )

    async def follow(self) -> None:
        """Cut and mend as told, until cancelled; then break everything off."""
        try:
            while True:
                await asyncio.sleep(_LOOK_SECONDS)
                cuts = self._files.cuts()
                if cuts != self._cuts:
                    self._obey(cuts)
        finally:
            if self._server is not None:
                self._server.close()
            for link in tuple(self._links):
                link.abort()

    def _obey(self, cuts: Cuts) -> None:
        """Cut and mend, and then tell that it was done."""
        before, self._cuts = self._cuts, cuts
        for link in tuple(self._links):
            if self._is_cut(link, cuts):
                link.cut()
            elif self._is_cut(link, before):
                link.mend()
        self._files.tell(self._node.address, cuts.revision, slow=self._node.slow_learner)

    def _accept(self, link: Link) -> None:
        self._links.add(link)
        if not self._find_caller(link):
            link.abort()
        elif self._is_cut(link, self._cuts):
            link.cut()
        else:
            link.open(
                self._node.address,
                RELAYED_PEER_PORT,
                slow_in=self._node.slow_learner,
                slow_out=link.caller is not None and self._files.is_slow(link.caller),
            )

    def _find_caller(self, link: Link) -> bool:
        """Note which node calls; ``False`` when the caller has gone already."""
        assert link.peer.transport is not None
        there: Endpoint = link.peer.transport.get_extra_info("peername")
        name = far_socket((self._node.address, PEER_PORT), there)
        if name is None:
            return False
        etcds = self._files.etcds().items()
        link.caller = next((each for each, process in etcds if holds(process, name)), None)
        return True

    def _is_cut(self, link: Link, cuts: Cuts) -> bool:
        return self._node.address in cuts.addresses or link.caller in cuts.addresses
