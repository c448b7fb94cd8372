"""What only etcd does: silent and foreign ports, several clusters, the cost of a dead node."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from quorumshift.adapters.raft.control import raft_control
from quorumshift.adapters.raft.etcd import EtcdRaft
from quorumshift.adapters.raft.etcd_gateway import post
from quorumshift.domain.errors import ChangeRefused, InvalidConfiguration, Transient
from quorumshift.domain.health import Decision, assess
from quorumshift.domain.joining import combine
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Membership, Standing, Task
from quorumshift.rehearsal.block import Block, take_block
from quorumshift.settings import Settings
from tests.adapters.etcd_cluster import EtcdBench
from tests.adapters.raft_bench import ids, until
from tests.adapters.wire import answer, listening, request

TIMEOUT = 0.25
Talk = Callable[[socket.socket], None]


@pytest.fixture
def block() -> Iterator[Block]:
    taken = take_block()
    with contextlib.closing(taken.lock):
        yield taken


def says(data: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(data)

    return talk


def silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def drips(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


def closes(connection: socket.socket) -> None:
    connection.recv(1)


NOT_ETCD: dict[str, Talk] = {
    "closes": closes,
    "silent": silent,
    "drips": drips,
    "ssh": says(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "binary": says(bytes(range(256)) * 40),
    "page": says(answer(200, b"<html>hello</html>")),
    "half": says(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"header"'),
    "list": says(answer(200, b"[1, 2]")),
    "deep": says(answer(200, b"[" * 200_000)),
    "no-etcd": says(answer(200, b'{"status": "ok"}')),
    "odd-ids": says(answer(200, b'{"header": {"member_id": "x"}, "members": [{"ID": []}]}')),
    "not-found": says(answer(404, b'{"message": "member not found"}')),
}


@pytest.mark.parametrize("talk", NOT_ETCD.values(), ids=NOT_ETCD.keys())
def test_what_is_not_etcd_is_not_answered(block: Block, talk: Talk) -> None:
    raft, address = EtcdRaft(timeout=TIMEOUT), block.task(0)
    with listening(address, talk):
        began = time.monotonic()
        view = raft.observe([address])
        took = time.monotonic() - began

        assert (view.members, view.membership, view.reports) == ((), Membership.UNKNOWN, {})
        assert len(view.unknown) == 1
        assert address in view.unknown[0]
        assert took < 3.0  # what drips would take an hour, and silence for ever
        for change in (raft.promote, raft.remove, raft.transfer, raft.admit):
            with pytest.raises(Transient, match=address):
                change("127.0.0.9" if change == raft.admit else "77", [address])


def etcd_error(status: int, code: int, message: str) -> Talk:
    body = {"error": message, "code": code, "message": message}
    return says(answer(status, json.dumps(body).encode()))


@pytest.mark.parametrize(
    ("status", "message", "error", "advice"),
    [
        (503, "etcdserver: unhealthy cluster", Transient, "5 s"),
        (503, "etcdserver: request timed out", Transient, "Look again"),
        (503, "etcdserver: leader changed", Transient, "Look again"),
        (429, "etcdserver: too many requests", Transient, "Look again"),
        (
            400,
            "etcdserver: re-configuration failed due to not enough started members",
            Transient,
            "without a name",
        ),
        (400, "etcdserver: too many learner members in cluster", ChangeRefused, "learner first"),
        (401, "etcdserver: permission denied", ChangeRefused, "log"),
    ],
)
def test_not_yet_and_no_are_told_apart(
    block: Block, status: int, message: str, error: type[Exception], advice: str
) -> None:
    address = block.task(0)
    with (
        listening(address, etcd_error(status, 14, message)),
        pytest.raises(error, match=advice) as raised,
    ):
        EtcdRaft(timeout=TIMEOUT).admit("10.1.2.3", [address])
    assert f"Cannot admit 10.1.2.3 as a learner: {address}" in str(raised.value)
    assert message in str(raised.value)


def test_the_first_safety_refusal_is_believed(block: Block) -> None:
    asked = []

    def other(connection: socket.socket) -> None:
        asked.append(request(connection)[0])

    unhealthy = etcd_error(503, 14, "etcdserver: unhealthy cluster")
    with (
        listening(block.task(0), unhealthy),
        listening(block.task(1), other),
        pytest.raises(Transient),
    ):
        EtcdRaft(timeout=TIMEOUT).admit("10.1.2.3", [block.task(0), block.task(1)])
    assert asked == []


def test_a_node_that_does_not_answer_costs_one_deadline(etcd: EtcdBench) -> None:
    frozen = [etcd.spare(number) for number in range(6)]
    raft = EtcdRaft(timeout=1.0)
    with contextlib.ExitStack() as stack:
        for address in frozen:
            stack.enter_context(listening(address, silent))
        began = time.monotonic()
        view = raft.observe([*frozen, *etcd.voters])
        took = time.monotonic() - began

    assert view.membership is Membership.CONFIRMED
    assert set(view.reports) == set(etcd.voters)
    assert 1.0 <= took < 3.0  # six of them, one after another, would take six


def test_a_frozen_voter_is_not_heard_and_does_not_keep_us_from_the_others(etcd: EtcdBench) -> None:
    frozen, *rest = etcd.voters
    members = ids(etcd.control.observe(etcd.voters))
    etcd.freeze(frozen)
    deadline = time.monotonic() + 10
    while (view := etcd.control.observe(etcd.voters)).membership is not Membership.CONFIRMED:
        assert time.monotonic() < deadline, view.unknown  # it may have led: an election first
    assert set(view.reports) == set(rest)
    assert ids(view) == members
    with pytest.raises(ChangeRefused, match="not found"):
        etcd.control.promote("77", etcd.voters)  # the frozen one is asked first


def test_two_clusters_are_not_taken_for_one(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        ones = []
        for name in ("a", "b"):
            bench = EtcdBench(tmp_path / name, size=1)
            stack.callback(bench.close)
            bench.wait_ready()
            ones.append(bench.voters[0])
        view = EtcdRaft().observe(ones)

    assert view.membership is Membership.UNKNOWN
    assert view.members == ()
    assert "different etcd clusters" in view.unknown[0]
    assert all(address in view.unknown[0] for address in ones)


def test_a_node_at_another_ones_address_speaks_for_itself(block: Block) -> None:
    """A replacement that got the address of a dead voter, or a process that was removed."""
    address = block.task(0)
    status = {
        "header": {"cluster_id": "9", "member_id": "1"},
        "version": "3.5.1",
        "leader": "2",
        "raftTerm": "3",
        "raftIndex": "7",
        "raftAppliedIndex": "7",
    }
    listed = {"members": [{"ID": "2", "peerURLs": [f"http://{address}:2380"]}]}

    def talk(connection: socket.socket) -> None:
        path, _ = request(connection)
        body = status if path.endswith("/status") else listed
        connection.sendall(answer(200, json.dumps(body).encode()))

    with listening(address, talk):
        view = EtcdRaft(timeout=TIMEOUT).observe([address])

    assert view.reports[address].raft_id == "1"
    task = Task("task/1", address, Colour.BLUE, ready=True)
    seen = combine(at=0, tasks=[task], desired=1, view=view)
    assert [(n.address, n.standing, n.task) for n in seen.nodes] == [
        (address, Standing.OUTSIDE, "task/1"),
        (f"{address} (member 2)", Standing.VOTER, None),
    ]


def test_two_members_on_one_address_are_counted_twice(etcd: EtcdBench) -> None:
    """Another port is another member to etcd; a node has one address here."""
    extra = {"peerURLs": [f"http://{etcd.voters[2]}:2399"]}

    def added() -> bool:
        return post(etcd.voters[0], 2379, "/v3/cluster/member/add", extra, 2.0).ok

    until(etcd, "connections that are old enough", added)
    tasks = [Task(f"task/{at}", at, Colour.BLUE, ready=True) for at in etcd.voters]

    def look() -> ClusterObservation:
        return combine(at=0, tasks=tasks, desired=3, view=etcd.control.observe(etcd.voters))

    until(etcd, "all know of it", lambda: len(assess(look(), Policy()).evidence.unhealthy) == 1)
    seen = look()
    verdict = assess(seen, Policy())
    assert (len(verdict.evidence.voters), verdict.evidence.quorum) == (4, 3)
    assert [node.task for node in seen.voters].count(None) == 1
    assert f"are listed at the same address, {etcd.voters[2]}" in verdict.sentence
    assert verdict.decision is Decision.ABORT
    assert "1 of 4 voters does not answer" in verdict.sentence


def settings(dialect: str) -> Settings:
    texts = {field.name: "x" for field in fields(Settings) if field.type == "str"}
    return Settings(
        **{**texts, "dialect": dialect},
        port=8080,
        raft_port=2379,
        raft_peer_port=12380,
        policy=Policy(),
        poll_seconds=1,
        deadline_minutes=1,
    )


def test_the_dialect_is_chosen_by_name(block: Block) -> None:
    told = []

    def talk(connection: socket.socket) -> None:
        told.append(json.loads(request(connection)[1]))

    raft = raft_control(settings("etcd"))
    assert raft.dialect.name == "etcd"
    with listening(block.task(0), talk), pytest.raises(Transient):
        raft.admit("10.1.2.3", [block.task(0)])
    assert told[0] == {"peerURLs": ["http://10.1.2.3:12380"], "isLearner": True}
    with pytest.raises(InvalidConfiguration, match=r"'zookeeper' is not known; allowed: etcd"):
        raft_control(settings("zookeeper"))
