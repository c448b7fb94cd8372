"""SnakeTron's contract on the wire, against bytes written by hand and an independent gRPC."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped] # it has no stubs
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from grpc_tools import protoc

from quorumshift.adapters.raft.control import raft_control
from quorumshift.adapters.raft.dialects import dialect
from quorumshift.adapters.raft.snaketron import game_relay_pb2 as pb
from quorumshift.adapters.raft.snaketron.control import SnaketronRaft
from quorumshift.domain.errors import ChangeRefused, Transient
from quorumshift.domain.raft import Membership, RaftMember, Report, Standing
from tests.adapters.relay_nodes import Script
from tests.adapters.relay_world import Rows, World, new
from tests.adapters.test_etcd import settings

ROOT = Path(__file__).parents[2]
RELAY = ROOT / "quorumshift" / "adapters" / "raft" / "snaketron"
SERVICE = "game_relay.GameRelay"


def text(number: int, value: str) -> bytes:
    """A string field of less than 128 bytes."""
    return bytes([number << 3 | 2, len(value)]) + value.encode()


FIRST_STATUS = (
    b"\x08\x01"  # 1 is_leader: true
    b"\x12\x012"  # 2 leader_id: "2"
    b"\x1a\x0e10.0.0.2:50051"  # 3 leader_addr
    b"\x20\xac\x02"  # 4 current_term: 300
    b"\x28\x80\x80\x80\x80\x80\x20"  # 5 last_log_index: 2 ** 40
    b"\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"  # 6 last_applied: 2 ** 64 - 1
)
LEARNER = (
    b"\x0a\x0217"  # 1 node_id: "17"
    b"\x12\x0e10.0.0.3:50051"  # 2 grpc_addr
    b"\x18\x01"  # 3 is_learner: true
)
VOTER = b"\x0a\x012\x12\x0e10.0.0.2:50051"
STATUS = (
    FIRST_STATUS + b"\x3a\x012"  # 7 node_id: "2"
    b"\x42"
    + bytes([len(VOTER)])
    + VOTER  # 8 members, one by one
    + b"\x42"
    + bytes([len(LEARNER)])
    + LEARNER
    + b"\x48\x01"  # 9 members_confirmed: true
    b"\x50\x80\x01"  # 10 open_connections: 128
)
MEMBERS = [
    pb.RaftMember(node_id="2", grpc_addr="10.0.0.2:50051"),
    pb.RaftMember(node_id="17", grpc_addr="10.0.0.3:50051", is_learner=True),
]
FIRST_FIELDS: dict[str, Any] = {
    "is_leader": True,
    "leader_id": "2",
    "leader_addr": "10.0.0.2:50051",
    "current_term": 300,
    "last_log_index": 2**40,
    "last_applied": 2**64 - 1,
}
GOLDEN: list[tuple[Message, bytes]] = [
    (pb.Empty(), b""),
    (pb.RaftStatusResponse(), b""),
    (pb.RaftStatusResponse(**FIRST_FIELDS), FIRST_STATUS),
    (
        pb.RaftStatusResponse(
            **FIRST_FIELDS,
            node_id="2",
            members=MEMBERS,
            members_confirmed=True,
            open_connections=128,
        ),
        STATUS,
    ),
    (MEMBERS[1], LEARNER),
    (
        pb.JoinAsLearnerRequest(node_id="17", grpc_addr="10.0.0.3:50051"),
        b"\x0a\x0217\x12\x0e10.0.0.3:50051",
    ),
    (pb.JoinAsLearnerResponse(accepted=True), b"\x08\x01"),
    (
        pb.JoinAsLearnerResponse(reason="Not the leader"),
        b"\x12\x0eNot the leader",
    ),
    (pb.PromotionRequest(node_id="17"), b"\x0a\x0217"),
    (pb.PromotionResponse(promoted=True, reason="ok"), b"\x08\x01\x12\x02ok"),
    (pb.RemovalRequest(node_id="17"), b"\x0a\x0217"),
    (pb.RemovalResponse(removed=True, reason="ok"), b"\x08\x01\x12\x02ok"),
    (pb.LeadershipTransferRequest(node_id="17"), b"\x0a\x0217"),
    (pb.LeadershipTransferResponse(transferred=True, reason="ok"), b"\x08\x01\x12\x02ok"),
]


@pytest.mark.parametrize(("message", "wire"), GOLDEN, ids=lambda one: type(one).__name__)
def test_every_message_is_these_bytes(message: Message, wire: bytes) -> None:
    assert message.SerializeToString() == wire
    assert type(message).FromString(wire) == message


def test_every_message_of_the_contract_has_its_bytes() -> None:
    """And every field of it is set in one of them."""
    told = {
        (message.DESCRIPTOR.name, field.name)
        for message, _ in GOLDEN
        for field, _ in message.ListFields()
    }
    defined = {
        (name, field.name)
        for name, message in pb.DESCRIPTOR.message_types_by_name.items()
        for field in message.fields
    }
    assert told == defined


@pytest.fixture
def world() -> Iterator[World]:
    with contextlib.closing(World()) as world:
        yield world


class Bytes:
    """A node of grpcio, which knows nothing of our messages: bytes in, bytes out.

    ``replies``: by call; the others are unknown to it. ``asked``: what came in.
    """

    def __init__(self, at: str, replies: Mapping[str, bytes]) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self._server = grpc.server(ThreadPoolExecutor(2))
        calls = {
            name: grpc.unary_unary_rpc_method_handler(self._answer(name, reply))
            for name, reply in replies.items()
        }
        handler = grpc.method_handlers_generic_handler(SERVICE, calls)
        self._server.add_generic_rpc_handlers((handler,))
        assert self._server.add_insecure_port(at)
        self._server.start()

    def close(self) -> None:
        """End it."""
        self._server.stop(None).wait()

    def _answer(self, name: str, reply: bytes) -> Callable[[bytes, object], bytes]:
        def answer(request: bytes, _context: object) -> bytes:
            self.asked.append((name, request))
            return reply

        return answer


def test_an_old_node_of_another_grpc_is_understood(world: World) -> None:
    address = world.at(2)
    replies = {
        "GetRaftStatus": FIRST_STATUS,
        "RequestJoinAsLearner": b"\x08\x01",
        "RequestPromotion": b"\x12\x0eNot the leader",
    }
    with contextlib.closing(Bytes(f"{address}:{world.nodes.port}", replies)) as node:
        raft = world.raft(("2", 2), ("17", 3), timeout=2.0)
        view = raft.observe([address])
        assert view.membership is Membership.INFERRED
        report = Report("2", 300, "2", 2**40, 2**64 - 1, None, True, None)
        assert view.reports == {address: report}

        node.asked.clear()
        raft.admit(world.at(3), [address])
        at = f"{world.at(3)}:{world.nodes.port}"
        assert node.asked == [("RequestJoinAsLearner", b"\x0a\x0217" + text(2, at))]
        with pytest.raises(Transient, match="Not the leader"):
            raft.promote("17", [address])
        assert node.asked[1] == ("RequestPromotion", b"\x0a\x0217")
        with pytest.raises(ChangeRefused, match="RequestRemoval"):
            raft.remove("17", [address])
        with pytest.raises(ChangeRefused, match="RequestLeadershipTransfer"):
            raft.transfer("17", [address])


def test_a_new_node_of_another_grpc_is_understood(world: World) -> None:
    address = world.at(2)
    replies = {
        "GetRaftStatus": STATUS,
        "RequestRemoval": b"\x08\x01",
        "RequestLeadershipTransfer": b"\x12\x15Only a voter can lead",
    }
    with contextlib.closing(Bytes(f"{address}:{world.nodes.port}", replies)) as node:
        raft = world.raft(timeout=2.0)
        view = raft.observe([address])
        assert view.membership is Membership.CONFIRMED
        assert view.members == (
            RaftMember("2", "10.0.0.2", Standing.VOTER),
            RaftMember("17", "10.0.0.3", Standing.LEARNER),
        )
        voters = frozenset("2")
        report = Report("2", 300, "2", 2**40, 2**64 - 1, voters, False, 128)
        assert view.reports == {address: report}
        raft.remove("17", [address])
        with pytest.raises(ChangeRefused, match="Promote it first"):
            raft.transfer("17", [address])
        assert [call for call in node.asked if call[0] != "GetRaftStatus"] == [
            ("RequestRemoval", b"\x0a\x0217"),
            ("RequestLeadershipTransfer", b"\x0a\x0217"),
        ]


FIRST_CONTRACT = """
syntax = "proto3";
package game_relay;
message Empty {}
message RaftStatusResponse {
  bool is_leader = 1;
  string leader_id = 2;
  string leader_addr = 3;
  uint64 current_term = 4;
  uint64 last_log_index = 5;
  uint64 last_applied = 6;
}
message JoinAsLearnerRequest { string node_id = 1; string grpc_addr = 2; }
message JoinAsLearnerResponse { bool accepted = 1; string reason = 2; }
message PromotionRequest { string node_id = 1; }
message PromotionResponse { bool promoted = 1; string reason = 2; }
"""
"""What nodes spoke before the extension."""


@pytest.fixture
def first_contract(tmp_path: Path) -> Callable[[str], type[Message]]:
    """The messages of the first contract, by name, out of a pool of their own."""
    (tmp_path / "first.proto").write_text(FIRST_CONTRACT)
    out = tmp_path / "first.bin"
    options = ["protoc", f"-I{tmp_path}", f"--descriptor_set_out={out}", "first.proto"]
    assert protoc.main(options) == 0
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file:
        pool.Add(file)  # type: ignore[no-untyped-call] # not in its stubs

    def message(name: str) -> type[Message]:
        full = f"game_relay.{name}"
        found = pool.FindMessageTypeByName(full)  # type: ignore[no-untyped-call] # as above
        return message_factory.GetMessageClass(found)

    return message


def test_an_old_caller_of_another_grpc_understands_a_new_node(
    world: World, first_contract: Callable[[str], type[Message]]
) -> None:
    status = new("2", "2", MEMBERS, connections=9)
    script = world.serve(
        2,
        Script(
            status,
            {
                "RequestJoinAsLearner": pb.JoinAsLearnerResponse(accepted=True),
                "RequestPromotion": pb.PromotionResponse(reason="Not yet: not in sync"),
            },
        ),
    )
    with grpc.insecure_channel(f"{world.at(2)}:{world.nodes.port}") as channel:

        def call(name: str, request: str, reply: str, **fields: object) -> Any:
            ask = channel.unary_unary(
                f"/{SERVICE}/{name}",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=first_contract(reply).FromString,
            )
            return ask(first_contract(request)(**fields), timeout=5)

        told = call("GetRaftStatus", "Empty", "RaftStatusResponse")
        assert (told.is_leader, told.leader_id, told.leader_addr) == (True, "2", "somewhere:50051")
        assert (told.current_term, told.last_log_index, told.last_applied) == (3, 20, 20)
        joined = call(
            "RequestJoinAsLearner",
            "JoinAsLearnerRequest",
            "JoinAsLearnerResponse",
            node_id="17",
            grpc_addr="10.0.0.3:50051",
        )
        assert joined.accepted
        promoted = call("RequestPromotion", "PromotionRequest", "PromotionResponse", node_id="17")
        assert (promoted.promoted, promoted.reason) == (False, "Not yet: not in sync")
    assert [request.node_id for _, request in script.asked] == ["17", "17"]


def test_the_generated_module_is_what_make_proto_writes(tmp_path: Path) -> None:
    shutil.copy(RELAY / "game_relay.proto", tmp_path)
    told = subprocess.run(
        ["make", "-n", "-s", "proto", f"RELAY={tmp_path}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    command = shlex.split(told.stdout.splitlines()[-1])
    subprocess.run([sys.executable, *command[1:]], cwd=ROOT, check=True)
    for name in ("game_relay_pb2.py", "game_relay_pb2.pyi"):
        assert (tmp_path / name).read_text() == (RELAY / name).read_text(), "run make proto"


def test_the_dialect_is_chosen_by_name_and_gets_its_port_and_its_table(world: World) -> None:
    table = Rows()
    chosen = settings("snaketron")
    raft = raft_control(chosen, table)
    assert isinstance(raft, SnaketronRaft)
    assert raft.dialect is dialect("snaketron")
    view = raft.observe([world.at(1)])
    assert f"port {chosen.raft_port} " in view.unknown[0]
    assert table.reads == 1


def test_a_service_of_another_dialect_never_loads_grpc() -> None:
    program = """
import sys
from quorumshift.adapters.raft.control import raft_control
from quorumshift.adapters.raft.dialects import dialect
assert dialect("snaketron").first_contract.lacks
from tests.adapters.test_etcd import settings
assert raft_control(settings("etcd")).dialect.name == "etcd"
print([name for name in sys.modules if name.split(".")[0] in ("grpclib", "h2", "google")])
"""
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"
