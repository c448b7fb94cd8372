"""Changes of the cluster: one node after another is asked until one gives a definite answer.

Only the leader changes anything. A node that says that it does not lead is not the end: the leader
that the nodes name is looked up by its id, wherever it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from quorumshift.adapters.raft.snaketron import relay
from quorumshift.adapters.raft.snaketron.nodes import UNIMPLEMENTED, Nodes, declined
from quorumshift.adapters.raft.snaketron.reasons import (
    NO_SUCH_MEMBER,
    Meaning,
    settled,
    unclear,
)
from quorumshift.adapters.raft.snaketron.relay import Call, Declined, NoReply, NotSent
from quorumshift.adapters.raft.snaketron.statuses import Said
from quorumshift.adapters.raft.snaketron.view import leader_of, leading, where
from quorumshift.domain.errors import ChangeRefused, QuorumshiftError, Transient
from quorumshift.domain.raft import Membership, RaftMember, RaftView, Standing

_LOOK_EVERY = 0.05
"""Seconds between two looks whether leadership has moved."""
_AGAIN = "Look again, then repeat the step"


@dataclass(frozen=True, slots=True)
class _Step:
    """One change. ``done``: whether a view shows it. ``already``: the reason that means that there
    is nothing left to do. ``repeat``: nodes repeat it themselves, whatever the reason for a no."""

    what: str
    call: Call
    done: Callable[[RaftView], bool]
    already: str = ""
    repeat: bool = False


@dataclass(slots=True)
class _Tried:
    """What came of a step. ``look``: it may have been made although nobody said so.
    ``elsewhere``: a node said that it does not lead. ``lacking``: addresses of nodes that do not
    know the call."""

    seen: list[str] = field(default_factory=list)
    look: bool = False
    elsewhere: bool = False
    lacking: set[str] = field(default_factory=set)


async def admit(nodes: Nodes, address: str) -> None:
    """Make the node at ``address`` a learner; its Raft need not run yet."""
    what = f"admit {address} as a learner"
    node_id = await _id_of(nodes, address, what)
    host = f"[{address}]" if ":" in address else address
    step = _Step(
        what=what,
        call=relay.join(node_id, f"{host}:{nodes.port}"),
        done=_shows(lambda members: node_id in {m.raft_id for m in members}),
        repeat=True,
    )
    await _change(nodes, step, nodes.via)


async def promote(nodes: Nodes, raft_id: str) -> None:
    """Make a learner a voter."""
    voter = (raft_id, Standing.VOTER)
    step = _Step(
        what=f"promote node {raft_id}",
        call=relay.promotion(raft_id),
        done=_shows(lambda members: voter in {(m.raft_id, m.standing) for m in members}),
        repeat=True,
    )
    await _change(nodes, step, nodes.via)


async def remove(nodes: Nodes, raft_id: str) -> None:
    """Take a member out."""
    step = _Step(
        what=f"remove node {raft_id}",
        call=relay.removal(raft_id),
        done=_shows(lambda members: raft_id not in {m.raft_id for m in members}),
        already=NO_SUCH_MEMBER,
    )
    await _change(nodes, step, nodes.via)


async def transfer(nodes: Nodes, raft_id: str) -> None:
    """Hand leadership to this voter, and see that it leads."""
    view = await nodes.observe()
    if leader_of(view) == raft_id:
        return
    what = f"move leadership to node {raft_id}"
    leader, at = leading(view)
    if leader is None:
        silent = f"{at} leads and does not answer." if at else "No node leads."
        raise Transient(f"Cannot {what}: {' '.join(view.unknown) or silent} {_AGAIN}")
    voters = {m.raft_id for m in view.members if m.standing is Standing.VOTER}
    told, place = where(raft_id, view)
    if raft_id in voters:
        if told is None:
            await _expect_answer(nodes, place, what)
        if leader.joins_only:
            at = place
    step = _Step(what, relay.transfer(raft_id), lambda view: leader_of(view) == raft_id)
    await _change(nodes, step, [at], decides=at)
    await _until_done(nodes, step, at)


async def _until_done(nodes: Nodes, step: _Step, at: str) -> None:
    """Wait for the election that a transfer ends with, as long as for one call."""
    loop = asyncio.get_running_loop()
    end = loop.time() + nodes.timeout
    while not step.done(view := await nodes.observe()):
        if loop.time() > end:
            leads = f"node {leader} leads" if (leader := leader_of(view)) else "no node leads"
            raise Transient(
                f"Cannot {step.what}: {at} answered that it is done, and {leads}. {_AGAIN}"
            )
        await asyncio.sleep(_LOOK_EVERY)


async def _expect_answer(nodes: Nodes, address: str, what: str) -> None:
    if isinstance(silence := await nodes.ask(address), str):
        raise Transient(
            f"Cannot {what}: {silence}. Moving it to a node that does not answer would stall "
            "writes; wait for the node or choose another one"
        )


async def _id_of(nodes: Nodes, address: str, what: str) -> str:
    said = await nodes.ask(address)
    if isinstance(said, Said) and said.raft_id:
        return said.raft_id
    if raft_id := nodes.table.raft_id(address):
        return raft_id
    why = said if isinstance(said, str) else f"{address} does not tell it"
    raise Transient(
        f"Cannot {what}: its Raft id is not known ({why}; {nodes.rows(address)}). Wait "
        "until the node has registered itself, then repeat the step"
    )


async def _change(
    nodes: Nodes, step: _Step, whom: Sequence[str], decides: str | None = None
) -> None:
    """Get one change made. ``decides``: the only node that can; ``None``: whoever leads."""
    tried = _Tried()
    try:
        if await _asked(nodes, step, whom, tried):
            return
        if tried.elsewhere and decides is None:
            _, leader = leading(await nodes.observe())
            if leader not in ("", *whom) and await _asked(nodes, step, [leader], tried):
                return
        seen = "; ".join(tried.seen) or "no address to ask"
        raise Transient(f"Cannot {step.what}: {seen}. {_AGAIN}")
    except QuorumshiftError:
        if not (tried.look or tried.lacking):
            raise
        view = await nodes.observe()
        if tried.look and step.done(view):
            return
        deciding = decides or leading(view)[1]
        if deciding in tried.lacking:
            raise ChangeRefused(
                f"Cannot {step.what}: {deciding} does not know {step.call.method}. Deploy a "
                "version of SnakeTron that does (docs/snaketron.md), then start again"
            ) from None
        raise


async def _asked(nodes: Nodes, step: _Step, whom: Sequence[str], tried: _Tried) -> bool:
    """Whether a node said that it is done. What is unclear is left in ``tried``."""
    for address in whom:
        try:
            answer = await nodes.change(address, step.call)
        except (NotSent, NoReply) as error:
            tried.seen.append(f"{address}: {error}")
            tried.look = tried.look or isinstance(error, NoReply)
            continue
        except Declined as error:
            tried.seen.append(declined(address, error))
            if error.code == UNIMPLEMENTED:
                tried.lacking.add(address)
            else:
                tried.look = True
            continue
        meaning = settled(step.what, address, answer, already=step.already)
        if meaning is Meaning.DONE:
            return True
        if meaning is Meaning.UNKNOWN:
            tried.look = True
            raise unclear(step.what, address, answer, repeat=step.repeat)
        tried.seen.append(f"{address} answered {answer}")
        tried.elsewhere = True
    return False


def _shows(
    done: Callable[[tuple[RaftMember, ...]], bool],
) -> Callable[[RaftView], bool]:
    """Only a confirmed list counts: any other may be older than the change."""
    return lambda view: view.membership is Membership.CONFIRMED and done(view.members)
