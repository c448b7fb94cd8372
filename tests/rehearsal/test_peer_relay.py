"""Faults between the members of the sample service: partitions, and a learner that stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib import request

import pytest

from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.peer_cuts import CannotCut, PeerCuts
from quorumshift.rehearsal.service.callers import far_socket, holds
from quorumshift.rehearsal.service.gateway import Declined, Gateway, NoAnswer, Status
from quorumshift.rehearsal.service.node import PEER_PORT, RELAYED_PEER_PORT, Node
from quorumshift.rehearsal.service.peer_files import Cuts, PeerFiles
from quorumshift.rehearsal.service.peer_relay import PeerRelay
from tests.rehearsal.fleet import (
    Fleet,
    ask,
    change,
    http,
    leader,
    members,
    running,
    sees_leader,
    status,
    until,
)

ELECTION_SECONDS = 1.0
"""etcd's election timeout. A leader looks once in it whether it has heard of a quorum since the
look before, so it notices after two at most."""


# Who calls


def test_the_kernel_tells_which_process_calls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = server.getsockname()
        caller = socket.create_connection(here)
        accepted, there = server.accept()
        with accepted:
            name = far_socket(here, there)
            assert name is not None
            assert holds(os.getpid(), name)
            assert not holds(os.getppid(), name)
            caller.close()
            assert far_socket(here, there) is None


# The relay by itself; this process plays the etcd behind it and the one that calls


def test_who_is_cut_off_is_held_back_until_the_mend(tmp_path: Path) -> None:
    block = take_block()
    here, other = block.task(0), block.task(1)
    node = Node(here, tmp_path, tmp_path / "instances.json", "1", "relayed", 3)
    files = PeerFiles(node.instances)
    files.etcd_file(other).write_text(str(os.getpid()))

    async def rehearse() -> None:
        relay = PeerRelay(node)
        await relay.start()
        following = asyncio.create_task(relay.follow())
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Echo, here, RELAYED_PEER_PORT)
        old = await asyncio.open_connection(here, PEER_PORT)
        assert await answer(*old, b"before") == b"before"
        await obey(files, here, Cuts(1, frozenset({other})))
        new = await asyncio.open_connection(here, PEER_PORT)
        assert await answer(*old, b"late") is None
        assert await answer(*new, b"lost") is None
        await obey(files, here, Cuts(2))
        assert await answer(*old) == b"late"
        with pytest.raises(ConnectionResetError):
            await answer(*new, b"gone")
        assert await answer(*await asyncio.open_connection(here, PEER_PORT), b"anew") == b"anew"
        following.cancel()
        server.close()
        await asyncio.gather(following, return_exceptions=True)

    with contextlib.closing(block.lock):
        asyncio.run(rehearse())


class Echo(asyncio.Protocol):
    """Says what it is told."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


async def answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, question: bytes = b""
) -> bytes | None:
    """What comes back; ``None`` for silence."""
    writer.write(question)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.3):
            return await reader.read(1000)
    return None


async def obey(files: PeerFiles, address: str, cuts: Cuts) -> None:
    """Have the relay act, and wait for its word."""
    files.write_cuts(cuts)
    async with asyncio.timeout(5):
        while files.revision_of(address) != cuts.revision:
            await asyncio.sleep(0.001)


# Partitions of a cluster


@pytest.fixture
def relayed(tmp_path: Path) -> Iterator[Fleet]:
    """Three founders, each behind a relay."""
    with running(tmp_path, behaviour="relayed") as fleet:
        yield fleet


def known(address: str) -> set[str]:
    """The members that a node knows; none while it takes itself for a learner, which declines."""
    try:
        return set(members(address))
    except Declined:
        return set()


def test_a_relayed_cluster_works_like_any_other(relayed: Fleet) -> None:
    blue = list(relayed.tasks)
    via = until(lambda: leader(blue))
    green = relayed.start(version="2", behaviour="relayed")
    until(lambda: sees_leader(green))
    raft_id = change(via, "add", peerURLs=[f"http://{green}:2380"], isLearner=True)["member"]["ID"]
    change(via, "promote", ID=raft_id)
    until(lambda: known(green) == {*blue, green})
    for number, address in enumerate(relayed.tasks):
        assert http("PUT", address, "/kv/colour", f"shade {number}")[0] == 200
        assert http("GET", green, "/kv/colour")[1]["value"] == f"shade {number}"
    for address in (green, via):
        assert relayed.terminate(address) == 0, relayed.log(address).read_text()


