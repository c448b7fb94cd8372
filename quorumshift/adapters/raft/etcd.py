"""etcd 3.5 and later, asked and changed through its JSON gateway.

What etcd's documentation and its server (``server/etcdserver/server.go``) say, and what is made of
it here:

- ``raftIndex`` is the index a node knows to be *committed*, not the end of its log.
- A learner answers its status and refuses the member list and every change.
- Members are changed only when the voters have been connected for five seconds (503 ``unhealthy
  cluster``, option ``--strict-reconfig-check``). The first node that says so is believed: asking
  the others until one agrees would be a way around a safety rule.
- Leadership is handed over by the leader alone, and proposals are dropped until it is done or an
  election timeout has passed. So a target that does not answer is not tried.

*No* and *not yet* are told apart: ``ChangeRefused`` when only another change can make it possible,
``Transient`` when waiting may (a learner that catches up, connections that are too young, an
election, a lost reply). After a lost reply the cluster is looked at before anything is raised.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from quorumshift.adapters.raft.dialects import ETCD
from quorumshift.adapters.raft.etcd_answers import settled, uncertain
from quorumshift.adapters.raft.etcd_gateway import Answer, NoReply, NotSent, post
from quorumshift.adapters.raft.etcd_view import (
    Said,
    leader_of,
    place_of,
    read_members,
    read_status,
    reports,
    two_clusters,
    unconfirmed,
)
from quorumshift.domain.errors import ChangeRefused, QuorumshiftError, Transient
from quorumshift.domain.policy import Dialect
from quorumshift.domain.raft import Membership, RaftMember, RaftView, Standing

_STATUS = "/v3/maintenance/status"
_TRANSFER = "/v3/maintenance/transfer-leadership"
_LIST = "/v3/cluster/member/list"
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
        self._client_port = client_port
        self._peer_port = peer_port
        self._timeout = timeout

    def observe(self, addresses: Sequence[str]) -> RaftView:
        """Ask all addresses at once, then read the member list through a quorum if one answers.

        Never raises. Nodes of two different clusters make the member list unknown: which of them
        is the service's cannot be told from here.
        """
        asked = tuple(dict.fromkeys(addresses))
        if not asked:
            return RaftView((), Membership.UNKNOWN, {}, ("No address to ask.",))
        with ThreadPoolExecutor(max_workers=len(asked)) as pool:
            answers = list(pool.map(self._ask, asked))
        said = [answer for answer in answers if isinstance(answer, Said)]
        if len({one.cluster for one in said}) > 1:
            return RaftView((), Membership.UNKNOWN, reports(said), (two_clusters(said),))
        confirmed = self._confirmed([one.address for one in said if not one.learner])
        if confirmed is not None:
            return RaftView(confirmed, Membership.CONFIRMED, reports(said))
        silent = [answer for answer in answers if isinstance(answer, str)]
        return unconfirmed(said, silent)

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
        if isinstance(silence := self._ask(address), str):
            raise Transient(
                f"Cannot {what}: {silence}. Moving it to a node that does not answer would stall "
                "writes; wait for the node or choose another one"
            )

    def _ask(self, address: str) -> Said | str:
        """What the node says of itself, or why it is taken for silent."""
        began = time.monotonic()
        try:
            status = self._post(address, _STATUS, {})
            if not status.ok:
                return f"{address} answered {status}"
            learner = bool(status.body.get("isLearner"))
            left = max(self._timeout - (time.monotonic() - began), 0.01)
            members = None if learner else self._members(address, left, linearizable=False)
            return read_status(address, status.body, learner, members)
        except (NotSent, NoReply, ValueError) as error:
            return f"{address}: {error}"

    def _confirmed(self, voters: Sequence[str]) -> tuple[RaftMember, ...] | None:
        """The member list as a quorum knows it: the first voter's that gets it in time."""
        if not voters:
            return None
        pool = ThreadPoolExecutor(max_workers=len(voters))
        try:
            asked = [
                pool.submit(self._members, voter, self._timeout, linearizable=True)
                for voter in voters
            ]
            for answer in as_completed(asked):
                if (members := answer.result()) is not None:
                    return members
            return None
        finally:
            # A voter that is cut off from the others takes its whole deadline: not ours to await.
            pool.shutdown(wait=False, cancel_futures=True)

    def _members(
        self, address: str, seconds: float, *, linearizable: bool
    ) -> tuple[RaftMember, ...] | None:
        try:
            body = {"linearizable": linearizable}
            answer = post(address, self._client_port, _LIST, body, seconds)
            return read_members(answer.body) if answer.ok else None
        except (NotSent, NoReply, ValueError):
            return None

    def _change(
        self, step: _Step, via: Sequence[str], look_at: Sequence[str] | None = None
    ) -> None:
        """Ask one node after another until one gives a definite answer."""
        seen: list[str] = []
        lost = False
        try:
            for address in dict.fromkeys(via):
                try:
                    answer = self._post(address, step.path, step.body)
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

    def _post(self, address: str, path: str, body: Mapping[str, object]) -> Answer:
        return post(address, self._client_port, path, body, self._timeout)


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
