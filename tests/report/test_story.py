"""What recorded executions tell: their states, their news, their page."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from quorumshift.report.news import CHAPTERS, Teller, lines
from quorumshift.report.story import Ending, moment, read
from quorumshift.report.summary import as_markdown, picture
from tests.report.recorded import recording, story
from workflows.__main__ import MACHINES

STATES = MACHINES["deploy"]()["States"]


def texts(name: str) -> list[str]:
    return [line.text for line in lines(story(name).visits)]


@pytest.mark.parametrize(
    ("name", "ending"), [("deployed", Ending.DEPLOYED), ("rolled-back", Ending.ROLLED_BACK)]
)
def test_a_recording_ends_as_it_ended(name: str, ending: Ending) -> None:
    assert story(name).ending is ending


@pytest.mark.parametrize(
    ("status", "ending"),
    [
        ("RUNNING", Ending.RUNNING),
        ("ABORTED", Ending.STOPPED),
        ("TIMED_OUT", Ending.TIMED_OUT),
        ("FAILED", Ending.REFUSED),
    ],
)
def test_an_execution_that_did_not_end_by_itself(status: str, ending: Ending) -> None:
    assert story("deployed", 12, status=status).ending is ending


def test_a_failure_after_a_deployment_existed_is_no_refusal() -> None:
    events = recording("deployed")["events"]
    waiting = next(
        number
        for number, event in enumerate(events)
        if event.get("stateEnteredEventDetails", {}).get("name") == "WaitForDeployment"
    )
    assert story("deployed", waiting, status="FAILED").ending is Ending.REFUSED
    assert story("deployed", waiting + 1, status="FAILED").ending is Ending.FAILED


def test_every_state_of_the_definition_has_its_chapter() -> None:
    in_the_deployment = {
        *("CreateDeployment", "NotifyStarted", "WaitForDeployment"),
        *("PollDeployment", "HowIsItGoing"),
    }
    assert set(CHAPTERS) | in_the_deployment == set(STATES)


def test_news_is_told_once_and_in_order() -> None:
    told = texts("deployed")
    assert len(told) == len(set(told))
    order = [
        "from sample:1 to sample:2 (registered)",
        "CodeDeploy deployment d-",
        "BeforeInstall: running",
        "AfterInstall says yes: 3 green tasks run",
        "traffic: blue 90 %, green 10 %",
        "traffic: blue 0 %, green 100 %",
        "votes: 2 blue, 1 green",
        "votes: 3 green",
        "AfterAllowTraffic: done",
    ]
    found = [next(at for at, text in enumerate(told) if text.startswith(each)) for each in order]
    assert found == sorted(found)


def test_a_roll_back_tells_why() -> None:
    told = texts("rolled-back")
    assert any(text.startswith("AllowTraffic: failed (One or more alarms") for text in told)
    assert not any("skipped" in text for text in told)
    assert any(text.startswith("CodeDeploy rolls back with deployment d-") for text in told)
    assert told[-1].startswith("an alarm rang")
    assert "sample:1 serves all traffic again" in told[-1]


def test_what_is_told_piece_by_piece_is_what_is_told_at_once() -> None:
    teller, told = Teller(), []
    number = len(recording("deployed")["events"])
    done = 0
    for events in range(number + 1):
        visits = [visit for visit in story("deployed", events).visits if visit.left]
        told += [line for visit in visits[done:] for line in teller.tell(visit)]
        done = len(visits)
    # The end of an execution is a state that is entered and has no finding.
    assert tuple(told) == lines(story("deployed").visits)


def test_a_try_that_failed_is_told_with_lambdas_message() -> None:
    found = recording("deployed")
    events: list[dict[str, Any]] = list(found["events"])
    at = next(
        number
        for number, event in enumerate(events)
        if event.get("stateEnteredEventDetails", {}).get("name") == "VerifyRaft"
    )
    failed = {
        "type": "LambdaFunctionFailed",
        "timestamp": events[at]["timestamp"],
        "lambdaFunctionFailedEventDetails": {
            "error": "Transient",
            "cause": '{"errorMessage": "nobody answers\\nyet", "errorType": "Transient"}',
        },
    }
    seen = read(found["described"], [*events[: at + 1], failed, *events[at + 1 :]])
    told = [line.text for line in lines(seen.visits)]
    assert "VerifyRaft failed: Transient: nobody answers yet" in told
    assert "    class VerifyRaft failed" in picture(seen)


@pytest.mark.parametrize(
    "written", [1795416299.25, "2026-11-23T06:44:59.250000+00:00", "2026-11-23T07:44:59.250+01:00"]
)
def test_times_are_read_as_any_aws_cli_writes_them(written: Any) -> None:
    assert moment(written) == datetime(2026, 11, 23, 6, 44, 59, 250_000, UTC)


def test_the_page_tells_the_end_the_hooks_with_evidence_the_states_and_the_times() -> None:
    page = as_markdown(story("deployed"), "https://console", "Nothing is left to do.")
    assert page.startswith("## ✅ Deployed: sample:2\n")
    assert "[rehearsal-901bee51](https://console)" in page
    assert "| took | 0 min 35 s |" in page
    assert page.count("<summary>Evidence of ") == 5
    assert '"locked": [' in page
    assert "| AfterAllowTraffic | yes | Without blue, 3 of 3 voters stay healthy" in page
    assert page.rstrip().endswith("Nothing is left to do.")
    assert "↩️ Rolled back: sample:2" in as_markdown(story("rolled-back"))


WITHOUT_NEWS = {("CreateDeployment", "WaitForDeployment"), ("StopDeployment", "WaitForRollback")}
"""Recorded before people were told that a deployment, or its roll-back, begins."""


def test_the_picture_is_of_ways_that_the_definition_has() -> None:
    for name in ("deployed", "rolled-back"):
        drawn = picture(story(name))
        ways = re.findall(r"^    (\w+) -->(?:\|\d+ times\|)? ?(\w+)$", drawn, re.M)
        assert len(ways) > 8
        for before, after in ways:
            state = STATES[before]
            nexts = {state.get("Next"), state.get("Default")}
            nexts |= {each["Next"] for each in (*state.get("Choices", ()), *state.get("Catch", ()))}
            assert after in nexts or (before, after) in WITHOUT_NEWS, (before, after)


def test_what_others_wrote_can_leave_neither_its_cell_nor_its_fence() -> None:
    found = recording("rolled-back")
    cause = 'a|b <img src=x> [x](y) @team\n## "new"'
    for event in found["events"]:
        details = event.get("stateExitedEventDetails", {})
        if "output" in details:
            details["output"] = details["output"].replace(
                "3 green tasks run", "```\\n<b>|@team 3 green tasks run"
            )
    page = as_markdown(read({**found["described"], "cause": cause}, found["events"]))
    assert "<img" not in page
    assert "<b>" not in page
    assert "@team" not in page
    assert "\na\\|b &lt;img src=x> \\[x\\](y) &#64;team ## " in page
    rows = [line for line in page.splitlines() if line.startswith("| AfterInstall |")]
    assert len(rows) == 1
    assert "\\`\\`\\` &lt;b>\\|&#64;team 3 green" in rows[0]
    assert page.count("```") % 2 == 0
