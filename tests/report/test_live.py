"""What a person sees while a rehearsal runs: lines in a log, or one picture on a terminal."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.load import LoadSnapshot
from quorumshift.rehearsal.players import PlayersSnapshot
from quorumshift.rehearsal.world import World
from quorumshift.report.live import Kept, Log
from quorumshift.report.terminal import Terminal
from tests.rehearsal.fleet import until

LOAD = LoadSnapshot(5.0, 1234, 0, 3.5, 12.25, 200.0, {"1": 100}, None, 1.7e9, ())
PLAYERS = PlayersSnapshot(
    at=5.0,
    began=1.7e9,
    count=300,
    connected=299,
    versions={"1": 210, "2": 91},
    nodes={"127.71.1.10": 210, "127.71.1.13": 91},
    told=80,
    broken=2,
    left=10,
    longest_gap_seconds=0.25,
    long_gaps=0,
    sent=250,
    acknowledged=249,
    nacked=0,
    waiting=1,
    last_error=None,
)
SAID = "299 of 300 connected (210 blue, 91 green), 82 reconnects, longest gap 0.25 s"


def rehearsal(world: World, *, players: bool) -> Any:
    """As far as a view looks at one."""
    return SimpleNamespace(
        world=world,
        observer=None,
        load=SimpleNamespace(snapshot=lambda: LOAD),
        players=SimpleNamespace(snapshot=lambda: PLAYERS) if players else None,
    )


@pytest.fixture
def world(tmp_path: Path) -> Any:
    world = World(block=take_block(), speed=60.0, directory=tmp_path)
    yield world
    world.processes.close()
    world.block.lock.close()


@pytest.mark.parametrize("players", [True, False])
def test_a_log_tells_the_figures_now_and_then(
    world: World, players: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Log, "EVERY_SECONDS", 0.05)
    stream = io.StringIO()
    log = Log(rehearsal(world, players=players), stream)
    until(lambda: stream.getvalue().count("load") > 2)
    log.close()
    lines = [line.partition(" s  ")[2] for line in stream.getvalue().splitlines()]
    assert lines[0] == "load        1,234 requests, 0 failed, 99th percentile 12.2 ms"
    assert (f"players     {SAID}" in lines) is players


@pytest.mark.parametrize("players", [True, False])
def test_the_picture_holds_the_players_where_there_are_any(world: World, players: bool) -> None:
    stream = io.StringIO()
    terminal = Terminal(rehearsal(world, players=players), stream)
    terminal.close()
    console = Console(file=io.StringIO(), width=120, record=True)
    console.print(terminal._picture())
    text = console.export_text()
    assert "1,234 requests, 0 failed" in text
    assert (f"players   {SAID}" in text) is players


def test_a_rehearsal_that_stays_up_tells_whole_messages(world: World) -> None:
    stream = io.StringIO()
    kept = Kept(rehearsal(world, players=False), stream)
    world.events.say("notification", "sample: started", message="app:2 is deployed.\nNext: watch")
    world.events.say("load", "nobody needs this")
    world.events.say("error", "ecs:RunTask is not part of the rehearsal")
    kept.close()
    world.events.say("error", "too late")
    lines = [line.partition(" s  ")[2] or line.strip() for line in stream.getvalue().splitlines()]
    assert lines == [
        "message     sample: started",
        "app:2 is deployed.",
        "Next: watch",
        "ERROR       ecs:RunTask is not part of the rehearsal",
    ]
