"""One look at all etcds: what each says of itself, and the member list as a quorum knows it.

What etcd's server says, and what is made of it here:

- ``raftIndex`` is the index a node knows to be *committed*, not the end of its log; ``raftTerm`` is
  the term of the last entry it has *applied*, and the header's is no other.
- A learner answers its status, its own member list and serializable reads, and refuses the rest.
- ``linearizable`` in a request for the member list is new in 3.5; before, every list is from memory
  and confirms nothing, so such a cluster cannot be worked with.
- With authentication on, status and lists are told to anybody, and every change is refused. So is
  a serializable read of one key, which asks nobody else and leaves nothing behind.
- A listener that speaks TLS alone closes the connection without an answer.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace

from quorumshift.adapters.raft.etcd_gateway import (
    Answer,
    Closed,
    NoReply,
    NotSent,
    post,
    speaks_tls,
)
from quorumshift.adapters.raft.etcd_limits import unworkable
from quorumshift.adapters.raft.etcd_view import (
    Said,
    Silent,
    apart,
    placed,
    read_members,
    read_status,
    reports,
    two_clusters,
    unconfirmed,
)
from quorumshift.domain.raft import Membership, RaftMember, RaftView

_STATUS = "/v3/maintenance/status"
_LIST = "/v3/cluster/member/list"
_RANGE = "/v3/kv/range"
_ANY_KEY = {"key": "AA==", "limit": "1", "serializable": True, "count_only": True}
_NO_USER = "user name is empty"


class EtcdNodes:
    """The etcds of a service; ``timeout``: seconds for one call to one node."""

    def __init__(self, client_port: int, timeout: float) -> None:
        self._client_port = client_port
        self._timeout = timeout

    def observe(self, addresses: Sequence[str]) -> RaftView:
        """Ask all addresses at once, then read the member list through a quorum if one answers.

        Never raises. A node that is alone in a cluster of its own is set aside: its report is left
        out. Nodes of other different clusters make the member list unknown: which of them is the
        service's cannot be told from here.
        """
        asked = tuple(dict.fromkeys(addresses))
        if not asked:
            return RaftView((), Membership.UNKNOWN, {}, ("No address to ask.",))
        with ThreadPoolExecutor(max_workers=len(asked)) as pool:
            answers = list(pool.map(self.ask, asked))
        said = [answer for answer in answers if isinstance(answer, Said)]
        silent = [answer for answer in answers if isinstance(answer, Silent)]
        strangers = apart(said)
        said = [one for one in said if one.address not in strangers]
        if len({one.cluster for one in said}) > 1:
            return RaftView((), Membership.UNKNOWN, reports(said), (two_clusters(said),))
        confirmed = self._confirmed([one.address for one in said if one.confirms])
        limits = unworkable(said, silent, confirmed=confirmed is not None)
        if confirmed is None:
            return replace(unconfirmed(said, silent, limits), apart=strangers)
        members, doubts = placed(confirmed, said)
        return RaftView(members, Membership.CONFIRMED, reports(said), doubts, limits, strangers)

    def ask(self, address: str) -> Said | Silent:
        """What the node says of itself, or why it is taken for silent."""
        deadline = time.monotonic() + self._timeout
        try:
            status = self.post(address, _STATUS, {})
            if not status.ok:
                return Silent(f"{address} answered {status}")
            learner = bool(status.body.get("isLearner"))
            members = None if learner else self._members(address, _left(deadline), False)
            user = not learner and self._asks_for_user(address, _left(deadline))
            return read_status(address, status.body, members, asks_for_user=user)
        except Closed as error:
            tls = speaks_tls(address, self._client_port, _left(deadline))
            return Silent(f"{address}: {error}", address if tls else "")
        except (NotSent, NoReply, ValueError) as error:
            return Silent(f"{address}: {error}")

    def post(
        self,
        address: str,
        path: str,
        body: Mapping[str, object],
        seconds: float | None = None,
    ) -> Answer:
        """One call; see :func:`~quorumshift.adapters.raft.etcd_gateway.post`."""
        return post(address, self._client_port, path, body, seconds or self._timeout)

    def _confirmed(self, voters: Sequence[str]) -> tuple[RaftMember, ...] | None:
        """The member list as a quorum knows it: the first voter's that gets it in time."""
        if not voters:
            return None
        pool = ThreadPoolExecutor(max_workers=len(voters))
        try:
            asked = [pool.submit(self._members, one, self._timeout, True) for one in voters]
            for answer in as_completed(asked):
                if (members := answer.result()) is not None:
                    return members
            return None
        finally:
            # A voter that is cut off from the others takes its whole deadline: not ours to await.
            pool.shutdown(wait=False, cancel_futures=True)

    def _members(
        self, address: str, seconds: float, linearizable: bool
    ) -> tuple[RaftMember, ...] | None:
        try:
            answer = self.post(address, _LIST, {"linearizable": linearizable}, seconds)
            return read_members(answer.body) if answer.ok else None
        except (NotSent, NoReply, ValueError):
            return None

    def _asks_for_user(self, address: str, seconds: float) -> bool:
        try:
            return _NO_USER in self.post(address, _RANGE, _ANY_KEY, seconds).message
        except (NotSent, NoReply):
            return False


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.01)
