"""The cluster in memory, served by real gRPC servers: SnakeTron with its extension."""

from __future__ import annotations

import contextlib
from typing import Any

from google.protobuf.message import Message
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from quorumshift.adapters.raft.snaketron import game_relay_pb2 as pb
from quorumshift.adapters.raft.snaketron.control import SnaketronRaft
from quorumshift.adapters.raft.snaketron.reasons import (
    NO_SUCH_MEMBER,
    NOT_THE_LEADER,
    NOT_YET,
    ONLY_A_VOTER,
    TOO_MANY_LEARNERS,
)
from quorumshift.domain.errors import ChangeRefused, Transient
from quorumshift.domain.raft import Membership, RaftView, Report, Standing
from quorumshift.ports import Registered, Server
from quorumshift.rehearsal.block import take_block
from tests.adapters.memory_raft import MemoryBench
from tests.adapters.relay_nodes import RelayNodes

SPARES = 6
_NO = {
    "there is a learner already": TOO_MANY_LEARNERS,
    "no such member": NO_SUCH_MEMBER,
    "it is no voter": ONLY_A_VOTER,
}
_REPLIES: dict[str, tuple[type[Message], str]] = {
    "RequestJoinAsLearner": (pb.JoinAsLearnerResponse, "accepted"),
    "RequestPromotion": (pb.PromotionResponse, "promoted"),
    "RequestRemoval": (pb.RemovalResponse, "removed"),
    "RequestLeadershipTransfer": (pb.LeadershipTransferResponse, "transferred"),
}


class RelayBench:
    """A :class:`~tests.adapters.raft_bench.RaftBench`; :meth:`close` ends it.

    The table of servers has the nodes that are not in the cluster yet: their processes have
    registered, and whether they answer is another matter. The servers' thread works only while a
    call of the adapter waits for it, so the cluster needs no lock.
    """

    def __init__(self) -> None:
        self._block = take_block()
        self._memory = MemoryBench(self._block.task)
        self._nodes = RelayNodes(self._block.aws)
        self._aliases = 0
        self.voters = self._memory.voters
        for address in self.voters:
            self._serve(address)
        self.control = SnaketronRaft(self._nodes.port, registry=self)

    def servers(self) -> Registered:
        """The rows of nodes outside; the cluster in memory gives ids in this order."""
        first = len(self.voters) + 1
        rows = (Server(str(first + n), self.spare(n), "active") for n in range(SPARES))
        return Registered(tuple(rows))

    def spare(self, number: int) -> str:
        """The ``number``-th address outside."""
        return self._memory.spare(number)

    def boot(self, address: str) -> None:
        """The node is up from now on."""
        self._memory.boot(address)
        self._serve(address)

    def crash(self, address: str) -> None:
        """The node is down, and its port closed."""
        self._memory.crash(address)
        self._nodes.stop(address)

    def losing_replies(self, address: str) -> str:
        """A server that does what it is asked, and resets the call instead of saying so."""
        self._aliases += 1
        alias = f"{self._block.prefix}.{250 + self._aliases}"

        async def answer(call: str, request: Any) -> Message | None:
            reply = self._answer(address, call, request)
            return reply if call == "GetRaftStatus" else None

        self._nodes.serve(alias, answer)
        return alias

    def write(self, key: str, value: str, via: str) -> bool:
        """Commit an entry."""
        return self._memory.write(key, value, via)

    def read(self, key: str, via: str) -> str | None:
        """The last value committed."""
        return self._memory.read(key, via)

    def pause(self) -> None:
        """One tick."""
        self._memory.pause()

    def close(self) -> None:
        """End every server, and give the block back."""
        with contextlib.closing(self._block.lock):
            self._nodes.close()

    def _serve(self, address: str) -> None:
        async def answer(call: str, request: Any) -> Message:
            return self._answer(address, call, request)

        self._nodes.serve(address, answer)

    def _answer(self, address: str, call: str, request: Any) -> Message:
        one = self._memory.cluster.at(address)
        if one is None or not one.up:
            raise GRPCError(Status.UNAVAILABLE, "Raft is not up")
        view = self._memory.control.observe([address])
        report = view.reports[address]
        if call == "GetRaftStatus":
            return _status(address, report, view)
        reply, made = _REPLIES[call]
        if report.leader != report.raft_id:
            return reply(**{made: False, "reason": NOT_THE_LEADER})
        try:
            self._change(address, call, request)
        except Transient as error:
            return reply(**{made: False, "reason": f"{NOT_YET}{error}"})
        except ChangeRefused as error:
            reason = next(reason for text, reason in _NO.items() if text in str(error))
            return reply(**{made: False, "reason": reason})
        return reply(**{made: True})

    def _change(self, leader: str, call: str, request: Any) -> None:
        memory, cluster, via = self._memory.control, self._memory.cluster, [leader]
        if call == "RequestJoinAsLearner":
            address, _, port = request.grpc_addr.rpartition(":")
            assert int(port) == self._nodes.port
            memory.admit(address, via)
            one = cluster.at(address)
            assert one is not None
            assert one.raft_id == request.node_id
        elif call == "RequestPromotion":
            memory.promote(request.node_id, via)
        elif call == "RequestRemoval":
            memory.remove(request.node_id, via)
        else:
            memory.transfer(request.node_id, via)


def _status(address: str, report: Report, view: RaftView) -> pb.RaftStatusResponse:
    leads = report.leader == report.raft_id
    return pb.RaftStatusResponse(
        is_leader=leads,
        leader_id=report.leader or "",
        leader_addr=f"{address}:50051" if leads else "",
        current_term=report.term,
        last_log_index=report.last_index,
        last_applied=report.applied_index,
        node_id=report.raft_id,
        members=[
            pb.RaftMember(
                node_id=one.raft_id,
                grpc_addr=f"{one.address}:50051",
                is_learner=one.standing is Standing.LEARNER,
            )
            for one in view.members
            if report.voters is not None
        ],
        members_confirmed=leads and view.membership is Membership.CONFIRMED,
    )
