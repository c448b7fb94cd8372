"""The sample service: when its etcd starts, what its front answers, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from quorumshift.domain.raft import Standing
from quorumshift.rehearsal.observer import Observer
from quorumshift.rehearsal.service.entry import Start, Wait, decide
from quorumshift.rehearsal.service.gateway import Member
from quorumshift.rehearsal.service.node import Instance, InvalidNode, read_instances, read_node
from tests.rehearsal.fleet import (
    Fleet,
    change,
    http,
    leader,
    members,
    running,
    sees_leader,
    status,
    until,
)

FOUNDERS = tuple(Instance(f"127.0.0.{number}", number) for number in (1, 2, 3))
LATER = Instance("127.0.0.4", 4)
LISTED = tuple(Member(f"m{each.sequence}", "", each.address, learner=False) for each in FOUNDERS)


# When etcd starts


def test_founders_that_are_all_there_start_the_same_cluster() -> None:
    starts = [decide(each.address, 3, FOUNDERS, []) for each in FOUNDERS]
    assert len(set(starts)) == 1
    assert isinstance(starts[0], Start)
    assert starts[0].state == "new"
    assert starts[0].cluster == (
        "node-127-0-0-1=http://127.0.0.1:2380,"
        "node-127-0-0-2=http://127.0.0.2:2380,"
        "node-127-0-0-3=http://127.0.0.3:2380"
    )


def test_later_tasks_are_no_part_of_the_founding_list() -> None:
    assert decide("127.0.0.1", 3, (*FOUNDERS, LATER), []) == decide("127.0.0.1", 3, FOUNDERS, [])


@pytest.mark.parametrize(
    ("own", "instances", "reason"),
    [
        pytest.param("127.0.0.1", FOUNDERS[:2], "2 of 3 founders are there", id="one-is-missing"),
        pytest.param("127.0.0.4", (*FOUNDERS, LATER), "may not found", id="not-a-founder"),
        pytest.param("127.0.0.1", (*FOUNDERS[:2], LATER), "start the service anew", id="one-died"),
        pytest.param("127.0.0.9", FOUNDERS, "not among", id="not-listed-yet"),
    ],
)
def test_nobody_founds_a_cluster_when(
    own: str, instances: tuple[Instance, ...], reason: str
) -> None:
    decision = decide(own, 3, instances, [])
    assert isinstance(decision, Wait)
    assert reason in decision.reason


def test_a_founder_never_founds_beside_a_cluster_that_answers() -> None:
    assert isinstance(decide("127.0.0.1", 3, FOUNDERS, [LISTED[1:]]), Wait)


def test_who_is_in_a_member_list_joins_with_exactly_that_list() -> None:
    admitted = (*LISTED, Member("m4", "", "127.0.0.4", learner=True))
    named = tuple(Member(m.raft_id, m.raft_id.upper(), m.address, m.learner) for m in admitted)
    start = decide("127.0.0.4", 3, (*FOUNDERS, LATER), [LISTED, named])
    assert start == Start(
        "existing",
        "M1=http://127.0.0.1:2380,M2=http://127.0.0.2:2380,M3=http://127.0.0.3:2380,"
        "node-127-0-0-4=http://127.0.0.4:2380",
        "m4",
    )


def test_a_list_from_before_our_removal_does_not_bring_us_back() -> None:
    assert isinstance(
        decide("127.0.0.1", 3, FOUNDERS, [LISTED], removed={"m1"}, may_found=False), Wait
    )


def test_who_took_part_once_never_founds_again() -> None:
    assert isinstance(decide("127.0.0.1", 3, FOUNDERS, [], may_found=False), Wait)


# What a task is told

ENVIRONMENT = {
    "QUORUMSHIFT_TASK_ADDRESS": "127.0.0.1",
    "QUORUMSHIFT_TASK_DIRECTORY": "/nowhere",
    "QUORUMSHIFT_INSTANCES": "/nowhere/instances.json",
    "QUORUMSHIFT_IMAGE_VERSION": "7",
    "CLUSTER_SIZE": "3",
}


@pytest.mark.parametrize(
    ("change_", "named"),
    [
        ({"QUORUMSHIFT_TASK_ADDRESS": ""}, "QUORUMSHIFT_TASK_ADDRESS is missing"),
        ({"CLUSTER_SIZE": "three"}, "CLUSTER_SIZE is 'three'"),
        ({"QUORUMSHIFT_IMAGE_BEHAVIOUR": "odd"}, "allowed: normal, exit, unhealthy, slow"),
    ],
)
def test_an_unusable_environment_is_named(change_: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidNode, match=named):
        read_node({**ENVIRONMENT, **change_})


def test_before_the_first_task_is_listed_there_are_no_instances(tmp_path: Path) -> None:
    assert read_node(ENVIRONMENT).version == "7"
    assert read_instances(tmp_path / "instances.json") == ()


# What the front answers


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A cluster of one, for tests that leave it as it is."""
    with running(tmp_path_factory.mktemp("single"), size=1) as fleet:
        yield fleet


