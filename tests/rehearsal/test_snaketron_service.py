"""The sample SnakeTron, asked over the wire: gRPC, SQL, HTTP and WebSockets."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from quorumshift.adapters.http_probe import HttpProbe
from quorumshift.rehearsal.database_authority import ca_file
from quorumshift.rehearsal.service.node import InvalidNode
from quorumshift.rehearsal.snaketron.directory import Directory
from quorumshift.rehearsal.snaketron.players import NotACommand, read_command
from quorumshift.rehearsal.snaketron.refusals import in_words
from quorumshift.rehearsal.snaketron.settings import read_settings
from quorumshift.rehearsal.snaketron.table import Row, Table, Unreachable
from tests.rehearsal.fleet import http, members, sees_leader, until
from tests.rehearsal.snaketron_fleet import (
    EXTENDED,
    LEGACY,
    ORCHESTRATED,
    SnakeFleet,
    access,
    health,
    join,
    leader_known,
    leading,
    playing,
    promote,
    raft,
    remove,
    transfer,
)

NOT_THE_LEADER = (False, "Not the leader")

# What a task is told

ENVIRONMENT = {
    "QUORUMSHIFT_TASK_ADDRESS": "127.0.0.1",
    "QUORUMSHIFT_TASK_DIRECTORY": "/nowhere",
    "QUORUMSHIFT_INSTANCES": "/nowhere/instances.json",
    "QUORUMSHIFT_IMAGE_VERSION": "7",
    "QUORUMSHIFT_IMAGE_CONTRACT": "extended",
    "QUORUMSHIFT_CLUSTER_SIZE": "3",
    "SNAKETRON_DB_HOST": "127.0.0.9",
    "SNAKETRON_DB_USER": "snaketron",
    "SNAKETRON_DB_PASS": "very secret",
    "SNAKETRON_DB_NAME": "snaketron",
    "SNAKETRON_JWT_SECRET": "also secret",
    "SNAKETRON_REGION": "us-east-1",
}


def test_what_is_not_told_is_as_the_game_has_it() -> None:
    settings = read_settings(ENVIRONMENT)
    assert (settings.ws_port, settings.grpc_port, settings.api_port) == (8080, 50051, 3001)
    assert settings.database.port == 5432
    assert settings.node.cluster_size == 3
    assert settings.grpc_address == "127.0.0.1:50051"
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("contract", "promotion", "behaviour", "by_itself"),
    [
        ("extended", "", "normal", True),
        ("extended", "self", "normal", True),
        ("extended", "orchestrated", "normal", False),
        ("extended", "orchestrated", "self-join", True),
        ("legacy", "orchestrated", "normal", True),
    ],
)
def test_who_asks_for_the_vote(
    contract: str, promotion: str, behaviour: str, by_itself: bool
) -> None:
    told = {
        "QUORUMSHIFT_IMAGE_CONTRACT": contract,
        "SNAKETRON_RAFT_PROMOTION": promotion,
        "QUORUMSHIFT_IMAGE_BEHAVIOUR": behaviour,
    }
    assert read_settings({**ENVIRONMENT, **told}).votes_by_itself is by_itself


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("QUORUMSHIFT_IMAGE_CONTRACT", "", "QUORUMSHIFT_IMAGE_CONTRACT is missing"),
        ("QUORUMSHIFT_IMAGE_CONTRACT", "old", "'old'; allowed: legacy, extended"),
        ("SNAKETRON_RAFT_PROMOTION", "both", "'both'; allowed: self, orchestrated"),
        ("SNAKETRON_DB_PASS", "", "SNAKETRON_DB_PASS is missing"),
        ("SNAKETRON_JWT_SECRET", "", "SNAKETRON_JWT_SECRET is missing"),
        ("SNAKETRON_DB_PORT", "many", "SNAKETRON_DB_PORT is 'many'"),
        ("SNAKETRON_GRPC_PORT", "65536", "SNAKETRON_GRPC_PORT is '65536'"),
        ("SNAKETRON_DB_CA", "/nowhere/ca.pem", "SNAKETRON_DB_CA is '/nowhere/ca.pem'"),
        ("QUORUMSHIFT_CLUSTER_SIZE", "0", "QUORUMSHIFT_CLUSTER_SIZE is '0'"),
    ],
)
def test_an_unusable_environment_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(InvalidNode, match=said) as raised:
        read_settings({**ENVIRONMENT, name: value})
    assert "secret" not in str(raised.value).lower().replace("snaketron_jwt_secret", "")


@pytest.mark.parametrize(
    ("environment", "code", "said"),
    [
        ({"SNAKETRON_RAFT_PROMOTION": "both"}, 2, "SNAKETRON_RAFT_PROMOTION is 'both'; allowed"),
        ({"QUORUMSHIFT_IMAGE_BEHAVIOUR": "exit"}, 1, "version 1 was made to exit at start"),
    ],
)
def test_a_task_that_cannot_run_says_so_in_one_line(
    tmp_path: Path, environment: dict[str, str], code: int, said: str
) -> None:
    fleet = SnakeFleet(tmp_path, 1, EXTENDED)
    try:
        address = fleet.start(**environment)
        assert fleet.wait(address) == code
        (line,) = fleet.log(address).read_text().splitlines()
        assert said in line
    finally:
        fleet.close()


# What players say


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("up", "not JSON"),
        ("[]", "is not"),
        ('{"type": "Join"}', "is not"),
        ('{"type": "Command", "value": "up"}', "needs an id"),
        ('{"type": "Command", "id": "", "value": "up"}', "needs an id"),
        ('{"type": "Command", "id": "a", "value": 1}', "needs an id"),
    ],
)
def test_what_is_no_command(text: str, said: str) -> None:
    with pytest.raises(NotACommand, match=said):
        read_command(text)


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("etcdserver: unhealthy cluster", "Not yet: "),
        ("etcdserver: can only promote a learner member which is in sync", "Not yet: "),
        ("etcdserver: too many learner members in cluster", "Too many learners: "),
        ("etcdserver: bad leader transferee", "Only a voter can lead: "),
        ("etcdserver: member not found", "No such member: "),
    ],
)
def test_etcds_refusals_get_the_contracts_words(said: str, word: str) -> None:
    assert in_words(Exception(said)) == word + said


# Ids and addresses


def row(raft_id: int, address: str, alive: bool = True) -> Row:
    return Row(str(raft_id), address, f"{address}:50051", alive)


def directory(*tables: tuple[Row, ...] | Unreachable) -> tuple[Directory, list[int]]:
    """One that reads these tables, one after the other; and how often it did."""
    left, looks = list(tables), [0]

    async def read() -> tuple[Row, ...]:
        looks[0] += 1
        told = left.pop(0)
        if isinstance(told, Unreachable):
            raise told
        return told

    return Directory(read), looks


def test_an_address_belongs_to_its_newest_row() -> None:
    async def run() -> None:
        known, looks = directory((row(1, "a"), row(2, "b", alive=False), row(3, "a")))
        assert await known.ids(["a", "b"]) == {"a": "3", "b": "2"}
        assert known.alive == (row(3, "a"),)
        old = await known.row("1")
        assert old is not None
        assert not known.is_current(old)
        assert looks == [1]

    asyncio.run(run())


def test_what_is_unknown_is_looked_up_but_not_all_the_time() -> None:
    async def run() -> None:
        known, looks = directory(Unreachable("down"), (row(1, "a"),), (row(1, "a"), row(2, "b")))
        assert await known.ids(["a"]) == {}
        assert await known.row("1") is None
        with pytest.raises(Unreachable, match="down"):
            await known.sure_row("1")
        assert looks == [1]
        await asyncio.sleep(0.6)
        assert await known.ids(["a", "b"]) == {"a": "1"}
        assert looks == [2]
        known.take((row(4, "b"),))
        assert await known.ids(["b"]) == {"b": "4"}
        assert await known.sure_row("1") is None
        assert looks == [2]

    asyncio.run(run())


# One node


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnakeFleet]:
    """A cluster of one, for tests that leave it as it is."""
    with playing(tmp_path_factory.mktemp("single"), 1, EXTENDED) as fleet:
        yield fleet


@pytest.fixture
def address(single: SnakeFleet) -> str:
    """Of its only node."""
    (one,) = single.tasks
    return one


def test_a_node_registers_itself_and_beats(single: SnakeFleet, address: str) -> None:
    (seen,) = single.rows(address)
    assert (seen.grpc_port, seen.raft_port, seen.grpc_address) == (50051, 50052, f"{address}:50051")
    assert (seen.region, seen.status, seen.created) == ("us-east-1", "active", True)
    assert seen.age is not None
    beats = "SELECT last_heartbeat FROM servers"
    first = single.sql(beats)
    began = time.monotonic()
    until(lambda: single.sql(beats) != first, 7)
    assert time.monotonic() - began < 6
    assert -1 < float(single.rows(address)[0].age or 0) < 1  # UTC, and by the database's clock


def test_a_leader_tells_everything(single: SnakeFleet, address: str) -> None:
    said = raft(address)
    assert said is not None
    own = single.raft_id(address)
    assert (said.is_leader, said.leader_id, said.node_id) == (True, own, own)
    assert said.leader_addr == f"{address}:50051"
    assert said.current_term > 0
    assert said.last_log_index >= said.last_applied > 0
    assert [(m.node_id, m.grpc_addr, m.is_learner) for m in said.members] == [
        (own, f"{address}:50051", False)
    ]
    assert said.members_confirmed


def test_what_is_so_already_is_answered_with_yes(single: SnakeFleet, address: str) -> None:
    own = single.raft_id(address)
    assert join(address, own, address).accepted
    assert promote(address, own).promoted
    assert transfer(address, own).transferred
    single.sql(
        "INSERT INTO servers (ip_address, grpc_address, created_at)"
        " VALUES ('127.0.0.99', '127.0.0.99:50051', now())"
    )
    stranger = single.raft_id("127.0.0.99")
    assert remove(address, stranger).removed  # no member, and so out


def test_refusals_have_a_reason(single: SnakeFleet, address: str) -> None:
    own = single.raft_id(address)
    assert join(address, own, "127.0.0.98").reason == (
        f"server {own} is registered at {address}, not at 127.0.0.98"
    )
    assert "registered nowhere" in join(address, "99", "127.0.0.98").reason
    assert promote(address, "99").reason.startswith("No such member: there is no server '99'")
    assert transfer(address, "99").reason.startswith("Only a voter can lead: there is no")
    refused = remove(address, "99")
    assert (refused.removed, refused.reason) == (False, "there is no server '99' in the table")


def test_a_certificate_that_does_not_verify_is_not_accepted(single: SnakeFleet) -> None:
    told = {**ENVIRONMENT, **access(single.database)}
    assert Table(read_settings(told)).rows()
    del told["SNAKETRON_DB_CA"]
    with pytest.raises(Unreachable, match="certificate verify failed"):
        Table(read_settings(told)).rows()


def test_a_node_that_works_is_healthy(address: str) -> None:
    assert health(address) == (200, "OK")
    assert http("GET", address, "/health")[0] == 200


@asynccontextmanager
async def player(address: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Somebody who plays: a WebSocket whose welcome has been heard."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://{address}:8080/ws", autoclose=False) as socket,
    ):
        welcome = await socket.receive_json(timeout=5)
        assert welcome == {"type": "Welcome", "version": "1", "node": address}
        yield socket


def play(address: str, game: Callable[[aiohttp.ClientWebSocketResponse], Awaitable[Any]]) -> Any:
    """Play one game."""

    async def run() -> Any:
        async with player(address) as socket:
            return await game(socket)

    return asyncio.run(run())


def command(key: str, value: str) -> dict[str, str]:
    return {"type": "Command", "id": key, "value": value}


def test_commands_are_stored_and_acknowledged_by_id(address: str) -> None:
    keys = [f"snake-{number}" for number in range(150)]

    async def game(socket: aiohttp.ClientWebSocketResponse) -> list[Any]:
        for key in keys:
            await socket.send_json(command(key, key.upper()))
        return [await socket.receive_json(timeout=10) for _ in keys]

    heard = play(address, game)
    assert {each["type"] for each in heard} == {"Ack"}
    assert sorted(each["id"] for each in heard) == sorted(keys)
    page = http("GET", address, "/kv?prefix=snake-&limit=200")[1]["items"]
    assert page == {key: key.upper() for key in keys}


def test_what_is_no_command_is_an_error_and_the_game_goes_on(address: str) -> None:
    async def game(socket: aiohttp.ClientWebSocketResponse) -> tuple[Any, Any]:
        await socket.send_str("up")
        error = await socket.receive_json(timeout=5)
        await socket.send_json(command("after", "1"))
        return error, await socket.receive_json(timeout=5)

    error, ack = play(address, game)
    assert error == {"type": "Error", "reason": "the text is not JSON"}
    assert ack == {"type": "Ack", "id": "after"}


def test_a_node_counts_its_players(address: str) -> None:
    def connections() -> int:
        said = raft(address)
        assert said is not None
        return said.open_connections

    async def game(socket: aiohttp.ClientWebSocketResponse) -> int:
        async with player(address):
            return await asyncio.to_thread(connections)

    until(lambda: connections() == 0)
    assert play(address, game) == 2
    until(lambda: connections() == 0)


def test_the_hooks_probe_is_content_and_leaves_no_trace(single: SnakeFleet, address: str) -> None:
    before = single.log(address).read_text()
    for _ in range(3):
        assert HttpProbe().websocket(f"http://{address}:8080/ws").ok
    assert HttpProbe().get(f"http://{address}:3001/api/health").ok
    assert play(address, lambda socket: socket.close())
    assert single.log(address).read_text() == before


def test_an_unhealthy_image_serves_and_fails_its_health_check(tmp_path: Path) -> None:
    with playing(tmp_path, 1, EXTENDED, behaviour="unhealthy") as fleet:
        (one,) = fleet.tasks
        assert health(one) == (500, "this version was made to fail its health check")
        assert sees_leader(one)


def test_a_slow_image_is_slow_for_its_players_too(tmp_path: Path) -> None:
    with playing(tmp_path, 1, EXTENDED, behaviour="slow") as fleet:
        (one,) = fleet.tasks

        async def game(socket: aiohttp.ClientWebSocketResponse) -> tuple[Any, float]:
            began = time.monotonic()
            await socket.send_json(command("a", "1"))
            return await socket.receive_json(timeout=5), time.monotonic() - began

        ack, lasted = play(one, game)
        assert ack == {"type": "Ack", "id": "a"}
        assert lasted >= 1.4


# Today's contract


def test_todays_nodes_become_voters_by_themselves_and_never_leave(tmp_path: Path) -> None:
    with playing(tmp_path, 3, LEGACY) as fleet:
        blue = list(fleet.tasks)
        via = leading(fleet)
        own = fleet.raft_id(via)
        told = {address: raft(address) for address in blue}
        for address, said in told.items():
            assert said is not None
            assert said.leader_id == own
            assert said.leader_addr == (f"{address}:50051" if address == via else "")
            assert (said.node_id, len(said.members), said.members_confirmed) == ("", 0, False)

        for request in (remove, transfer):
            with pytest.raises(GRPCError) as refused:
                request(via, own)
            assert refused.value.status is Status.UNIMPLEMENTED
        follower = next(address for address in blue if address != via)
        answer = join(follower, own, via)
        assert (answer.accepted, answer.reason) == NOT_THE_LEADER

        green = [fleet.start(version="2") for _ in range(3)]
        until(lambda: all(health(address) == (200, "OK") for address in green))
        assert raft(green[2]) is None  # UNAVAILABLE: its Raft is not up
        until(lambda: len(voters(via)) == 6, 60)
        assert set(voters(via)) == {*blue, *green}

        assert term(via) == term(follower)
        before = term(follower)
        ids = {address: fleet.raft_id(address) for address in (*blue, *green)}
        assert fleet.terminate(via) == 0
        assert fleet.rows(via)[0].status == "offline"
        heir = leading(fleet)
        assert term(heir) > before  # an election: nobody handed anything over
        until(lambda: all(leader_known(address) for address in fleet.tasks))
        after = raft(next(address for address in fleet.tasks if address != heir))
        assert after is not None
        assert after.leader_id == ids[heir]
        assert via in voters(heir)


def voters(via: str) -> list[str]:
    return [address for address, member in members(via).items() if not member.learner]


def term(address: str) -> int:
    said = raft(address)
    return 0 if said is None else int(said.current_term)


# The extended contract


def standings(address: str) -> dict[str, bool]:
    """Id → whether it is a learner, as the node tells it."""
    said = raft(address)
    return {} if said is None else {each.node_id: each.is_learner for each in said.members}


def test_an_orchestrator_changes_the_members(tmp_path: Path) -> None:
    with playing(tmp_path, 3, ORCHESTRATED) as fleet:
        blue = list(fleet.tasks)
        via = leading(fleet)
        follower = next(address for address in blue if address != via)
        green = fleet.start(version="2")
        raft_id = fleet.raft_id(green)
        for answer in (
            join(follower, raft_id, green).reason,
            promote(follower, raft_id).reason,
            remove(follower, raft_id).reason,
            transfer(follower, fleet.raft_id(via)).reason,
        ):
            assert answer == "Not the leader"

        # It joins by itself, and stays a learner for as long as nobody gives it its vote.
        until(lambda: standings(via).get(raft_id) is True)
        until(lambda: standings(green).get(raft_id) is True)
        said = raft(green)
        assert said is not None
        assert (said.node_id, said.leader_id) == (raft_id, fleet.raft_id(via))
        assert not said.members_confirmed
        assert transfer(via, raft_id).reason.startswith("Only a voter can lead: ")
        assert join(via, raft_id, green).accepted
        assert standings(via)[raft_id] is True
        until(lambda: promote(via, raft_id).promoted)
        assert promote(via, raft_id).promoted
        assert standings(via)[raft_id] is False

        # Leadership goes to it, asked of the leader; and to another, asked of that one itself.
        assert transfer(via, raft_id).transferred
        assert leading(fleet) == green
        assert transfer(follower, fleet.raft_id(follower)).transferred
        assert leading(fleet) == follower

        # Who was taken out forwards, tells its players, and does not come back by itself.
        old = fleet.raft_id(via)
        until(lambda: remove(follower, old).removed)
        assert remove(follower, old).removed
        assert old not in standings(follower)
        until(lambda: "our member was taken out" in fleet.log(via).read_text())
        outside = raft(via)
        assert outside is not None
        assert (outside.node_id, outside.is_leader, outside.leader_id) == (old, False, "")
        assert (len(outside.members), outside.open_connections) == (0, 0)
        assert http("PUT", via, "/kv/forwarded", "yes")[0] == 200
        assert health(via) == (200, "OK")
        stays_so(lambda: old not in standings(follower), 2.0)

        # But it does when it is asked to.
        until(lambda: join(follower, old, via).accepted)
        until(lambda: standings(via).get(old) is True)
        assert fleet.terminate(via) == 0  # a learner that ends is no member any more
        assert old not in standings(follower)


def test_who_was_taken_out_sends_its_players_on_a_few_at_a_time(tmp_path: Path) -> None:
    """On AWS the load balancer cuts what is left before SIGTERM comes, so that is too late."""
    with playing(tmp_path, 3, EXTENDED) as fleet:
        leader = leading(fleet)
        via = next(address for address in fleet.tasks if address != leader)
        raft_id = fleet.raft_id(via)

        async def told(socket: aiohttp.ClientWebSocketResponse) -> float:
            heard = await socket.receive_json(timeout=10)
            assert heard == {"type": "Shutdown", "version": "1", "node": via}
            return time.monotonic()

        async def game(socket: aiohttp.ClientWebSocketResponse) -> tuple[float, ...]:
            async with player(via) as second, player(via) as third:
                await asyncio.to_thread(until, lambda: remove(leader, raft_id).removed)
                times = await asyncio.gather(told(socket), told(second), told(third))
                await third.send_json(command("after", "1"))
                assert await third.receive_json(timeout=5) == {"type": "Ack", "id": "after"}
            async with player(via) as late:  # who comes all the same may stay
                await late.send_json(command("late", "1"))
                assert await late.receive_json(timeout=5) == {"type": "Ack", "id": "late"}
            return times

        times = play(via, game)
        assert 0.5 < max(times) - min(times) < 5.0


def stays_so(holds: Callable[[], bool], seconds: float) -> None:
    """It is the case all the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert holds()
        time.sleep(0.05)


