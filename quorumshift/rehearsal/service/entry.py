"""Whether, when and how a node's etcd starts. Pure; the caller asks and waits.

Never a second cluster. Three things together see to it:

* Only the first ``CLUSTER_SIZE`` tasks that the service ever started may found a cluster: a
  replacement or a green task has a higher sequence number, and can only join. A sequence number
  belongs to one task and one address for ever.
* All founders start with the same list (the addresses of tasks 1 to ``CLUSTER_SIZE``), and etcd
  makes the ids of the members and of the cluster from that list. So whoever founds, founds the
  *same* cluster, at whatever time.
* A founder's etcd starts as ``new`` at most once, on an empty disk, and its task ends with it.
  Two histories of that cluster would each need a majority of the founders, hence one founder
  that voted in both (dissertation, section 3.6): there is none.

A founder that does not answer is therefore no obstacle: it may be waiting for the rest of us
(etcd accepts connections before it has a leader, and then says nothing). A member list that
somebody does tell is believed: with us in it we join, without us we wait to be admitted.
When a founder's task ends before the cluster stands, no cluster is founded at all; that is the
safe side, and :class:`Wait` says what to do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from quorumshift.rehearsal.service.gateway import Member
from quorumshift.rehearsal.service.node import PEER_PORT, Instance


@dataclass(frozen=True, slots=True)
class Start:
    """Start etcd now. ``state``: ``new`` or ``existing``. ``cluster``: etcd's initial cluster.
    ``raft_id``: ours, where the member list told it."""

    state: str
    cluster: str
    raft_id: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet; ``reason`` is for a person."""

    reason: str


def member_name(address: str) -> str:
    """The etcd name of the node at ``address``."""
    return f"node-{address.replace('.', '-')}"


def decide(
    own: str,
    size: int,
    instances: Sequence[Instance],
    lists: Iterable[Sequence[Member]],
    *,
    removed: Collection[str] = (),
    may_found: bool = True,
) -> Start | Wait:
    """What the node at ``own`` does now.

    ``lists``: the member lists that other nodes told. ``removed``: Raft ids that were ours and
    have been taken out; a list that still has one of them is out of date. ``may_found``: our etcd
    has not taken part in a cluster before.
    """
    told = False
    for members in lists:
        told = True
        us = next((member for member in members if member.address == own), None)
        if us is not None and us.raft_id not in removed:
            return Start("existing", _join(own, members), us.raft_id)
    if told:
        return Wait("a cluster exists; waiting to be admitted to it")
    sequence = next((each.sequence for each in instances if each.address == own), None)
    if sequence is None:
        return Wait("this task is not among the service's instances yet")
    if sequence > size or not may_found:
        return Wait("no member of the cluster answers; this task may not found one")
    founders = [each for each in instances if each.sequence <= size]
    if len(founders) == size:
        return Start(
            "new", _initial((member_name(each.address), each.address) for each in founders)
        )
    if any(each.sequence > size for each in instances):
        return Wait(
            f"{len(founders)} of {size} founders are left and no cluster answers: it cannot be "
            "founded any more; start the service anew"
        )
    return Wait(f"{len(founders)} of {size} founders are there")


def _join(own: str, members: Sequence[Member]) -> str:
    return _initial(
        (
            member_name(own) if member.address == own else member.name or _unstarted(member),
            member.address,
        )
        for member in members
    )


def _unstarted(member: Member) -> str:
    return member_name(member.address)


def _initial(nodes: Iterable[tuple[str, str]]) -> str:
    return ",".join(f"{name}=http://{address}:{PEER_PORT}" for name, address in nodes)
