"""etcd 3.5 and later, asked and changed through its JSON gateway.

What its server does (``server/etcdserver/server.go``, and seen on 3.5.1), and what is made of it
here; ``etcd_look`` has what is asked:

- Nobody is admitted while a voter's connection is closed, or younger than five seconds (503
  ``unhealthy cluster``, option ``--strict-reconfig-check``). A voter that is frozen or silently cut
  off counts as connected, so what etcd accepts is no proof that it is safe: the tolerance that the
  planner keeps is. A dead voter is removed at once, a living one only if enough others are
  connected. The first node that refuses is believed: asking the others until one agrees would be a
  way around a safety rule.
- Leadership is handed over by the leader alone, and proposals are dropped until it is done or an
  election timeout has passed. So a target that does not answer is not tried.

*No* and *not yet* are told apart: ``ChangeRefused`` when only another change can make it possible,
``Transient`` when waiting may (a learner that catches up, connections that are too young, an
election, a lost reply). After a lost reply the cluster is looked at before anything is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from quorumshift.adapters.raft.dialects import ETCD
from quorumshift.adapters.raft.etcd_answers import settled, uncertain
from quorumshift.adapters.raft.etcd_gateway import NoReply, NotSent
from quorumshift.adapters.raft.etcd_look import EtcdNodes
from quorumshift.adapters.raft.etcd_view import Silent, leader_of, place_of
from quorumshift.domain.errors import ChangeRefused, QuorumshiftError, Transient
from quorumshift.domain.policy import Dialect
from quorumshift.domain.raft import Membership, RaftMember, RaftView, Standing

_TRANSFER = "/v3/maintenance/transfer-leadership"
_ADD = "/v3/cluster/member/add"
_PROMOTE = "/v3/cluster/member/promote"
_REMOVE = "/v3/cluster/member/remove"


@dataclass(frozen=True, slots=True)
class _Step:
    """One change. ``already``: the error that means that there is nothing left to do.
    ``done``: whether a view shows the change."""

    what: str
    path: str
    body: Mapping[str, object]
    done: Callable[[RaftView], bool]
    already: tuple[str, ...] = ()


class EtcdRaft:
    """A cluster of etcd members (implements :class:`~quorumshift.ports.RaftControl`).

    ``client_port``, ``peer_port``: the same on every node. ``timeout``: seconds for one call to
    one node; :meth:`observe` takes at most two of them, however many nodes are silent. Plain HTTP:
    the nodes' security group is what keeps others out.
    """

    dialect: Dialect = ETCD

    def __init__(
        self, client_port: int = 2379, timeout: float = 1.0, *, peer_port: int = 2380
    ) -> None:
        self._nodes = EtcdNodes(client_port, timeout)
        self._peer_port = peer_port

    def observe(self, addresses: Sequence[str]) -> RaftView:
        """Ask all addresses at once; see :meth:`EtcdNodes.observe`. Never raises."""
        return self._nodes.observe(addresses)

    def admit(self, address: str, via: Sequence[str]) -> None:
        """Make the node at ``address`` a learner; its process need not run yet."""
        host = f"[{address}]" if ":" in address else address
        peer = f"http://{host}:{self._peer_port}"
        step = _Step(
            what=f"admit {address} as a learner",
            path=_ADD,
            body={"peerURLs": [peer], "isLearner": True},
            done=lambda view: _has_place(address, view),
        )
        look_at = (*via, address)
        try:
            self._change(step, via, look_at)
        except ChangeRefused:
            if not step.done(self.observe(look_at)):
                raise

    def promote(self, raft_id: str, via: Sequence[str]) -> None:
        """Make a learner a voter. ``Transient`` while etcd finds it not in sync."""
        voter = (raft_id, Standing.VOTER)
        step = _Step(
            what=f"promote member {raft_id}",
            path=_PROMOTE,
            body={"ID": raft_id},
            done=_shows(lambda members: voter in {(m.raft_id, m.standing) for m in members}),
            already=("can only promote a learner member",),
        )
        self._change(step, via)

    def remove(self, raft_id: str, via: Sequence[str]) -> None:
        """Take a member out. Its process ends by itself a moment later."""
        step = _Step(
            what=f"remove member {raft_id}",
            path=_REMOVE,
            body={"ID": raft_id},
            done=_shows(lambda members: raft_id not in {m.raft_id for m in members}),
            already=("member not found",),
        )
        self._change(step, via)

    def transfer(self, raft_id: str, via: Sequence[str]) -> None:
        """Hand leadership to this voter, and see that it leads."""
        view = self.observe(via)
        leader = leader_of(view)
        if leader == raft_id:
            return
        what = f"move leadership to member {raft_id}"
        at = place_of(leader, view) if leader else None
        if at is None:
            seen = " ".join(view.unknown) or "No member leads."
            raise Transient(f"Cannot {what}: {seen} Look again, then repeat the step")
        voters = {m.raft_id for m in view.members if m.standing is Standing.VOTER}
        target = place_of(raft_id, view)
        if target is not None and raft_id in voters:
            self._expect_answer(target, what)
        step = _Step(
            what=what,
            path=_TRANSFER,
            body={"targetID": raft_id},
            done=lambda view: leader_of(view) == raft_id,
        )
        self._change(step, [at], look_at=via)

    def _expect_answer(self, address: str, what: str) -> None:
        if isinstance(silence := self._nodes.ask(address), Silent):
            raise Transient(
                f"Cannot {what}: {silence.why}. Moving it to a node that does not answer would "
                "stall writes; wait for the node or choose another one"
            )

    def _change(
        self, step: _Step, via: Sequence[str], look_at: Sequence[str] | None = None
    ) -> None:
        """Ask one node after another until one gives a definite answer."""
        seen: list[str] = []
        lost = False
        try:
            for address in dict.fromkeys(via):
                try:
                    answer = self._nodes.post(address, step.path, step.body)
                except NotSent as error:
                    seen.append(f"{address}: {error}")
                    continue
                except NoReply as error:
                    seen.append(f"{address}: {error}")
                    lost = True
                    continue
                if settled(step.what, step.already, address, answer):
                    return
                seen.append(f"{address} answered {answer}")
                lost = lost or uncertain(answer)
            tried = "; ".join(seen) or "no address to ask"
            raise Transient(f"Cannot {step.what}: {tried}. Look again, then repeat the step")
        except QuorumshiftError:
            if not (lost and step.done(self.observe(look_at or via))):
                raise


def _has_place(address: str, view: RaftView) -> bool:
    """Whether a member that the node at ``address`` is, or may become, is in a confirmed list. A
    voter that is listed there and is not that node is one whose task is gone."""
    told = view.reports.get(address)
    return view.membership is Membership.CONFIRMED and any(
        member.address == address
        and (member.standing is Standing.LEARNER or (told and told.raft_id == member.raft_id))
        for member in view.members
    )


def _shows(
    done: Callable[[tuple[RaftMember, ...]], bool],
) -> Callable[[RaftView], bool]:
    """Only a confirmed list counts: a node's own may be older than the change."""
    return lambda view: view.membership is Membership.CONFIRMED and done(view.members)