def test_a_node_that_votes_by_itself_does_so_in_the_extended_contract_too(tmp_path: Path) -> None:
    with playing(tmp_path, 1, EXTENDED) as fleet:
        (via,) = fleet.tasks
        green = fleet.start(version="2")
        raft_id = fleet.raft_id(green)
        until(lambda: standings(via).get(raft_id) is False)


def test_a_leader_that_ends_tells_its_players_and_hands_over(tmp_path: Path) -> None:
    with playing(tmp_path, 3, EXTENDED) as fleet:
        via = leading(fleet)
        statuses: list[str] = []

        async def game(socket: aiohttp.ClientWebSocketResponse) -> tuple[Any, Any, float, Any]:
            os.kill(fleet.tasks[via].pid, signal.SIGTERM)
            goodbye = await socket.receive_json(timeout=5)
            began = time.monotonic()
            await socket.send_json(command("late", "1"))
            ack = await socket.receive_json(timeout=5)
            await asyncio.to_thread(
                until, lambda: fleet.rows(via)[0].status == "draining" and health(via)[0] == 503
            )
            statuses.append("draining")
            async with player(via) as late:
                again = await late.receive_json(timeout=5)
            closed = await socket.receive(timeout=5)
            assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 1001)
            return goodbye, ack, time.monotonic() - began, again

        goodbye, ack, lasted, again = play(via, game)
        assert goodbye == {"type": "Shutdown", "version": "1", "node": via}
        assert again["type"] == "Shutdown"
        assert ack == {"type": "Ack", "id": "late"}
        assert 0.5 < lasted < 2.0
        assert fleet.wait(via) == 0
        assert "leadership was handed over" in fleet.log(via).read_text()
        assert fleet.rows(via)[0].status == "offline"
        heir = leading(fleet)
        assert via in voters(heir)  # a voter stays one
        assert http("GET", heir, "/kv/late")[1]["value"] == "1"


