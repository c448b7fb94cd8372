"""Nodes on a loopback block, a table of servers, and the adapter before them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from quorumshift.adapters.raft.snaketron import game_relay_pb2 as pb
from quorumshift.adapters.raft.snaketron.control import SnaketronRaft
from quorumshift.ports import Registered, Server
from quorumshift.rehearsal.block import take_block
from tests.adapters.relay_nodes import FIRST, RelayNodes, Script, member

TIMEOUT = 0.5
NOT_UP = GRPCError(Status.UNAVAILABLE, "raft is not initialized")


@dataclass
class Rows:
    """A table of servers: id by row, or the error that reading it raises."""

    servers_: tuple[Server, ...] = ()
    unknown: tuple[str, ...] = ()
    error: Exception | None = None
    reads: int = field(default=0)

    def servers(self) -> Registered:
        """Who is alive."""
        self.reads += 1
        if self.error is not None:
            raise self.error
        return Registered(self.servers_, self.unknown)


class World:
    """``at(n)``: the n-th address; :meth:`close` ends everything."""

    def __init__(self) -> None:
        self.block = take_block()
        self.nodes = RelayNodes(self.block.aws)

    def at(self, number: int) -> str:
        """The address of node ``number``."""
        return self.block.task(number)

    def raft(self, *rows: tuple[str, int], timeout: float = TIMEOUT) -> SnaketronRaft:
        """The adapter; ``rows``: id and number of the address, for each server in the table."""
        table = self.table(*rows) if rows else None
        return SnaketronRaft(self.nodes.port, timeout, table)

    def table(self, *rows: tuple[str, int]) -> Rows:
        """A table of servers."""
        return Rows(tuple(Server(raft_id, self.at(n), "active") for raft_id, n in rows))

    def serve(self, number: int, script: Script, *, first: bool = False) -> Script:
        """A node; ``first``: of the first contract."""
        if first:
            self.nodes.serve(self.at(number), script, calls=FIRST)
        else:
            self.nodes.serve(self.at(number), script)
        return script

    def members(self, *numbers: int, learners: tuple[int, ...] = ()) -> list[pb.RaftMember]:
        """Members whose id is the number of their address."""
        return [
            member(str(number), self.at(number), learner=number in learners)
            for number in (*numbers, *learners)
        ]

    def close(self) -> None:
        """End all servers."""
        with contextlib.closing(self.block.lock):
            self.nodes.close()


def old(
    leader: str = "", *, leads: bool = False, term: int = 3, last: int = 20, applied: int = 20
) -> pb.RaftStatusResponse:
    """A status of the first contract. ``leads``: it is the leader."""
    return pb.RaftStatusResponse(
        is_leader=leads,
        leader_id=leader,
        leader_addr="somewhere:50051" if leads else "",
        current_term=term,
        last_log_index=last,
        last_applied=applied,
    )


def new(
    node_id: str,
    leader: str,
    members: list[pb.RaftMember],
    *,
    term: int = 3,
    applied: int = 20,
    confirmed: bool | None = None,
    connections: int = 0,
) -> pb.RaftStatusResponse:
    """A status of the extension; it leads when it is ``leader``, and has its list confirmed."""
    status = old(leader, leads=node_id == leader, term=term, applied=applied)
    status.node_id = node_id
    status.members.extend(members)
    status.members_confirmed = (node_id == leader) if confirmed is None else confirmed
    status.open_connections = connections
    return status
