"""Tasks of the sample SnakeTron with their database, and how the tests ask them: over the wire."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http import client as http_client
from pathlib import Path
from typing import Any, TypeVar

import pg8000.native
from google.protobuf.message import Message
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from quorumshift.adapters.raft.snaketron import game_relay_pb2 as pb
from quorumshift.rehearsal.database import Database
from quorumshift.rehearsal.database_authority import ca_file
from tests.rehearsal.fleet import Fleet, until

Reply = TypeVar("Reply", bound=Message)

GRPC_PORT = 50051
LEGACY = {"QUORUMSHIFT_IMAGE_CONTRACT": "legacy"}
EXTENDED = {"QUORUMSHIFT_IMAGE_CONTRACT": "extended"}
ORCHESTRATED = {**EXTENDED, "SNAKETRON_RAFT_PROMOTION": "orchestrated"}


class SnakeFleet(Fleet):
    """``contract``: what is in the environment of every task, unless :meth:`start` says else."""

    module = "quorumshift.rehearsal.snaketron"

    def __init__(self, directory: Path, size: int, contract: dict[str, str]) -> None:
        super().__init__(directory, size)
        self.contract = contract
        self.database = Database(self.world, self.world.block.database)

    def close(self) -> None:
        super().close()
        self.database.stop()  # its folder

    def start(self, version: str = "1", behaviour: str = "normal", **environment: str) -> str:
        told = {**access(self.database), **self.contract, **environment}
        return super().start(version, behaviour, **told)

    def rows(self, address: str | None = None) -> list[Row]:
        """The table, the oldest first; of one address where it is told."""
        wanted = "id, ip_address, grpc_port, raft_port, grpc_address, region, status"
        found = self.sql(
            f"SELECT {wanted}, created_at IS NOT NULL, "
            "extract(epoch FROM timezone('utc', now()) - last_heartbeat) FROM servers ORDER BY id"
        )
        return [row for each in found if address in (None, (row := Row(*each)).address)]

    def raft_id(self, address: str) -> str:
        """The id of the server at ``address``."""
        row: Row = until(lambda: next(iter(self.rows(address)), None))
        return str(row.id)

    def sql(self, statement: str) -> Any:
        """Run it as the superuser."""
        who = self.database.administrator()
        with contextlib.closing(
            pg8000.native.Connection(
                user=who["username"],
                password=who["password"],
                host=who["host"],
                port=who["port"],
                database=who["dbname"],
                ssl_context=ssl.create_default_context(cafile=ca_file()),
                timeout=5,
            )
        ) as connection:
            return connection.run(statement)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table ``servers``. ``age``: seconds since the heartbeat."""

    id: int
    address: str
    grpc_port: int
    raft_port: int
    grpc_address: str
    region: str
    status: str
    created: bool
    age: float | None


@contextlib.contextmanager
def playing(
    directory: Path, size: int, contract: dict[str, str], behaviour: str = "normal"
) -> Iterator[SnakeFleet]:
    """A fleet whose cluster has been founded and whose tasks are all registered."""
    fleet = SnakeFleet(directory, size, contract)
    try:
        fleet.database.start()
        addresses = [fleet.start(behaviour=behaviour) for _ in range(size)]
        until(lambda: all(raft(address) for address in addresses))
        until(lambda: all(leader_known(address) for address in addresses))
        yield fleet
    finally:
        fleet.close()


def access(database: Database) -> dict[str, str]:
    """What a task of SnakeTron is told."""
    secret = database.secret()
    return {
        "SNAKETRON_DB_HOST": str(secret["host"]),
        "SNAKETRON_DB_PORT": str(secret["port"]),
        "SNAKETRON_DB_USER": str(secret["username"]),
        "SNAKETRON_DB_PASS": str(secret["password"]),
        "SNAKETRON_DB_NAME": str(secret["dbname"]),
        "SNAKETRON_DB_CA": str(ca_file()),
        "SNAKETRON_JWT_SECRET": "not used",
        "SNAKETRON_REGION": "us-east-1",
        "SNAKETRON_WS_PORT": "8080",
        "SNAKETRON_GRPC_PORT": str(GRPC_PORT),
        "SNAKETRON_API_PORT": "3001",
    }


def call(address: str, method: str, request: Message, reply: type[Reply]) -> Reply:
    """One call of the contract. Raises ``GRPCError`` and ``OSError``."""

    async def ask() -> Reply:
        channel = Channel(address, GRPC_PORT)
        try:
            path = f"/game_relay.GameRelay/{method}"
            return await UnaryUnaryMethod(channel, path, type(request), reply)(request, timeout=5)
        finally:
            channel.close()

    return asyncio.run(ask())


def raft(address: str) -> pb.RaftStatusResponse | None:
    """What the node says of its Raft; ``None`` while it has none, or nobody listens."""
    try:
        return call(address, "GetRaftStatus", pb.Empty(), pb.RaftStatusResponse)
    except ConnectionRefusedError:
        return None
    except GRPCError as error:
        if error.status is not Status.UNAVAILABLE:
            raise
        return None


def leader_known(address: str) -> bool:
    """The node has seen a leader, and knows its id."""
    said = raft(address)
    return said is not None and said.leader_id != ""


def leading(fleet: SnakeFleet) -> str:
    """The address of the node that says that it leads."""

    def find() -> str | None:
        told = ((address, raft(address)) for address in fleet.tasks)
        return next((address for address, said in told if said and said.is_leader), None)

    return until(find)


def join(at: str, raft_id: str, address: str) -> pb.JoinAsLearnerResponse:
    request = pb.JoinAsLearnerRequest(node_id=raft_id, grpc_addr=f"{address}:{GRPC_PORT}")
    return call(at, "RequestJoinAsLearner", request, pb.JoinAsLearnerResponse)


def promote(at: str, raft_id: str) -> pb.PromotionResponse:
    request = pb.PromotionRequest(node_id=raft_id)
    return call(at, "RequestPromotion", request, pb.PromotionResponse)


def remove(at: str, raft_id: str) -> pb.RemovalResponse:
    request = pb.RemovalRequest(node_id=raft_id)
    return call(at, "RequestRemoval", request, pb.RemovalResponse)


def transfer(at: str, raft_id: str) -> pb.LeadershipTransferResponse:
    request = pb.LeadershipTransferRequest(node_id=raft_id)
    return call(at, "RequestLeadershipTransfer", request, pb.LeadershipTransferResponse)


def health(address: str) -> tuple[int, str]:
    """``GET /api/health``: status and body; (0, "") when nobody listens."""
    connection = http_client.HTTPConnection(address, 3001, timeout=5)
    try:
        connection.request("GET", "/api/health")
        response = connection.getresponse()
        return response.status, response.read().decode()
    except ConnectionRefusedError:
        return 0, ""
    finally:
        connection.close()