def test_a_leader_without_a_quorum_does_not_confirm_its_members(tmp_path: Path) -> None:
    with playing(tmp_path, 3, EXTENDED) as fleet:
        via = leading(fleet)
        stopped = [fleet.etcd(address) for address in fleet.tasks if address != via]
        try:
            for process in stopped:
                assert process is not None
                os.kill(process, signal.SIGSTOP)
            said = raft(via)
            assert said is not None
            assert not said.members_confirmed
            assert len(said.members) == 3
        finally:
            for process in stopped:
                os.kill(process or 0, signal.SIGCONT)
        until(lambda: (told := raft(leading(fleet))) is not None and told.members_confirmed)


# From the one to the other


def test_a_node_of_the_extended_contract_under_a_leader_of_todays(tmp_path: Path) -> None:
    with playing(tmp_path, 3, LEGACY) as fleet:
        blue = list(fleet.tasks)
        via = leading(fleet)
        green = fleet.start(version="2", **ORCHESTRATED)
        raft_id = fleet.raft_id(green)
        until(lambda: standings(green).get(raft_id) is True)
        assert set(standings(green)) == {fleet.raft_id(address) for address in (*blue, green)}
        assert "not the leader" in promote(green, raft_id).reason.lower()
        until(lambda: promote(via, raft_id).promoted)
        until(lambda: (told := transfer(green, raft_id)).transferred or not told.reason)
        assert leading(fleet) == green
        until(lambda: (said := raft(green)) is not None and said.members_confirmed)
        until(lambda: remove(green, fleet.raft_id(via)).removed)
        assert len(standings(green)) == 3
        until(lambda: "our member was taken out" in fleet.log(via).read_text())
        assert raft(via) is None  # of today's contract, and without Raft


