"""A node that joins and votes by itself, as many services do today: for the baseline alone.

It asks the leader to admit it as a learner as soon as a cluster exists, and for a vote as soon as
it is one. etcd refuses both until they can be done (one learner at a time, five seconds after the
member before, and a vote only for who has caught up), so it goes on asking. It asks for itself
alone: what becomes of the quorum when others end is nobody's business.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass

from quorumshift.rehearsal.service.gateway import Gateway, Invalid, Member, NoAnswer
from quorumshift.rehearsal.service.node import PEER_PORT, Node
from quorumshift.rehearsal.service.view import View

_PAUSE_SECONDS = 0.2
_ANSWER_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Wish:
    """A membership change: etcd's ``verb`` and what it is told."""

    verb: str
    body: dict[str, object]


def wish(own: str, members: Iterable[Member]) -> Wish | None:
    """What the node at ``own`` wants next; ``None`` once it votes."""
    us = next((member for member in members if member.address == own), None)
    if us is None:
        return Wish("add", {"peerURLs": [f"http://{own}:{PEER_PORT}"], "isLearner": True})
    return Wish("promote", {"ID": us.raft_id}) if us.learner else None


async def join(node: Node, gateway: Gateway, view: View) -> None:
    """Ask for what is wanted, until cancelled. A repeated request does no harm: etcd refuses it."""
    said = ""
    while True:
        outcome = await _ask(node, gateway, view)
        if outcome not in ("", said):
            said = outcome
            print(said, flush=True)
        await asyncio.sleep(_PAUSE_SECONDS)


async def _ask(node: Node, gateway: Gateway, view: View) -> str:
    """One request, if there is one to make; what came of it."""
    reign = view.reign
    if reign is None or not view.members:
        return ""
    wanted = wish(node.address, view.members)
    if wanted is None:
        return ""
    path, body = f"/v3/cluster/member/{wanted.verb}", json.dumps(wanted.body).encode()
    try:
        await gateway.call(reign.address, path, body, _ANSWER_SECONDS)
    except (NoAnswer, Invalid) as error:
        return f"self-join: {wanted.verb} was refused: {error}"
    return f"self-join: {wanted.verb} was done"
