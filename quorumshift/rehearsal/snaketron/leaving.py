"""What a node of the extended contract does for the others before it ends."""

from __future__ import annotations

import asyncio
import json

from quorumshift.adapters.raft.snaketron import game_relay_pb2 as pb
from quorumshift.rehearsal.service.core import Core
from quorumshift.rehearsal.service.gateway import Member, NoAnswer, Status
from quorumshift.rehearsal.snaketron.changes import TRANSFER
from quorumshift.rehearsal.snaketron.peers import NoPeer, Peers
from quorumshift.rehearsal.snaketron.raft import Raft, RaftDown

_ASK_SECONDS = 0.3
_CHANGE_SECONDS = 1.0
_AGAIN_SECONDS = 0.1


async def leave(core: Core, raft: Raft, peers: Peers) -> str:
    """Hand leadership over if this node leads, and ask to be taken out if it is a learner.

    A voter stays a member: to take out one of those safely is more than a node can do that ends.
    Returns what was done, for a person. Takes as long as it takes: the caller gives up.
    """
    members = await core.membership.confirmed_members()
    us = next((each for each in members or () if each.address == core.node.address), None)
    if members is None or us is None:
        return "leaving: not a member" if members else "leaving: no quorum answers"
    if us.learner:
        return await _get_out(raft, peers)
    try:
        leads = (await raft.status()).leads
    except RaftDown as error:
        return f"leaving: {error}"
    return await _give_way(core, members) if leads else "leaving: a voter stays a member"


async def _give_way(core: Core, members: tuple[Member, ...]) -> str:
    """To the voter that knows most, of those that answer."""
    voters = [each for each in members if not each.learner and each.address != core.node.address]
    told = await asyncio.gather(*(_status(core, voter) for voter in voters))
    answered = sorted((each for each in told if each is not None), key=lambda each: -each.index)
    for heir in answered:
        body = json.dumps({"targetID": heir.raft_id}).encode()
        try:
            await core.gateway.call(core.node.address, TRANSFER, body, _CHANGE_SECONDS)
        except NoAnswer as error:
            print(f"leaving: leadership stays here: {error}", flush=True)
            continue
        return "leaving: leadership was handed over"
    return "leaving: nobody takes the leadership over"


async def _status(core: Core, member: Member) -> Status | None:
    try:
        return await core.gateway.status(member.address, _ASK_SECONDS)
    except NoAnswer:
        return None


async def _get_out(raft: Raft, peers: Peers) -> str:
    """Asks until a leader does it: leadership may be moving, for others may end as we do."""
    said = ""
    while True:
        try:
            raft_id = raft.raft_id
            if (leader := await peers.find_leader(raft_id)) is not None:
                request = pb.RemovalRequest(node_id=raft_id)
                told = await peers.change(leader, "RequestRemoval", request, pb.RemovalResponse)
                if told.removed:
                    return "leaving: taken out"
                reason = told.reason
            else:
                reason = "no leader answers"
        except (RaftDown, NoPeer) as error:
            reason = str(error)
        if reason != said:
            said = reason
            print(f"leaving: still a learner: {reason}", flush=True)
        await asyncio.sleep(_AGAIN_SECONDS)
