"""The load balancer: a real process in front of real targets."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorumshift.rehearsal.balancer import cookies, state
from quorumshift.rehearsal.balancer.framing import BadFraming, Chunked
from quorumshift.rehearsal.balancer.heads import BadHead, read_request, read_response
from tests.rehearsal.balancer_rig import LISTENER, PORT, Rig, listen

Scenario = Callable[[Rig], Awaitable[None]]


def play(folder: Path, scenario: Scenario, speed: float = 60) -> None:
    """Run a scenario against a fresh process, one minute at most."""

    async def run() -> None:
        async with asyncio.timeout(60), Rig(folder, speed) as rig:
            await scenario(rig)

    asyncio.run(run())


async def two_colours(rig: Rig, **how: Any) -> tuple[str, str]:
    """One healthy target in each of two groups; production weights 100 and 0."""
    blue = (await rig.backend(0, "blue")).address
    green = (await rig.backend(1, "green")).address
    rig.group("blue", blue, **how)
    rig.group("green", green, **how)
    rig.weights(blue=100, green=0)
    await rig.apply()
    await rig.healthy(blue, green)
    return blue, green


async def ask(session: aiohttp.ClientSession, url: str, times: int) -> Counter[str]:
    answers: Counter[str] = Counter()
    for _ in range(times):
        async with session.get(url) as answer:
            assert answer.status == 200
            answers[await answer.text()] += 1
    return answers


async def raw(rig: Rig, *pieces: bytes, until: bytes = b"") -> bytes:
    """Write ``pieces`` to the production listener and read to the end, or to ``until``."""
    reader, writer = await asyncio.open_connection(rig.world.block.balancer, PORT)
    answer = b""
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0.01)
    while (more := await reader.read(65536)) and not (until and until in answer + more):
        answer += more
    writer.close()
    return answer + more


def test_weights_hold_for_every_request(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await two_colours(rig)
        async with aiohttp.ClientSession() as session:
            assert await ask(session, rig.url, 50) == {"blue": 50}
            rig.weights(blue=0, green=100)
            await rig.apply()
            assert await ask(session, rig.url, 50) == {"green": 50}
            rig.weights(blue=70, green=30)
            await rig.apply()
            answers = await ask(session, rig.url, 800)
        assert answers.total() == 800
        assert abs(answers["green"] - 240) < 78  # six standard deviations

    play(tmp_path, scenario)


def test_healthy_targets_take_turns(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        addresses = [(await rig.backend(at, f"t{at}")).address for at in range(3)]
        rig.group("blue", *addresses)
        rig.weights(blue=1)
        await rig.apply()
        await rig.healthy(*addresses)
        async with aiohttp.ClientSession() as session:
            assert await ask(session, rig.url, 30) == {"t0": 10, "t1": 10, "t2": 10}

    play(tmp_path, scenario)


def test_weights_that_change_under_load_cost_no_request_and_no_connection(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await two_colours(rig)
        opened: list[object] = []
        trace = aiohttp.TraceConfig()

        async def note(*_: object) -> None:
            opened.append(None)

        trace.on_connection_create_end.append(note)
        over = asyncio.Event()
        answers: Counter[str] = Counter()

        async def client(session: aiohttp.ClientSession) -> None:
            while not over.is_set():
                async with session.put(rig.url, data=b"") as answer:
                    assert answer.status == 200
                    answers[await answer.text()] += 1

        connector = aiohttp.TCPConnector(limit=6)
        async with (
            aiohttp.ClientSession(connector=connector, trace_configs=[trace]) as session,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(6):
                group.create_task(client(session))
            for turn in range(200):
                rig.weights(blue=100 - turn % 101, green=turn % 101)
                await rig.apply()
            over.set()
        assert len(opened) == 6
        assert answers["blue"] > 50
        assert answers["green"] > 50

    play(tmp_path, scenario)


def test_a_target_that_stops_after_draining_costs_nothing(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        blue, green = await two_colours(rig)
        over = asyncio.Event()
        served = asyncio.Semaphore(0)

        async def client(session: aiohttp.ClientSession) -> None:
            while not over.is_set():
                async with session.post(rig.url, data=b"x") as answer:
                    assert answer.status == 200
                    served.release()

        async def fifty_more() -> None:
            for _ in range(50):
                await served.acquire()

        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(client(session))
            await fifty_more()
            rig.weights(blue=0, green=100)
            rig.group("blue", delay=12.0)
            await rig.apply()
            await rig.until(lambda: rig.health(blue)[-1] == "unused")
            await rig.backends[0].stop()
            while not served.locked():
                await served.acquire()
            await fifty_more()
            over.set()
        assert rig.health(blue) == ["initial", "healthy", "draining", "unused"]
        assert rig.health(green)[-1] == "healthy"

    play(tmp_path, scenario)


def test_sticky_cookies(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        addresses = [(await rig.backend(at, f"t{at}")).address for at in range(3)]
        rig.group("blue", *addresses[:2], sticky=86_400.0)
        rig.group("green", addresses[2], sticky=86_400.0)
        rig.weights(blue=50, green=50, sticky=3600.0)
        await rig.apply()
        await rig.healthy(*addresses)
        for _ in range(6):
            jar = aiohttp.CookieJar(unsafe=True)  # cookies of IP addresses
            async with aiohttp.ClientSession(cookie_jar=jar) as session:
                held = await ask(session, rig.url, 12)
                assert len(held) == 1
                assert {cookie.key for cookie in jar} == {"AWSALB", "AWSALBTG"}
        rig.weights(blue=0, green=100, sticky=3600.0)
        await rig.apply()
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            assert await ask(session, rig.url, 3) == {"t2": 3}
            rig.weights(blue=100, green=0, sticky=3600.0)
            await rig.apply()
            [(first, _)] = (await ask(session, rig.url, 4)).items()  # one of blue's, and the same
            gone = addresses[int(first[1])]
            other = addresses[1 - int(first[1])]
            rig.group("blue", other, sticky=86_400.0)
            await rig.apply()
            assert list(await ask(session, rig.url, 4)) == [f"t{addresses.index(other)}"]
            assert rig.health(gone)[-1] == "draining"

    play(tmp_path, scenario)


def test_a_cookie_ends_with_its_time() -> None:
    lasting = cookies.make(b"AWSALB", "a|b", 60).partition(b";")[0]
    assert cookies.read(b"x=1; " + lasting, b"AWSALB") == "a|b"
    assert cookies.read(lasting, b"AWSALBTG") is None
    stale = cookies.make(b"AWSALB", "a|b", -1).partition(b";")[0]
    assert cookies.read(stale, b"AWSALB") is None
    assert cookies.read(b"AWSALB=%%%; AWSALB2=1", b"AWSALB") is None


def test_websockets_outlive_weights_and_end_with_the_deregistration_delay(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        blue, _ = await two_colours(rig, delay=60.0)
        rig.backends[0].delay = 1.8  # longer than the delay, which is scaled, takes in real time
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(rig.url + "/ws") as link,
        ):
            assert await link.receive_str() == "blue"
            slow = asyncio.create_task(ask(session, rig.url, 1))
            while not rig.backends[0].seen:
                await asyncio.sleep(0.01)
            rig.weights(blue=0, green=100)
            rig.group("blue", delay=60.0)
            await rig.apply()
            await link.send_str("still here")
            assert await link.receive_str() == "still here"
            assert await ask(session, rig.url, 10) == {"green": 10}
            async with asyncio.timeout(3):
                assert (await link.receive()).type is aiohttp.WSMsgType.CLOSED
            assert rig.health(blue)[-1] == "draining"
            assert not slow.done()
            assert await slow == {"blue": 1}
        await rig.until(lambda: rig.health(blue)[-1] == "unused")
        assert rig.process.poll() is None

    play(tmp_path, scenario)


def test_health_follows_the_thresholds(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        check = state.HealthCheck("/health", 0, 30.0, 5.0, 2, 3, "200-204,301")
        target, other = await rig.backend(0, "ill"), await rig.backend(1, "dead")
        rig.group("blue", target.address, other.address, health=check)
        rig.weights(blue=1)
        await rig.apply()
        await rig.healthy(target.address, other.address)
        await other.stop()
        target.status = 500
        for one in (target, other):
            await rig.until(lambda: rig.health(one.address)[-1] == "unhealthy")  # noqa: B023 # awaited at once
        target.status = 204
        await rig.healthy(target.address)
        said = {
            (one["id"], one["state"]): (one["reason"], one["description"])
            for one in rig.heard("health")
        }
        assert said[target.address, "initial"][0] == "Elb.InitialHealthChecking"
        assert said[target.address, "healthy"] == ("", "")
        assert said[target.address, "unhealthy"] == (
            "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [500]",
        )
        assert said[other.address, "unhealthy"] == (
            "Target.FailedHealthChecks",
            "Health checks failed",
        )

    play(tmp_path, scenario, speed=240)


def test_a_target_that_is_still_starting_is_not_unhealthy(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        address = rig.world.block.task(0)
        rig.group("blue", address)
        rig.weights(blue=1)
        await rig.apply()
        await asyncio.sleep(0.8)  # six checks
        assert rig.health(address) == ["initial"]
        await rig.backend(0, "late")
        await rig.healthy(address)
        assert rig.health(address) == ["initial", "healthy"]

    play(tmp_path, scenario, speed=240)


def test_a_group_that_no_listener_uses_is_not_checked(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        _, green = await two_colours(rig)
        rig.group("green", green, used=False)
        await rig.apply()
        assert rig.health(green) == ["initial", "healthy", "unused"]
        rig.group("green", green)
        await rig.apply()
        await rig.healthy(green)
        assert rig.health(green)[2:] == ["unused", "initial", "healthy"]

    play(tmp_path, scenario)


def test_503_when_nobody_can_be_asked_and_all_when_all_are_unhealthy(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        rig.group("blue")
        rig.weights(blue=1)
        await rig.apply()
        async with aiohttp.ClientSession() as session:
            async with session.get(rig.url) as answer:
                assert answer.status == 503
                assert answer.headers["Server"] == "awselb/2.0"
            ill = [await rig.backend(at, f"ill{at}", status=500) for at in range(2)]
            rig.group("blue", *(one.address for one in ill))
            await rig.apply()
            for one in ill:
                await rig.until(lambda: rig.health(one.address)[-1] == "unhealthy")  # noqa: B023 # awaited at once
            assert await ask(session, rig.url, 4) == {"ill0": 2, "ill1": 2}

    play(tmp_path, scenario, speed=240)


def test_a_refused_connection_goes_elsewhere_and_a_cut_one_is_502(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        targets = [await rig.backend(at, f"t{at}") for at in range(2)]
        addresses = [target.address for target in targets]
        check = state.HealthCheck("/health", 0, 3600.0, 5.0, 2, 10, "200")
        rig.group("blue", *addresses, health=check)
        rig.weights(blue=1)
        await rig.apply()
        await rig.healthy(*addresses)
        await targets[0].stop()
        async with aiohttp.ClientSession() as session:
            assert await ask(session, rig.url, 6) == {"t1": 6}
            async with session.get(rig.url + "/cut") as answer:
                assert answer.status == 502
            assert [one["path"] for one in targets[1].seen].count("/cut") == 1  # never sent twice
            await targets[1].stop()
            async with session.get(rig.url) as answer:
                assert answer.status == 502
        await rig.until(lambda: own_answers(rig, "502") == 2)
        assert total(rig, "refused") >= 4

    play(tmp_path, scenario, speed=240)


def test_what_does_not_move_for_the_idle_timeout_is_ended(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        rig.idle_timeout = 0.5
        await two_colours(rig)
        rig.backends[0].delay = 30
        async with aiohttp.ClientSession() as session:
            waiting = asyncio.open_connection(rig.world.block.balancer, PORT)
            reader, writer = await waiting
            async with session.get(rig.url) as answer:
                assert answer.status == 504
            assert await reader.read() == b""  # a client that asked nothing is sent away
            writer.close()

    play(tmp_path, scenario)


def test_bodies_stream_both_ways(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await two_colours(rig)
        body = bytes(range(256)) * 20_000
        async with aiohttp.ClientSession() as session:
            async with session.put(rig.url, data=body) as answer:
                assert await answer.read() == body

            async def pieces() -> Any:
                for at in range(0, len(body), 100_000):
                    yield body[at : at + 100_000]

            async with session.put(rig.url, data=pieces()) as answer:  # chunked
                assert await answer.read() == body
            async with session.get(rig.url + "/stream") as answer:
                assert answer.headers["Transfer-Encoding"] == "chunked"
                assert len(await answer.read()) == 1_000_000
            async with session.head(rig.url) as answer:
                assert (answer.status, await answer.read()) == (200, b"")
            assert await ask(session, rig.url, 3) == {"blue": 3}
        headers = rig.backends[0].seen[0]
        assert headers["X-Forwarded-For"] == "127.0.0.1"
        assert (headers["X-Forwarded-Port"], headers["X-Forwarded-Proto"]) == ("8080", "http")

    play(tmp_path, scenario)


def test_raw_http(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await two_colours(rig)
        get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        last = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        assert (await raw(rig, get + get + last)).count(b"\r\n\r\nblue") == 3  # pipelined
        assert b"\r\n\r\nblue" in await raw(rig, *(last[at : at + 7] for at in range(0, 60, 7)))
        assert (await raw(rig, b"GET / HTTP/1.0\r\n\r\n")).endswith(b"\r\n\r\nblue")
        wants = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        assert (await raw(rig, wants, until=b"Continue\r\n\r\n")).startswith(b"HTTP/1.1 100")
        both = (
            b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        assert (await raw(rig, both)).startswith(b"HTTP/1.1 400")
        assert (await raw(rig, b"GET / HTTP/3\r\n\r\n")).startswith(b"HTTP/1.1 505")
        broken = b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n"
        assert (await raw(rig, broken)).startswith(b"HTTP/1.1 400")
        async with aiohttp.ClientSession() as session:
            assert await ask(session, rig.url, 2) == {"blue": 2}

    play(tmp_path, scenario)


def test_rules_and_fixed_responses(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await two_colours(rig)
        default = rig.rules
        green = state.Action((state.Share("green", 1),), 0, 0, "", "")
        fixed = state.Action((), 0, 418, "tea", "text/plain")
        path = state.Condition("path-pattern", "", ("/new/*", "/n?w"))
        method = state.Condition("http-request-method", "", ("DELETE",))
        header = state.Condition("http-header", "X-Colour", ("GR*",))
        rules = [((path,), green), ((method,), fixed), ((header,), green)]
        rig.rules = tuple(state.Rule(conditions, action) for conditions, action in rules) + default
        await rig.apply()
        async with aiohttp.ClientSession() as session:
            assert await ask(session, rig.url + "/new/thing?a=1", 2) == {"green": 2}
            assert await ask(session, rig.url + "/naw", 2) == {"green": 2}
            assert await ask(session, rig.url + "/New/thing", 2) == {"blue": 2}
            async with session.delete(rig.url) as answer:
                assert (answer.status, await answer.text()) == (418, "tea")
            async with session.get(rig.url, headers={"x-colour": "green"}) as answer:
                assert await answer.text() == "green"

    play(tmp_path, scenario)


def total(rig: Rig, key: str, group: str = "blue") -> Any:
    return sum(one["groups"].get(group, {}).get(key, 0) for one in rig.heard("metrics"))


def timed(rig: Rig) -> Any:
    groups = (one["groups"].get("blue") for one in rig.heard("metrics"))
    return sum(group["time"]["count"] for group in groups if group)


def own_answers(rig: Rig, status: str) -> Any:
    own = [one["balancers"]["app/lb/1"]["own"] for one in rig.heard("metrics")]
    return sum(one.get(status, 0) for one in own)


def test_metrics_count_every_request_once(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await two_colours(rig)
        rig.backends[0].delay = 0.02
        async with aiohttp.ClientSession() as session:
            await ask(session, rig.url, 40)
        await rig.until(lambda: timed(rig) == 40)  # the last one may be answered a period later
        buckets = [one["bucket"] for one in rig.heard("metrics")]
        assert buckets == sorted(set(buckets))
        every = [one["groups"] for one in rig.heard("metrics")]
        groups = [one["blue"] for one in every if "blue" in one]
        times = [one["time"] for one in groups]
        assert total(rig, "requests") == 40
        assert 0.8 < sum(one["sum"] for one in times) < 4
        assert min(one["minimum"] for one in times if one["count"]) >= 0.02
        assert sum(one["codes"].get("2", 0) for one in groups) == 40
        assert groups[-1]["healthy"]["maximum"] == 1
        assert groups[-1]["unhealthy"]["maximum"] == 0
        assert total(rig, "requests", "green") == 0

    play(tmp_path, scenario, speed=300)


def test_a_busy_port_is_refused_by_name_and_had_later(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        blue = await rig.backend(0, "blue")
        rig.group("blue", blue.address)
        rig.weights(blue=1)
        with contextlib.closing(listen(rig.world.block.balancer, PORT)):
            await rig.apply()
            applied = rig.applied()
            assert applied is not None
            assert applied["refused"] == [
                {"listener": LISTENER, "port": PORT, "error": "Address already in use"}
            ]
        await rig.apply()
        await rig.healthy(blue.address)
        async with aiohttp.ClientSession() as session:
            await ask(session, rig.url, 1)
            await rig.apply(listeners=False)
            with pytest.raises(aiohttp.ClientConnectionError):
                await ask(session, rig.url, 1)

    play(tmp_path, scenario)


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=5), st.data())
def test_chunks_end_where_they_end_however_they_are_cut(
    chunks: list[bytes], data: st.DataObject
) -> None:
    body = b"".join(b"%x;e=1\r\n%b\r\n" % (len(one), one) for one in chunks)
    body += b"0\r\nTrailer: x\r\n\r\n"
    stream = body + b"GET / next"
    framing, seen = Chunked(), 0
    while not framing.done:
        piece = stream[seen : seen + data.draw(st.integers(1, len(stream)))]
        end = framing.feed(piece, 0)
        seen += end
        assert framing.done or end == len(piece)
    assert seen == len(body)


def test_heads_that_could_smuggle_are_refused() -> None:
    for head, status in (
        (b"GET / HTTP/1.1", 400),
        (b"GET  / HTTP/1.1\r\nHost: a", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n folded", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 1", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked", 501),
    ):
        with pytest.raises(BadHead) as refused:
            read_request(head)
        assert refused.value.status == status
    with pytest.raises(BadHead):
        read_response(b"SMTP ready", b"GET")
    with pytest.raises(BadFraming):
        Chunked().feed(b"1\r\nab\r\n", 0)


def test_what_concerns_one_connection_is_not_passed_on() -> None:
    request = read_request(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\n"
        b"X-Other: 2\r\nKeep-Alive: 5\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Port: 1"
    )
    head = request.to_target(b"9.9.9.9", b"8080")
    assert head == (
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Other: 2\r\nX-Forwarded-For: 1.2.3.4, 9.9.9.9\r\n"
        b"X-Forwarded-Proto: http\r\nX-Forwarded-Port: 8080\r\n\r\n"
    )
    answer = read_response(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0", b"GET")
    assert not answer.reusable
    assert answer.to_client(True, True, []) == b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    endless = read_response(b"HTTP/1.1 200 OK", b"GET")
    assert endless.endless
    assert not read_response(b"HTTP/1.1 304 Not Modified", b"GET").endless
