"""The picture of a deployment at several moments of recorded ones: a function of what was told."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from quorumshift.domain.chronicle import Chronicle
from quorumshift.report.drawing import can_draw
from quorumshift.report.picture import Drawn, Picture, Scene, scene
from tests.report.recorded import Told, replayed, stands_in_the_docs


def seen(told: Told) -> Scene:
    return scene(told.execution, told.chronicle, told.chronicle.news[-1].at)


def drawn(seen: Scene, after: float = 1.0, width: int = 80, height: int = 40) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, height=height, force_terminal=True, color_system=None
    )
    console.print(Picture(seen, seen.seen + after))
    return stream.getvalue()


def test_before_anything_is_known() -> None:
    told = replayed("deployed", "Receive")
    text = drawn(scene(told.execution, Chronicle(), told.execution.started))
    assert "Under way" in text
    assert "image v1" in text
    assert "quorumshift stop github-1001-deploy" in text


def test_while_a_commit_is_built() -> None:
    told = replayed("deployed", "Receive")
    told.chronicle.document = {"build": {"id": "b:1", "status": "running", "phase": "BUILD"}}
    assert "build    b:1 running, phase BUILD" in drawn(seen(told))
    told.chronicle.document = {**told.chronicle.document, "revision": {"to": "app:2"}}
    assert "build " not in drawn(seen(told))


def test_while_the_cluster_is_verified() -> None:
    text = drawn(seen(replayed("deployed", "VerifyRaft")), after=65)
    assert "RegisterTaskDefinition → VerifyRaft for 1:05" in " ".join(text.split())
    assert "sample:2 → sample:3" in text
    assert "traffic" not in text


def test_while_the_traffic_moves() -> None:
    told = replayed("deployed", "WaitForDeployment", times=8)
    text = drawn(seen(told))
    assert "▶ AllowTraffic" in text
    assert "✔ BeforeAllowTraffic" in text
    assert "· AfterAllowTraffic" in text
    traffic = next(line for line in text.splitlines() if "traffic  █" in line)
    weights = told.record["traffic"]
    assert f"blue {weights['blue']:g} %, green {weights['green']:g} %" in traffic
    assert traffic.count("▒") == round(40 * weights["green"] / 100)
    assert traffic.count("█") + traffic.count("▒") == 40
    assert "AfterInstall yes" in text
    assert "4 quiet" in text
    assert "3 voters: 127.71.2.13 (leader), 127.71.2.14, 127.71.2.15" in text
    assert "learner" not in text


def test_while_the_votes_move() -> None:
    told = replayed("deployed", "VerifyOutcome")
    news = [one.text for one in told.chronicle.news if one.kind == "votes"]
    assert news[0] == "3 blue"
    assert news[-1] == "3 green"
    text = drawn(seen(told))
    assert "green    3 voters: 127.71.2.16 (leader), 127.71.2.17, 127.71.2.18" in text
    assert "│ blue " not in text
    text = drawn(seen(replayed("deployed", "WaitForDeployment", times=15)))
    assert "blue     3 voters: 127.71.2.13 (leader), 127.71.2.14, 127.71.2.15" in text
    assert "green    1 voter: 127.71.2.16" in text


def test_the_picture_in_the_docs_is_what_the_command_draws() -> None:
    told = replayed("deployed", "WaitForDeployment", times=17)
    stands_in_the_docs("picture.txt", drawn(seen(told), height=22))


def test_while_it_is_rolled_back_who_votes_is_as_the_roll_back_sees_it() -> None:
    text = drawn(seen(replayed("stopped", "WaitForRollback", times=2)))
    assert "roll-back  the votes are being handed back to blue" in text
    assert "blue       2 voters: 127.71.2.19, 127.71.2.21" in text
    assert "others     1 learner: 127.71.2.24" in text


def test_a_hook_that_says_no_and_the_end() -> None:
    text = drawn(seen(replayed("stopped")))
    assert text.startswith("╭─ Rolled back · github-1003-deploy · 0:34 ─")
    assert "AfterAllowTraffic NO" in text
    flat = " ".join(text.replace("│", " ").split())
    assert "AfterAllowTraffic: the rollout was stopped (the votes are with blue)" in flat
    assert "blue 100 %, green 0 %" in text
    assert "blue       3 voters: 127.71.2.19 (leader), 127.71.2.20, 127.71.2.21" in text
    assert "│ green " not in text
    assert "somebody stopped the rollout" in text
    assert "✘ AfterAllowTraffic" in text
    assert "quorumshift status" in text
    assert "quorumshift stop" not in text


def test_tasks_of_green_that_stopped() -> None:
    text = drawn(seen(replayed("rolled-back", "StopDeployment")))
    assert "tasks    5 of green stopped; the last one: Essential container in task" in text
    assert "▶ Install" in text


def test_an_alarm_that_rings() -> None:
    told = replayed("deployed", "WaitForDeployment", times=8)
    document = told.chronicle.document
    observation = document["observation"]
    alarm = {**observation["alarms"][0], "ringing": True, "reason": "too slow"}
    told.chronicle.document = {
        **document,
        "observation": {**observation, "alarms": [alarm, *observation["alarms"][1:]]},
    }
    assert f"{alarm['name']} RINGS: too slow" in drawn(seen(told))
    rollout = {**observation["rollout"], "ignoresAlarms": True}
    told.chronicle.document["observation"] |= {"rollout": rollout}
    assert f"{alarm['name']} RINGS, and stops nothing: too slow" in drawn(seen(told))


def test_alarms_that_are_switched_off_are_not_called_quiet() -> None:
    told = replayed("deployed", "WaitForDeployment", times=8)
    document = told.chronicle.document
    observation = document["observation"]
    alarms = [{**one, "off": True} for one in observation["alarms"]]
    told.chronicle.document = {**document, "observation": {**observation, "alarms": alarms}}
    assert f"{len(alarms)} switched off in the deployment group" in drawn(seen(told))


@pytest.mark.parametrize("name", ["deployed", "stopped", "rolled-back"])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 10), (200, 60)])
def test_no_line_is_wider_than_the_terminal_and_the_news_take_what_room_is_left(
    name: str, width: int, height: int
) -> None:
    lines = drawn(seen(replayed(name)), width=width, height=height).splitlines()
    assert max(map(len, lines)) <= width
    panel = next(number for number, line in enumerate(lines, 1) if line.startswith("╰"))
    assert len(lines) - panel == max(0, min(8, height - panel))


def test_an_aws_that_is_slow_or_complains_is_told() -> None:
    told = replayed("deployed", "VerifyRaft")
    assert "AWS last answered" not in drawn(seen(told), after=9)
    assert "AWS last answered 0:42 ago" in drawn(seen(told), after=42)
    view = Drawn(told.execution)
    view.show(told.execution, told.chronicle, [])
    view.complain("no reply from AWS")
    text = drawn(replace(seen(told), note="no reply from AWS"))
    assert "note     no reply from AWS" in text
    assert "no reply from AWS" in drawn(view.picture().scene)
    view.show(told.execution, told.chronicle, [])
    assert "no reply from AWS" not in drawn(view.picture().scene)


def test_another_versions_documents_are_drawn_as_far_as_they_go() -> None:
    told = replayed("deployed", "VerifyRaft")
    told.chronicle.document = {"observation": {"rollout": "?", "checks": 1}, "revision": []}
    assert "VerifyRaft" in drawn(seen(told))


def test_without_colours_there_is_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    told = replayed("stopped")
    Console(file=stream, width=80, force_terminal=True).print(Picture(seen(told), 0.0))
    assert "\N{ESCAPE}[3" not in stream.getvalue().replace("\N{ESCAPE}[3m", "")


def test_only_a_terminal_that_can_redraw_is_drawn_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    assert can_draw(Terminal())
    assert not can_draw(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not can_draw(Terminal())