def test_what_is_written_is_read(single: Fleet) -> None:
    (address,) = single.tasks
    until(lambda: http("GET", address, "/health")[0] == 200)
    assert http("PUT", address, "/kv/snake", "längst")[0] == 200
    assert http("GET", address, "/kv/snake")[1]["value"] == "längst"
    assert http("PUT", address, "/kv/snake", "")[0] == 200
    assert http("GET", address, "/kv/snake")[1]["value"] == ""
    code, answer = http("GET", address, "/kv/absent")
    assert (code, answer["error"]) == (404, "no such key")


def test_many_keys_are_read_page_by_page(single: Fleet) -> None:
    (address,) = single.tasks
    for key in ("page-1", "page-2", "page-3", "pagf"):
        http("PUT", address, f"/kv/{key}", key.upper())
    _, first = http("GET", address, "/kv?prefix=page-&limit=2")
    assert first["items"] == {"page-1": "PAGE-1", "page-2": "PAGE-2"}
    assert first["more"] is True
    _, second = http("GET", address, "/kv?prefix=page-&after=page-2&limit=2")
    assert second["items"] == {"page-3": "PAGE-3"}
    assert second["more"] is False


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=many"])
def test_a_bad_page_is_refused(single: Fleet, query: str) -> None:
    (address,) = single.tasks
    assert http("GET", address, f"/kv?{query}")[0] == 400


def test_a_websocket_echoes_and_tells_the_version(single: Fleet) -> None:
    (address,) = single.tasks

    async def talk() -> dict[str, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://{address}:8080/ws") as socket,
        ):
            await socket.send_str("ping")
            heard: dict[str, str] = await socket.receive_json(timeout=5)
            return heard

    assert asyncio.run(talk()) == {"echo": "ping", "version": "1", "node": address}


def test_a_task_outside_the_cluster_serves_by_forwarding(single: Fleet) -> None:
    (member, *_) = single.tasks
    http("PUT", member, "/kv/colour", "blue")
    green = single.start(version="2")
    until(lambda: http("GET", green, "/health")[0] == 200)
    code, answer = http("GET", green, "/kv/colour")
    assert (code, answer["value"], answer["version"]) == (200, "blue", "2")
    assert status(green) is None
    assert single.terminate(green) == 0


# What the other versions do


