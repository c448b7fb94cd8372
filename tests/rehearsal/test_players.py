"""The players: what they do and count, with a server that misbehaves and a load balancer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.players import ANSWER_SECONDS, Players, PlayersResult
from quorumshift.rehearsal.players.tally import Cause, Presence, Tally
from quorumshift.rehearsal.read_back import value_of
from quorumshift.rehearsal.reporting import ReporterFailed
from quorumshift.rehearsal.world import World
from tests.rehearsal.arcade import Arcade
from tests.rehearsal.balancer_rig import PORT, Rig
from tests.rehearsal.fleet import until

FOR_EVER = (600.0, 600.0)

# The counts


def test_a_gap_is_the_time_without_any_connection() -> None:
    tally = Tally(2, 0.0)
    tally.opened(1, "1", "a", 0.0, None)
    tally.opened(2, "1", "a", 0.0, None)
    tally.opened(1, "2", "g", 5.0, Cause.TOLD)
    tally.closed(1, "1", "a", 5.5, wanted=False)
    seen = tally.snapshot(6.0, 0)
    assert (seen.longest_gap_seconds, seen.told, seen.connected) == (0.0, 1, 2)
    assert (seen.versions, seen.nodes) == ({"1": 1, "2": 1}, {"a": 1, "g": 1})

    tally.closed(2, "1", "a", 7.0, wanted=False)
    assert tally.snapshot(7.5, 0).longest_gap_seconds == 0.5
    running = tally.snapshot(8.25, 0)
    assert (running.longest_gap_seconds, running.long_gaps, running.connected) == (1.25, 1, 1)
    tally.opened(2, "2", "g", 9.5, Cause.BROKEN)
    tally.closed(1, "2", "g", 10.0, wanted=False)
    tally.opened(1, "2", "g", 10.25, Cause.BROKEN)
    seen = tally.snapshot(20.0, 0)
    assert (seen.longest_gap_seconds, seen.long_gaps, seen.broken, seen.reconnects) == (
        2.5,
        1,
        2,
        3,
    )


def test_who_leaves_by_itself_has_no_gap() -> None:
    tally = Tally(2, 0.0)
    tally.opened(1, "1", "a", 0.0, None)
    tally.gone(1)
    tally.closed(1, "1", "a", 1.0, wanted=True)
    tally.opened(2, "1", "a", 1.0, None)
    tally.closed(2, "1", "a", 2.0, wanted=False)
    tally.gone(2)
    seen = tally.snapshot(9.0, 0)
    assert (seen.left, seen.longest_gap_seconds, seen.connected, seen.versions) == (2, 0.0, 0, {})


def test_the_timeline_has_every_second_once() -> None:
    tally = Tally(1, 0.0)
    tally.tick(0)
    tally.opened(1, "1", "a", 0.2, None)
    tally.tick(0)
    tally.tick(1)
    tally.opened(1, "2", "g", 1.1, Cause.TOLD)
    tally.tick(2)
    result = tally.result(tally.snapshot(2.5, 0), 2.5, 0, 0, 0)
    assert result.timeline == (
        Presence(0, {}),
        Presence(1, {"1": 1}),
        Presence(2, {"1": 1, "2": 1}),
    )


# Against a server that misbehaves


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(block=take_block(), speed=60.0, directory=tmp_path)
    yield world
    world.processes.close()
    world.block.lock.close()


@pytest.fixture
def arcade(world: World) -> Iterator[Arcade]:
    with Arcade(world.block.balancer) as arcade:
        yield arcade


def started(
    world: World,
    arcade: Arcade,
    count: int = 6,
    pace: float = 60,
    session: tuple[float, float] = FOR_EVER,
    patience: float = ANSWER_SECONDS,
) -> Players:
    players = Players(world, arcade.url, count, pace, session, patience)
    players.start()
    return players


def whys(result: PlayersResult) -> dict[str, int]:
    return {failure.what: failure.count for failure in result.errors}


def check_exactly_once(arcade: Arcade, result: PlayersResult) -> None:
    """Every command was acknowledged once, and is kept with the value that was given."""
    assert (result.lost, result.unreadable, result.unanswered, result.nacked) == (0, 0, 0, 0)
    assert arcade.store == {key: value_of(key) for key in arcade.store}
    assert result.acknowledged == result.sent == len(arcade.store)
    assert result.resent >= len(arcade.heard) - len(arcade.store)


def test_all_of_them_stay_and_play(world: World, arcade: Arcade) -> None:
    players = started(world, arcade, count=20)
    until(lambda: players.snapshot().acknowledged >= 60)
    seen = players.snapshot()
    assert (seen.count, seen.connected) == (20, 20)
    assert (seen.versions, seen.nodes) == ({"1": 20}, {"a": 20})
    assert len(arcade.open) == 20
    result = players.finish()
    check_exactly_once(arcade, result)
    assert (result.reconnects, result.left, result.longest_gap_seconds) == (0, 0, 0.0)
    assert (result.connected, result.versions, result.errors) == (20, {"1": 20}, ())
    assert result.timeline[-1].versions == {"1": 20}
    seconds = [each.at for each in result.timeline]
    assert seconds == sorted(set(seconds))
    assert 0 < result.longest_entry_seconds < 5
    assert abs(result.began - time.time()) < 60
    assert players.finish() == result


def test_the_pace_is_kept_and_every_player_gives_its_share(world: World, arcade: Arcade) -> None:
    players = started(world, arcade, count=10, pace=100)
    until(lambda: players.snapshot().at >= 2.0)
    result = players.finish()
    assert result.sent == pytest.approx(100 * len(result.timeline), rel=0.5)
    numbers = sorted(int(key.rpartition("-")[2]) for key, _ in arcade.heard)
    first_full_round = next(n for n in numbers if n % 10 == 0 and n > 100)
    assert set(range(first_full_round, numbers[-1])) <= set(numbers)


def test_told_to_go_they_are_never_without_a_connection(world: World, arcade: Arcade) -> None:
    """And they leave the old one only when it owes them no answer."""
    arcade.linger = 0.2
    players = started(world, arcade)
    until(lambda: players.snapshot().waiting)
    arcade.version, arcade.node = "2", "g"
    arcade.drain()
    until(lambda: players.snapshot().versions == {"2": 6})
    until(lambda: set(arcade.open.values()) == {"g"})
    result = players.finish()
    check_exactly_once(arcade, result)
    assert (result.told, result.broken, result.resent) == (6, 0, 0)
    assert (result.longest_gap_seconds, result.long_gaps, result.errors) == (0.0, 0, ())
    assert result.versions == {"2": 6}


def test_what_an_old_connection_did_not_answer_goes_out_again_over_the_new(
    world: World, arcade: Arcade
) -> None:
    arcade.spoil = lambda _number, _id: "mute"
    players = started(world, arcade, pace=30)
    until(lambda: players.snapshot().waiting >= 6)
    arcade.spoil = lambda _number, _id: ""
    arcade.version, arcade.node = "2", "g"
    old = {key for key, _ in arcade.heard}
    arcade.drain()
    until(lambda: players.snapshot().versions.get("2") == 6)
    assert players.snapshot().versions["1"], "it still owes answers"
    arcade.close("a")
    until(lambda: players.snapshot().versions == {"2": 6})
    result = players.finish()
    check_exactly_once(arcade, result)
    assert old <= {key for key, node in arcade.heard if node == "g"}
    assert (result.told, result.broken, result.longest_gap_seconds) == (6, 0, 0.0)
    assert result.resent == len(arcade.heard) - len(arcade.store) >= len(old)
    assert result.errors == (), "what was told to end may end"


def test_a_connection_that_is_closed_without_a_word_before_is_broken(
    world: World, arcade: Arcade
) -> None:
    players = started(world, arcade)
    arcade.close("a")
    until(lambda: players.snapshot().broken == 6)
    result = players.finish()
    check_exactly_once(arcade, result)
    assert whys(result) == {"connection: closed with code 1011": 6}


def test_a_broken_connection_is_replaced_at_once(world: World, arcade: Arcade) -> None:
    players = started(world, arcade)
    until(lambda: players.snapshot().at > 1.5)  # all are settled
    assert arcade.drop() == 6
    until(lambda: players.snapshot().broken == 6)
    result = players.finish()
    check_exactly_once(arcade, result)
    assert (result.told, result.broken, result.connected) == (0, 6, 6)
    assert 0 < result.longest_gap_seconds < 1
    assert whys(result) == {"connection: closed with no word": 6}
    assert result.errors[0].at > 1.5


def test_a_command_whose_connection_broke_is_done_once(world: World, arcade: Arcade) -> None:
    def spoil(_number: int, id: str) -> str:
        return "drop" if id.endswith(("25", "75")) and id not in arcade.store else ""

    arcade.spoil = spoil
    players = started(world, arcade)
    until(lambda: len(arcade.store) >= 200)
    result = players.finish()
    check_exactly_once(arcade, result)
    again = [id for id, _ in arcade.heard if id.endswith(("25", "75"))]
    assert len(again) == 2 * len(set(again)), "heard once more, and only once"
    assert min(result.broken, result.resent) >= len(set(again)) >= 3


def test_a_way_in_that_is_shut_is_tried_with_patience(world: World, arcade: Arcade) -> None:
    players = started(world, arcade)
    arcade.refusing = True
    arcade.drop()
    tries = len(arcade.cookies)
    until(lambda: players.snapshot().longest_gap_seconds > 1.5)
    seen = players.snapshot()
    assert (seen.connected, seen.broken, seen.long_gaps, seen.versions) == (0, 0, 6, {})
    assert seen.last_error == "connecting: status 503"
    assert seen.waiting, "what they want to say waits"
    assert 6 * 3 <= len(arcade.cookies) - tries <= 6 * 12
    arcade.refusing = False
    until(lambda: players.snapshot().broken == 6)
    result = players.finish()
    check_exactly_once(arcade, result)
    assert result.longest_gap_seconds > 1.5
    assert result.long_gaps == 6


def test_a_connection_that_begins_badly_is_a_failure(world: World, arcade: Arcade) -> None:
    arcade.silent = 1
    players = Players(world, arcade.url, 2, session=FOR_EVER, patience=2)
    with pytest.raises(AssertionError):
        until(lambda: arcade.silent == 0, 0.1)
    players.start()  # the one that is not welcomed comes back after the time-out
    result = players.finish()
    assert whys(result) == {"connecting: no answer within 2 s": 1}
    assert result.longest_entry_seconds > 2
    assert result.longest_gap_seconds == 0.0, "it was not in yet"


def test_refusals_losses_and_wrong_values_count(world: World, arcade: Arcade) -> None:
    how = {7: "nack", 11: "lose", 13: "garble", 17: "twice", 19: "noise", 23: "nack"}
    arcade.spoil = lambda number, _id: how.get(number, "")
    players = started(world, arcade)
    until(lambda: len(arcade.heard) >= 40)
    result = players.finish()
    assert (result.nacked, result.lost, result.unanswered) == (2, 2, 0)
    assert result.acknowledged == result.sent - 2
    assert whys(result) == {"refused: the snake is dead": 2}
    assert (result.reconnects, result.connected) == (0, 6)


def test_a_connection_that_does_not_answer_is_given_up(world: World, arcade: Arcade) -> None:
    arcade.spoil = lambda number, _id: "mute" if number == 5 else ""
    players = started(world, arcade, count=60, pace=10, patience=2)  # its next word: 6 s later
    until(lambda: players.snapshot().broken)
    result = players.finish()
    check_exactly_once(arcade, result)
    assert whys(result) == {"connection: no answer within 2 s": 1}
    assert (result.broken, result.resent) == (1, 1)


def test_what_is_never_answered_is_said(world: World, arcade: Arcade) -> None:
    players = started(world, arcade)
    arcade.spoil = lambda _number, _id: "mute"
    until(lambda: players.snapshot().waiting >= 6)
    result = players.finish(quorum=False)
    assert result.unanswered >= 6
    assert result.sent == result.acknowledged + result.unanswered


def test_players_come_and_go_without_an_interruption(world: World, arcade: Arcade) -> None:
    arcade.cookie = "here"
    players = started(world, arcade, count=10, pace=100, session=(0.2, 0.6))
    until(lambda: players.snapshot().left >= 30)
    seen = players.snapshot()
    assert seen.connected >= 5
    result = players.finish()
    check_exactly_once(arcade, result)
    assert (result.reconnects, result.longest_gap_seconds, result.errors) == (0, 0.0, ())
    assert arcade.cookies == [{}] * len(arcade.cookies), "new players have no cookies"
    assert len(arcade.cookies) >= 40


def test_a_player_keeps_its_cookies(world: World, arcade: Arcade) -> None:
    arcade.cookie = "here"
    players = started(world, arcade)
    arcade.cookie = ""
    arcade.drain()
    until(lambda: players.snapshot().told == 6)
    arcade.drop()
    until(lambda: players.snapshot().broken >= 6)
    players.finish()
    assert arcade.cookies[:6] == [{}] * 6
    assert arcade.cookies[6:18] == [{"sticky": "here"}] * 12


def test_what_cannot_be_read_back_is_unreadable_and_not_lost(world: World) -> None:
    with Arcade(world.block.balancer) as arcade:
        players = started(world, arcade)
        until(lambda: players.snapshot().acknowledged >= 10)
    until(lambda: players.snapshot().connected == 0)
    result = players.finish(quorum=False)
    assert (result.lost, result.unreadable) == (0, result.acknowledged)
    assert result.acknowledged >= 10
    assert result.connected == 0
    with pytest.raises(ReporterFailed, match="cannot be read back"):
        players.finish()
    assert "cannot be read back from the start" in (world.directory / "players.log").read_text()


def test_nobody_there_is_said_at_the_start(
    world: World, arcade: Arcade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quorumshift.rehearsal.players._START_SECONDS", 1.0)
    arcade.refusing = True
    players = Players(world, arcade.url, 3)
    with pytest.raises(
        ReporterFailed, match=r"0 of 3 players.*status 503.*does it take WebSockets"
    ):
        players.start()


def test_players_whose_process_died_are_an_error_with_their_log(
    world: World, arcade: Arcade
) -> None:
    players = started(world, arcade)
    for child in world.processes._children:
        child.kill()

    def dead() -> bool:
        try:
            players.snapshot()
        except ReporterFailed as error:
            return "ended with exit code -9" in str(error)
        return False

    until(dead)
    with pytest.raises(ReporterFailed, match="exit code -9"):
        players.finish()


# Through the load balancer


def test_a_shift_moves_them_with_the_weights_and_a_drain_moves_the_rest(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        block = rig.world.block
        with (
            Arcade(block.task(0), PORT, "1", "b1") as one,
            Arcade(block.task(1), PORT, "1", "b2", one.store) as two,
            Arcade(block.task(2), PORT, "2", "g1", one.store) as green,
        ):
            rig.group("blue", one.address, two.address, sticky=86400.0)
            rig.group("green", green.address, sticky=86400.0)
            rig.weights(blue=100, green=0)
            await rig.apply()
            await rig.healthy(one.address, two.address, green.address)
            players = Players(rig.world, rig.url, 20, 40, FOR_EVER)
            await asyncio.to_thread(players.start)
            assert players.snapshot().nodes == {"b1": 10, "b2": 10}

            broken = one.drop()
            await asyncio.to_thread(until, lambda: players.snapshot().broken == broken == 10)
            assert players.snapshot().nodes == {"b1": 10, "b2": 10}, "the cookie holds each"

            rig.weights(blue=0, green=100)
            await rig.apply()
            sent = players.snapshot().acknowledged
            await asyncio.to_thread(until, lambda: players.snapshot().acknowledged > sent + 40)
            assert players.snapshot().versions == {"1": 20}, "who is connected stays"

            one.drain()
            await asyncio.to_thread(until, lambda: players.snapshot().nodes.get("g1") == 10)
            two.drain()
            await asyncio.to_thread(until, lambda: players.snapshot().nodes == {"g1": 20})
            result = await asyncio.to_thread(players.finish)
            assert (result.told, result.broken, result.connected) == (20, 10, 20)
            assert result.versions == {"2": 20}
            assert (result.lost, result.unanswered, result.nacked) == (0, 0, 0)
            assert result.acknowledged == result.sent == len(one.store)
            assert result.longest_gap_seconds < 1
            assert whys(result) == {"connection: closed with no word": 10}

    async def play() -> None:
        async with Rig(tmp_path) as rig:
            await scenario(rig)

    asyncio.run(play())


def test_a_target_that_ends_is_left_for_another(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        block = rig.world.block
        with Arcade(block.task(1), PORT, "2", "g1") as green:
            with Arcade(block.task(0), PORT, "1", "b1", green.store) as blue:
                rig.group("all", blue.address, green.address, sticky=86400.0)
                rig.weights(all=100)
                await rig.apply()
                await rig.healthy(blue.address, green.address)
                players = Players(rig.world, rig.url, 10, 40, FOR_EVER)
                await asyncio.to_thread(players.start)
                assert players.snapshot().nodes == {"b1": 5, "g1": 5}
            await asyncio.to_thread(until, lambda: players.snapshot().nodes == {"g1": 10})
            result = await asyncio.to_thread(players.finish)
            assert result.broken == 5
            assert (result.lost, result.unanswered) == (0, 0)
            assert result.acknowledged == result.sent == len(green.store)

    async def play() -> None:
        async with Rig(tmp_path) as rig:
            await scenario(rig)

    asyncio.run(play())