def test_a_partitioned_leader_steps_down_and_follows_another_when_mended(relayed: Fleet) -> None:
    nodes = list(relayed.tasks)
    old = until(lambda: leader(nodes))
    rest = [address for address in nodes if address != old]
    cuts = PeerCuts(relayed.world)
    cuts.cut(old)
    began = time.monotonic()
    until(lambda: said_by(old).leader is None)
    assert time.monotonic() - began < 2 * ELECTION_SECONDS + 0.5
    new = until(lambda: leader(rest))
    for address in nodes:  # the cut one is reached by clients, and reaches the others as a client
        assert http("PUT", address, "/kv/written-by", address)[0] == 200
        assert http("GET", rest[0], "/kv/written-by")[1]["value"] == address
    assert said_by(old).index < said_by(new).index
    cuts.mend(old)
    until(lambda: said_by(old).leader == said_by(new).raft_id)
    until(lambda: said_by(old).applied >= said_by(new).index)
    assert leader(nodes) == new


def test_a_cut_holds_in_both_directions(relayed: Fleet) -> None:
    nodes = list(relayed.tasks)
    led = until(lambda: leader(nodes))
    cut = next(address for address in nodes if address != led)
    cuts = PeerCuts(relayed.world)
    cuts.cut(cut)
    until(lambda: said_by(cut).leader is None)
    sent, received = traffic(nodes, cut, "sent"), traffic(nodes, cut, "received")
    # The one that is cut off asks for votes, the leader sends heartbeats: both in vain.
    until(lambda: all(at > sent.get(way, 0) for way, at in traffic(nodes, cut, "sent").items()))
    assert traffic(nodes, cut, "received") == received
    cuts.mend(cut)
    until(lambda: said_by(cut).leader is not None)
    assert all(at > received.get(way, 0) for way, at in traffic(nodes, cut, "received").items())


def test_a_node_without_a_relay_cannot_be_cut_off(tmp_path: Path) -> None:
    with running(tmp_path, size=1) as fleet:
        (address,) = fleet.tasks
        with pytest.raises(CannotCut, match=f"{address} has no relay"):
            PeerCuts(fleet.world).cut(address)


def said_by(address: str) -> Status:
    said = status(address)
    assert said is not None
    return said


def traffic(nodes: list[str], cut: str, verb: str) -> dict[tuple[str, str], float]:
    """How many bytes went between the node ``cut`` and the others, each way, as etcd counts them
    that ``sent``, or that ``received``; by who sent and who received."""
    ids = {f"{int(said_by(address).raft_id):x}": address for address in nodes}
    counted = {}
    for own in nodes:
        for raft_id, figure in metric(own, f"etcd_network_peer_{verb}_bytes_total").items():
            other = ids.get(raft_id)
            if other is not None and cut in (own, other):
                counted[(own, other) if verb == "sent" else (other, own)] = figure
    return counted


def metric(address: str, name: str) -> dict[str, float]:
    """The figures of one metric, by the last of its labels: a peer's Raft id in hexadecimal."""
    with request.urlopen(f"http://{address}:2379/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    told = (line.rpartition(" ") for line in lines if line.startswith(f"{name}{{"))
    return {series.split('"')[-2]: float(figure) for series, _, figure in told}


# A learner that stays behind


def test_a_slow_learner_joins_and_is_never_fit_to_vote(relayed: Fleet) -> None:
    via = until(lambda: leader(list(relayed.tasks)))
    write(via, 0, 300)
    green = relayed.start(version="2", behaviour="slow-learner")
    until(lambda: sees_leader(green))
    raft_id = change(via, "add", peerURLs=[f"http://{green}:2380"], isLearner=True)["member"]["ID"]
    until(lambda: "etcd starts, cluster existing" in relayed.log(green).read_text())
    peer = f"{int(raft_id):x}"
    until(lambda: metric(via, "etcd_network_active_peers").get(peer))  # it gets the log from now on
    for turn in range(1, 6):
        write(via, turn * 300, 50)
        assert ask(lambda gateway: is_behind(gateway, via, raft_id))
        assert not ask(lambda gateway: answers(gateway, green))
    assert sees_leader(green)  # its front forwards all the while
    change(via, "remove", ID=raft_id)
    until(lambda: "our member was taken out" in relayed.log(green).read_text())


def write(address: str, first: int, count: int) -> None:
    """Write as many keys of the size that the load writes."""

    async def put(gateway: Gateway) -> None:
        for number in range(first, first + count):
            await gateway.post(
                address,
                "/v3/kv/put",
                json.dumps({"key": f"a2V5{number:08d}", "value": "dmFs" * 11}).encode(),
            )

    ask(put)


async def is_behind(gateway: Gateway, via: str, raft_id: str) -> bool:
    """The leader refuses the learner a vote, because of what it knows of its log."""
    try:
        body = json.dumps({"ID": raft_id}).encode()
        await gateway.call(via, "/v3/cluster/member/promote", body, 3.0)
    except Declined as refusal:
        return "in sync with leader" in str(refusal)
    return False


async def answers(gateway: Gateway, address: str) -> bool:
    try:
        await gateway.status(address, 0.5)
    except NoAnswer:
        return False
    return True