def test_an_image_made_to_exit_says_so(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    try:
        address = fleet.start(behaviour="exit")
        assert fleet.wait(address) == 1
        assert "was made to exit at start" in fleet.log(address).read_text()
    finally:
        fleet.close()


def test_an_unhealthy_image_serves_and_fails_its_health_check(tmp_path: Path) -> None:
    with running(tmp_path, size=1, behaviour="unhealthy") as fleet:
        (address,) = fleet.tasks
        code, answer = http("GET", address, "/health")
        assert (code, answer["error"]) == (500, "this version was made to fail its health check")


# How a task ends


def test_sigterm_drains(tmp_path: Path) -> None:
    with running(tmp_path, size=1, behaviour="slow") as fleet:
        (address,) = fleet.tasks
        etcd = fleet.etcd(address)
        codes: list[int] = []
        told = threading.Event()

        async def be_connected() -> list[aiohttp.WSMessage]:
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(f"http://{address}:8080/ws", autoclose=False) as socket,
            ):
                put = asyncio.create_task(session.put(f"http://{address}:8080/kv/a", data=b"1"))
                await asyncio.sleep(0.3)  # it is under way for 1.5 s
                os.kill(fleet.tasks[address].pid, signal.SIGTERM)
                told.set()
                heard = [await socket.receive(timeout=5), await socket.receive(timeout=5)]
                codes.append((await put).status)
                return heard

        health: list[int] = []

        def look() -> None:
            told.wait(10)
            until(lambda: http("GET", address, "/health")[0] == 503)
            health.append(503)

        thread = threading.Thread(target=look)
        thread.start()
        goodbye, closed = asyncio.run(be_connected())
        thread.join(10)
        assert fleet.wait(address) == 0
        assert json.loads(goodbye.data)["type"] == "Shutdown"
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        assert codes == [200]
        assert health == [503]
        assert not Path(f"/proc/{etcd}").exists()


def test_sigkill_of_the_front_takes_etcd_along(tmp_path: Path) -> None:
    with running(tmp_path, size=1) as fleet:
        (address,) = fleet.tasks
        etcd = fleet.etcd(address)
        assert etcd is not None
        fleet.kill(address)
        until(lambda: status(address) is None)
        until(lambda: not Path(f"/proc/{etcd}").exists())


def test_a_task_whose_etcd_dies_exits_and_says_why(tmp_path: Path) -> None:
    with running(tmp_path, size=1) as fleet:
        (address,) = fleet.tasks
        etcd = fleet.etcd(address)
        assert etcd is not None
        os.kill(etcd, signal.SIGKILL)
        assert fleet.wait(address) == 1
        assert "etcd was ended by signal 9" in fleet.log(address).read_text()


# A hand-over, step by step


def test_nodes_are_admitted_taken_out_and_admitted_again(tmp_path: Path) -> None:
    """In an order in which etcd's five-second rule makes us wait only once."""
    with running(tmp_path, size=3) as fleet:
        observer = Observer(fleet.world, fleet.instances)
        observer.start()
        blue = list(fleet.tasks)
        via = until(lambda: leader(blue))
        green = fleet.start(version="2")
        until(lambda: sees_leader(green))
        assert status(green) is None

        def admit(address: str) -> str:
            added = change(via, "add", peerURLs=[f"http://{address}:2380"], isLearner=True)
            until(lambda: (said := status(address)) is not None and said.learner)
            raft_id: str = added["member"]["ID"]
            return raft_id

        def take_out(address: str) -> str:
            raft_id = members(via)[address].raft_id
            change(via, "remove", ID=raft_id)
            until(lambda: "our member was taken out" in fleet.log(address).read_text())
            assert status(address) is None
            assert http("PUT", address, "/kv/last", address)[0] == 200
            return raft_id

        admit(green)
        take_out(green)
        old = take_out(voter := next(address for address in blue if address != via))
        until(lambda: len(voters(observer)) == 2)  # it looks about once a second
        new = admit(voter)
        assert new != old
        change(via, "promote", ID=new)
        until(lambda: (said := status(voter)) is not None and not said.learner)
        assert http("GET", green, "/kv/last")[1]["value"] == voter
        until(lambda: len(voters(observer)) == 3)
        seen = observer.finish()
        rest = tuple(address for address in blue if address != voter)
        assert [at.voters for at in seen.voters] == [tuple(blue), rest, tuple(blue)]
        assert seen.quorum_lost_seconds == 0
        assert [fleet.terminate(address) for address in (green, voter)] == [0, 0]


def voters(observer: Observer) -> list[str]:
    return [m.address for m in observer.snapshot().members if m.standing is Standing.VOTER]
