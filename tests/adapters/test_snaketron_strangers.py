"""What may listen on 50051 where a SnakeTron is expected: one clear reason each, and in time."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import StreamEnded

from benchmarks.verify import blackhole
from quorumshift.adapters.raft.snaketron import game_relay_pb2 as pb
from quorumshift.adapters.raft.snaketron.control import SnaketronRaft
from quorumshift.domain.errors import Transient
from quorumshift.domain.raft import Membership
from quorumshift.rehearsal.block import take_block
from tests.adapters.relay_nodes import RelayNodes, Script
from tests.adapters.relay_world import new
from tests.adapters.wire import PORT, answer, listening

TIMEOUT = 0.2
Talk = Callable[[socket.socket], None]
Headers = list[tuple[str, str]]
GRPC: Headers = [(":status", "200"), ("content-type", "application/grpc")]
OK: Headers = [("grpc-status", "0")]


@pytest.fixture
def address() -> Iterator[str]:
    block = take_block()
    with contextlib.closing(block.lock):
        yield block.task(0)


def closes(connection: socket.socket) -> None:
    connection.recv(1)


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def says(data: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(data)
        silent(connection)

    return talk


def greets(connection: socket.socket) -> None:
    """Speaks first."""
    connection.sendall(b"220 mail.example ESMTP\r\n")
    silent(connection)


def drips(connection: socket.socket) -> None:
    """An HTTP/2 that pings, and answers nothing."""
    h2 = H2Connection(H2Configuration(client_side=False))
    h2.initiate_connection()
    while True:
        connection.sendall(h2.data_to_send())
        h2.ping(b"whatever")
        time.sleep(0.02)


def http2(
    headers: Headers,
    data: bytes | None = None,
    trailers: Headers | None = None,
    *,
    end: bool = True,
) -> Talk:
    """Answers each request over HTTP/2. ``end``: whether the answer ends."""

    def talk(connection: socket.socket) -> None:
        h2 = H2Connection(H2Configuration(client_side=False, validate_outbound_headers=False))
        h2.initiate_connection()
        connection.sendall(h2.data_to_send())
        while received := connection.recv(65536):
            for event in h2.receive_data(received):
                if isinstance(event, StreamEnded):
                    stream = event.stream_id
                    last = data is None and trailers is None and end
                    h2.send_headers(stream, headers, end_stream=last)
                    if data is not None:
                        h2.send_data(stream, data, end_stream=trailers is None and end)
                    if trailers is not None:
                        h2.send_headers(stream, trailers, end_stream=True)
            connection.sendall(h2.data_to_send())

    return talk


def frame(body: bytes, *, compressed: int = 0, length: int | None = None) -> bytes:
    """A message on the wire."""
    return struct.pack(">BI", compressed, len(body) if length is None else length) + body


_SETTINGS = bytes.fromhex("000000040000000000")
_UNKNOWN_FRAME = bytes.fromhex("000001fa0000000000") + b"x"
_HTML: Headers = [(":status", "200"), ("content-type", "text/html")]

STRANGERS: dict[str, tuple[Talk, str]] = {
    "closes": (closes, "connection lost"),
    "resets": (resets, "port 2379 ("),
    "silent": (silent, "nothing within 0.2 s"),
    "drips": (drips, "nothing within 0.2 s"),
    "greets": (greets, "it does not speak gRPC"),
    "http1": (says(answer(400, b"bad request")), "it does not speak gRPC"),
    "ssh": (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "it does not speak gRPC"),
    "zeros": (says(bytes(40_000)), "it does not speak gRPC"),
    "noise": (says(bytes(range(256)) * 40), "it does not speak gRPC"),
    "noise-later": (says(_SETTINGS + bytes(range(256)) * 40), "it does not speak gRPC"),
    "settings": (says(_SETTINGS), "nothing within 0.2 s"),
    "odd-frame": (says(_SETTINGS + _UNKNOWN_FRAME), "port 2379 ("),
    "page": (http2(_HTML, b"<html>"), "text/html"),
    "not-found": (http2([(":status", "404")]), "UNIMPLEMENTED"),
    "gateway": (http2([(":status", "503")]), "UNAVAILABLE"),
    "no-call": (http2([(":status", "200"), ("grpc-status", "12")]), "does not know the call"),
    "odd-status": (http2([*GRPC, ("grpc-status", "ok")]), "Invalid grpc-status"),
    "odd-told": (http2([(":status", "200"), ("grpc-status", "x")]), "Missing content-type"),
    "empty": (http2(GRPC, b"", OK), "an empty one"),
    "half": (http2(GRPC, frame(b"\x22", length=9), OK), "port 2379 ("),
    "no-end": (http2(GRPC, frame(b""), end=False), "nothing within 0.2 s"),
    "no-trailers": (http2(GRPC, frame(b"")), "port 2379 ("),
    "compressed": (http2(GRPC, frame(b"x", compressed=1), OK), "compression"),
    "no-protobuf": (http2(GRPC, frame(b"\xff\xff\xff"), OK), "parsing message"),
    "no-utf8": (http2(GRPC, frame(b"\x12\x01\xff"), OK), "parsing message"),
    "odd-text": (
        http2([*GRPC, ("grpc-status", "2"), ("grpc-message", "x" * 4000)]),
        "UNKNOWN 'xxx",
    ),
}


@pytest.mark.parametrize(("talk", "why"), STRANGERS.values(), ids=STRANGERS.keys())
def test_a_stranger_is_not_heard_and_is_told_of(
    address: str, talk: Talk, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    raft = SnaketronRaft(PORT, TIMEOUT)
    with listening(address, talk):
        began = time.monotonic()
        view = raft.observe([address])
        took = time.monotonic() - began

        assert (view.members, view.membership, view.reports) == ((), Membership.UNKNOWN, {})
        (text,) = view.unknown
        assert address in text
        assert why in text
        assert len(text) < 400
        assert took < TIMEOUT + 0.2  # what drips would never end
        for change in (raft.promote, raft.transfer):
            with pytest.raises(Transient, match=address):
                change("77", [address])
    assert caplog.text == ""


@pytest.fixture
def nodes() -> Iterator[RelayNodes]:
    block = take_block()
    with contextlib.closing(block.lock), contextlib.closing(RelayNodes(block.task(0))) as nodes:
        yield nodes


def test_another_grpc_service_is_told_of(nodes: RelayNodes) -> None:
    nodes.serve(nodes.address, Script(pb.RaftStatusResponse()), service="chat.Chat")
    view = SnaketronRaft(nodes.port).observe([nodes.address])
    assert f"{nodes.address} answered UNIMPLEMENTED 'Method not found'" in view.unknown[0]
    assert "no SnakeTron" in view.unknown[0]


def test_an_answer_without_end_is_cut_off(nodes: RelayNodes) -> None:
    status = new("1", "1", [])
    status.leader_addr = "x" * (64 << 20)
    nodes.serve(nodes.address, Script(status))
    view = SnaketronRaft(nodes.port, 5.0).observe([nodes.address])
    assert "more than 1,048,576 bytes" in view.unknown[0]


def test_a_node_that_was_not_reached_and_one_that_was_silent_are_told_apart(
    nodes: RelayNodes,
) -> None:
    raft = SnaketronRaft(nodes.port, TIMEOUT)
    assert "no connection to port" in raft.observe([nodes.address]).unknown[0]
    assert "connection refused" in raft.observe([nodes.address]).unknown[0]
    with blackhole(nodes.address, nodes.port):
        assert "no connection to port" in raft.observe([nodes.address]).unknown[0]
    nodes.serve(nodes.address, Script(new("1", "1", []), seconds=30))
    assert "no usable answer on port" in raft.observe([nodes.address]).unknown[0]
