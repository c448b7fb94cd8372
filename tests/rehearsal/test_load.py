"""The load: what it counts, against servers that misbehave and against the real service."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from quorumshift.rehearsal.aws.balancer_state import IDLE_TIMEOUT
from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.load import Load
from quorumshift.rehearsal.load.generator import KEEP_ALIVE_SECONDS, TIMEOUT_SECONDS
from quorumshift.rehearsal.load.tally import RECENT_SECONDS, Latencies, Tally
from quorumshift.rehearsal.observer import Observer
from quorumshift.rehearsal.read_back import value_of
from quorumshift.rehearsal.reporting import ReporterFailed
from quorumshift.rehearsal.world import World
from tests.rehearsal.fleet import running, until

# The counts


def test_percentiles_are_by_nearest_rank() -> None:
    latencies = Latencies()
    assert latencies.percentile(50) == 0.0
    for milliseconds in range(1, 101):
        latencies.add(milliseconds / 1000)
    assert [latencies.percentile(p) for p in (1, 50, 99, 100)] == [1.0, 50.0, 99.0, 100.0]


def test_the_tally_counts_by_version_and_by_second() -> None:
    tally = Tally()
    tally.add(due=0.1, took=0.002, write=True, version="1", error=None)
    tally.add(due=0.9, took=0.500, write=False, version="1", error=None)
    first = tally.snapshot(1.0)
    tally.add(due=1.1, took=0.300, write=True, version="2", error=None)
    tally.add(due=1.2, took=0.001, write=False, version=None, error="GET: refused")
    second = tally.snapshot(1.5)
    assert (first.total, first.rate, first.versions) == (2, 2.0, {"1": 2})
    assert (second.total, second.rate, second.versions) == (4, 4.0, {"2": 1})
    assert second.last_error == "GET: refused"
    result = tally.result(acknowledged=2, lost=0)
    assert (result.total, result.failed, result.longest_stall_ms) == (4, 1, 300.0)
    assert result.failed_writes == 0
    assert [(s.at, s.total, s.failed, s.versions) for s in result.timeline] == [
        (0, 2, 0, {"1": 2}),
        (1, 2, 1, {"2": 1}),
    ]
    assert [(f.at, f.what, f.count) for f in result.errors] == [(1.2, "GET: refused", 1)]


def test_a_second_tells_its_longest_write_also_when_that_ends_late() -> None:
    tally = Tally()
    tally.began = 1_700_000_000.0
    tally.add(due=0.5, took=0.0042, write=True, version="1", error=None)
    tally.add(due=0.6, took=0.9, write=False, version="1", error=None)
    assert [(s.at, s.longest_write_ms) for s in tally.snapshot(1.0).recent] == [(0, 4.2)]
    tally.add(due=2.5, took=0.002, write=False, version="1", error=None)
    tally.add(due=0.7, took=3.25, write=True, version="1", error="PUT: 503")
    seen = tally.snapshot(4.0)
    assert [(s.at, s.total, s.longest_write_ms) for s in seen.recent] == [(0, 3, 3250.0), (2, 1, 0)]
    result = tally.result(acknowledged=1, lost=0)
    assert result.timeline == seen.recent
    assert result.began == seen.began == 1_700_000_000.0


def test_a_snapshot_holds_a_second_for_as_long_as_its_requests_may_take() -> None:
    tally = Tally()
    for at in range(60):
        tally.add(due=at, took=0.01, write=True, version="1", error=None)
    held = [second.at for second in tally.snapshot(60.0).recent]
    assert held == list(range(60 - RECENT_SECONDS, 60))
    assert RECENT_SECONDS > TIMEOUT_SECONDS + 2
    assert len(tally.result(acknowledged=60, lost=0).timeline) == 60


def test_the_version_served_is_that_of_the_last_answers() -> None:
    tally = Tally()
    for version in ["1"] * 500 + ["2"] * 60 + ["1"] * 40:
        tally.add(due=0, took=0, write=True, version=version, error=None)
    assert tally.result(acknowledged=0, lost=0).version_served == "2"


def test_there_are_never_more_than_a_few_error_samples() -> None:
    tally = Tally()
    for number in range(100):
        tally.add(due=number, took=0, write=True, version=None, error=f"error {number}")
    errors = tally.result(acknowledged=0, lost=0).errors
    assert len(errors) == 11
    assert (errors[-1].what, errors[-1].count) == ("others", 90)


# Against servers that misbehave


class Keeper(BaseHTTPRequestHandler):
    """Keeps what it is given, but for what ``spoil`` changes."""

    protocol_version = "HTTP/1.1"
    store: ClassVar[dict[str, str]]
    spoil: ClassVar[Callable[[Keeper, str], bool]]

    def do_PUT(self) -> None:
        value = self.rfile.read(int(self.headers["Content-Length"])).decode()
        key = self.path.rpartition("/")[2]
        if not self.spoil(key):
            self.store[key] = value
            self.answer(200, {})

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.query:
            after = parse_qs(parts.query).get("after", [""])[0]
            items = dict(sorted((k, v) for k, v in self.store.items() if k > after)[:500])
            self.answer(200, {"items": items, "more": len(items) == 500})
        else:
            key = parts.path.rpartition("/")[2]
            if not self.spoil(key):
                self.answer(200, {"value": self.store.get(key, "")})

    def answer(self, status: int, body: dict[str, object]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-Version", "1")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(block=take_block(), speed=60.0, directory=tmp_path)
    yield world
    world.processes.close()
    world.block.lock.close()


@pytest.fixture
def keeper(world: World) -> Iterator[tuple[str, type[Keeper]]]:
    handler = type("Spoiled", (Keeper,), {"store": {}, "spoil": lambda *_: False})
    with ThreadingHTTPServer((world.block.balancer, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://{world.block.balancer}:{server.server_port}", handler
        server.shutdown()
        thread.join()


def number(key: str) -> int:
    return int(key.rpartition("-")[2])


def test_the_client_lets_go_of_a_connection_before_the_load_balancer_does() -> None:
    assert KEEP_ALIVE_SECONDS <= IDLE_TIMEOUT / 2


def test_a_good_server_fails_nothing(world: World, keeper: tuple[str, type[Keeper]]) -> None:
    url, handler = keeper
    load = Load(world, url, 100)
    load.start()
    until(lambda: load.snapshot().total >= 60)
    result = load.finish()
    assert (result.failed, result.lost, result.errors) == (0, 0, ())
    assert result.acknowledged == len(handler.store) >= 30
    assert handler.store == {key: value_of(key) for key in handler.store}
    assert result.version_served == "1"
    assert load.finish() == result


@pytest.mark.parametrize(("writes", "share"), [(100, 1.0), (20, 0.2)])
def test_the_share_of_writes_is_kept(
    world: World, keeper: tuple[str, type[Keeper]], writes: int, share: float
) -> None:
    url, handler = keeper
    load = Load(world, url, 200, writes=writes)
    load.start()
    until(lambda: load.snapshot().total >= 100)
    result = load.finish()
    assert (result.failed, result.lost) == (0, 0)
    assert len(handler.store) == result.acknowledged == pytest.approx(share * result.total, abs=5)
    assert abs(result.began - time.time()) < 30


def test_every_misbehaviour_counts_and_nothing_is_tried_twice(
    world: World, keeper: tuple[str, type[Keeper]]
) -> None:
    url, handler = keeper
    asked: list[str] = []

    def spoil(request: Keeper, key: str) -> bool:
        asked.append(key)
        if request.command == "GET":
            request.answer(200, {"value": "wrong"})
        elif number(key) == 4:
            request.answer(500, {"error": "out of order"})
        elif number(key) == 6:  # a kept-alive connection is closed without an answer
            request.close_connection = True
        else:
            return False
        return True

    handler.spoil = spoil
    load = Load(world, url, 50)
    load.start()
    until(lambda: load.snapshot().total >= 20)
    result = load.finish()
    counts = {failure.what: failure.count for failure in result.errors}
    wrong = counts.pop("GET: 200, but the value is wrong: 'wrong'")
    assert wrong >= 9
    assert counts == {
        "PUT: 500 out of order": 1,
        "PUT: ServerDisconnectedError: Server disconnected": 1,
    }
    assert result.failed == wrong + 2
    assert (result.lost, result.unreadable, result.failed_writes) == (0, 0, 2)
    assert [number(key) for key in asked if number(key) in (4, 6)] == [4, 6]


def test_acknowledged_writes_that_are_missing_or_wrong_are_lost(
    world: World, keeper: tuple[str, type[Keeper]]
) -> None:
    url, handler = keeper
    load = Load(world, url, 100)
    load.start()
    until(lambda: load.snapshot().total >= 30)
    victims = sorted(handler.store)[:3]
    del handler.store[victims[0]], handler.store[victims[1]]
    handler.store[victims[2]] = "something else"
    assert load.finish().lost == 3


def test_what_cannot_be_read_back_is_unreadable_and_not_lost(
    world: World, keeper: tuple[str, type[Keeper]]
) -> None:
    url, handler = keeper

    def only_the_first_page(request: Keeper) -> None:
        first = parse_qs(urlsplit(request.path).query).get("after", [""]) == [""]
        items = dict(sorted(request.store.items())[:10])
        request.answer(200 if first else 503, {"items": items, "more": True})

    load = Load(world, url, 100)
    load.start()
    until(lambda: load.snapshot().total >= 60)
    del handler.store[min(handler.store)]
    setattr(handler, "do_GET", only_the_first_page)  # noqa: B010 # mypy takes it for an override
    result = load.finish(quorum=False)
    assert (result.lost, result.unreadable) == (1, result.acknowledged - 11)
    with pytest.raises(ReporterFailed, match="cannot be read back"):
        load.finish()
    assert "503" in (world.directory / "load.log").read_text()


def test_the_rate_holds_however_slow_the_answers_are(
    world: World, keeper: tuple[str, type[Keeper]]
) -> None:
    url, handler = keeper

    def spoil(_request: Keeper, _key: str) -> bool:
        time.sleep(0.5)
        return False

    handler.spoil = spoil
    load = Load(world, url, 40)
    load.start()
    until(lambda: load.snapshot().at >= 1.0)
    result = load.finish()
    assert result.failed == 0
    assert result.p50_ms >= 500
    assert result.timeline[0].total == 40


def test_a_load_that_died_is_an_error_with_its_log(
    world: World, keeper: tuple[str, type[Keeper]]
) -> None:
    url, _ = keeper
    load = Load(world, url, 10)
    load.start()
    for child in world.processes._children:
        child.kill()

    def dead() -> bool:
        try:
            load.snapshot()
        except ReporterFailed as error:
            return "ended with exit code -9" in str(error)
        return False

    until(dead)
    with pytest.raises(ReporterFailed, match="exit code -9"):
        load.finish()


def test_nobody_answers_is_said_at_the_start(world: World) -> None:
    load = Load(world, f"http://{world.block.balancer}:1", 100)
    with pytest.raises(ReporterFailed, match="is the service up"):
        load.start()


# Against the real service


def test_neither_a_hung_nor_a_dead_leader_costs_a_request(tmp_path: Path) -> None:
    """Nor a lost write; the observer sees the elections, and no loss of the quorum until another
    voter dies."""
    with running(tmp_path, size=3) as fleet:
        observer = Observer(fleet.world, fleet.instances)
        observer.start()
        first = until(lambda: observer.snapshot().leader)
        others = [address for address in fleet.tasks if address != first]
        load = Load(fleet.world, f"http://{first}:8080", 100)
        load.start()
        etcd = fleet.etcd(first)
        assert etcd is not None
        os.kill(etcd, signal.SIGSTOP)
        second = until(lambda: next(iter({observer.snapshot().leader} - {first}), None))
        os.kill(etcd, signal.SIGCONT)
        until(lambda: all(member.answering for member in observer.snapshot().members))
        fleet.kill(second)
        third = until(lambda: next(iter({observer.snapshot().leader} - {second}), None))
        served = load.snapshot().total
        until(lambda: load.snapshot().total > served + 100)
        result = load.finish()
        assert (result.failed, result.lost, result.errors) == (0, 0, ())
        assert result.acknowledged >= 150

        seen = observer.snapshot()
        assert seen.has_quorum
        assert seen.quorum_lost_seconds == 0
        assert seen.leader_changes >= 2
        assert 0.5 < seen.longest_gap_seconds < 10  # etcd waits a second before it elects

        fleet.kill(third)
        until(lambda: not observer.snapshot().has_quorum)
        until(lambda: observer.snapshot().quorum_lost_seconds > 0.3)
        whole = observer.finish()
        assert whole.quorum_lost_seconds > 0.3
        assert [voters.voters for voters in whole.voters] == [tuple(sorted([first, *others]))]
        assert whole.leader_changes == len(whole.leaders) - 1
        assert [led.leader for led in whole.leaders][:2] == [first, second]