# The database


@pytest.mark.parametrize(
    ("offers", "ca", "said", "spoken_to"),
    [
        pytest.param(b"N", True, "it offers no TLS", False, id="no-tls-where-it-is-a-must"),
        pytest.param(b"N", False, "network error", True, id="no-tls-where-nobody-asked-for-it"),
        pytest.param(b"", False, "it hung up", False, id="no-answer"),
    ],
)
def test_who_is_spoken_to_in_the_clear(offers: bytes, ca: bool, said: str, spoken_to: bool) -> None:
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(8)
                connection.sendall(offers)
                heard.append(connection.recv(1000) if offers else b"")

        thread = threading.Thread(target=serve)
        thread.start()
        told = {
            "SNAKETRON_DB_HOST": "127.0.0.1",
            "SNAKETRON_DB_PORT": str(server.getsockname()[1]),
            "SNAKETRON_DB_CA": str(ca_file()) if ca else "",
        }
        with pytest.raises(Unreachable, match=said):
            Table(read_settings({**ENVIRONMENT, **told})).rows()
        thread.join(5)
    assert [b"snaketron" in each for each in heard] == [spoken_to]


def test_a_database_that_is_down_takes_no_node_down(tmp_path: Path) -> None:
    fleet = SnakeFleet(tmp_path, 1, EXTENDED)
    try:
        first = fleet.start()
        until(lambda: health(first) == (200, "OK"))
        assert http("PUT", first, "/kv/early", "1")[0] == 200
        assert raft(first) is None  # who has no id has no Raft to speak of
        until(lambda: "Connection refused; trying again" in fleet.log(first).read_text())
        fleet.database.start()
        until(lambda: leader_known(first))
        assert fleet.rows(first)[0].status == "active"

        assert fleet.database.pid is not None
        os.kill(fleet.database.pid, signal.SIGSTOP)
        second = fleet.start(version="2")
        until(lambda: health(second) == (200, "OK"))
        until(lambda: "timed out; trying again" in fleet.log(first).read_text(), 20)
        said = raft(first)
        assert said is not None
        assert said.members_confirmed
        assert http("PUT", first, "/kv/meanwhile", "1")[0] == 200
        assert remove(first, "99").reason.startswith("Not yet: ")  # it may be in the table
        began = time.monotonic()
        third = fleet.start(version="3")
        until(lambda: health(third) == (200, "OK"))
        assert fleet.terminate(third) == 0  # nor does it hold one back
        assert time.monotonic() - began < 5
        os.kill(fleet.database.pid, signal.SIGCONT)

        until(lambda: "the database answers again" in fleet.log(first).read_text())
        until(lambda: len(standings(first)) == 2, 20)
        for address in (first, second):
            password = str(fleet.database.secret()["password"])
            assert password not in fleet.log(address).read_text()
    finally:
        fleet.close()
