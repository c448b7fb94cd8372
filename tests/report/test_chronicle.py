"""The news of real executions, recorded in a rehearsal, as lines and as a page."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from quorumshift.adapters.aws.executions import read_event, read_execution
from quorumshift.domain.chronicle import Chronicle, Event, Mark, News
from quorumshift.domain.execution import Ending, Execution, Place
from quorumshift.report.chronicle import as_text, clock, line, record

RECORDED = Path(__file__).parent.parent / "testdata" / "executions"


def recorded(name: str) -> tuple[Execution, list[Event]]:
    """An execution, and its history."""
    found = json.loads((RECORDED / f"{name}.json").read_text())
    for event in found["events"]:
        event["timestamp"] = datetime.fromisoformat(event["timestamp"])
    for key in ("startDate", "stopDate"):
        found["describe"][key] = datetime.fromisoformat(found["describe"][key])
    events = [read for event in found["events"] if (read := read_event(event))]
    return read_execution(found["describe"]), events


def told(name: str) -> tuple[list[str], Execution, Place]:
    execution, events = recorded(name)
    chronicle = Chronicle()
    news = [one for event in events for one in chronicle.take(event)]
    lines = [text for one in news if (text := line(one, execution.started))]
    return lines, execution, Place(chronicle.state, dict(chronicle.document))


def test_a_deployment_is_told_from_its_history_alone() -> None:
    lines, execution, place = told("deployed")
    text = "\n".join(lines)
    assert "revision    sample:1 → sample:2, " in text
    assert "hook        BeforeInstall: yes. 3 of 3 voters are healthy" in text
    assert "traffic     blue 50 %, green 50 %" in text
    assert "learners 127.71.1.14; leader 127.71.1.12" in text
    assert "WaitForDeployment" not in text
    assert not any("alarm" in one for one in lines)  # quiet ones are no news
    assert place.ending(execution.status) is Ending.DEPLOYED
    assert len(lines) == len(set(lines))


def test_a_stopped_one_says_where_it_stood_and_how_it_was_undone() -> None:
    lines, execution, place = told("rolled-back")
    text = "\n".join(lines)
    assert "stage       AllowTraffic failed: The deployment was stopped by a user." in text
    assert "roll-back   roll-back d-5FKBI0YH1 has ended well" in text
    assert place.ending(execution.status) is Ending.ROLLED_BACK
    page = as_text(execution, place, 0.0)
    assert page.startswith("Rolled back\n")
    assert "sample:2 serves all traffic again" in page
    assert "asked by   rec" in page
    assert all(len(one) <= 100 or "sha256" in one for one in page.splitlines())


def test_the_record_is_plain_data() -> None:
    _, execution, place = told("rolled-back")
    document = record(execution, place, 0.0)
    assert json.loads(json.dumps(document)) == document
    assert document["ending"] == "rolledBack"
    assert document["deployment"] == "d-M868RYTMT"
    assert document["rollback"] == "d-5FKBI0YH1"
    assert document["revision"]["to"].endswith("sample:1")
    assert document["checks"][0]["name"] == "BeforeInstall"
    assert document["seconds"] == pytest.approx(16.5, abs=1)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (65, "1:05"), (3600, "1:00:00"), (-1, "0:00")]
)
def test_the_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("status", "state", "document", "ending"),
    [
        ("RUNNING", "VerifyRaft", {}, Ending.RUNNING),
        ("SUCCEEDED", "Deployed", {}, Ending.DEPLOYED),
        ("FAILED", "Failed", {}, Ending.REFUSED),
        ("FAILED", "Failed", {"deployment": {"id": "d-1"}}, Ending.UNCLEAR),
        ("FAILED", "Failed", {"outcome": {"touched": True}}, Ending.UNCLEAR),
        ("ABORTED", "VerifyRaft", {}, Ending.REFUSED),
        ("ABORTED", "CreateDeployment", {}, Ending.UNCLEAR),
        ("ABORTED", "WaitForDeployment", {"deployment": {"id": "d-1"}}, Ending.UNCLEAR),
        ("TIMED_OUT", "PollRollback", {"deployment": {"id": "d-1"}}, Ending.UNCLEAR),
    ],
)
def test_how_it_ended(status: str, state: str, document: dict[str, Any], ending: Ending) -> None:
    assert Place(state, document).ending(status) is ending


def poll(number: int, **observation: Any) -> list[News]:
    document = {"observation": observation}
    return Chronicle().take(Event(number, 0.0, Mark.LEFT, "PollDeployment", document))


def test_what_goes_wrong_is_told() -> None:
    alarm = {"name": "slow", "ringing": True, "reason": "too slow"}
    failure = {"task": "arn:aws:ecs:r:1:task/c/77", "reason": "exited", "exitCode": 3}
    meaning = {"decision": "danger", "error": "AlarmRang", "cause": "an alarm rang", "advice": ""}
    news = poll(1, alarms=[alarm], failures=[failure], meaning=meaning)
    assert [one.text for one in news] == [
        "slow rings: too slow",
        "77 of green stopped: exited, exit code 3",
        "AlarmRang: an alarm rang",
    ]


def test_an_alarm_that_becomes_quiet_again_is_news() -> None:
    chronicle = Chronicle()
    for ringing, says in ((False, []), (True, ["slow rings: r"]), (False, ["slow is quiet"])):
        seen = {"alarms": [{"name": "slow", "ringing": ringing, "reason": "r"}]}
        event = Event(1, 0.0, Mark.LEFT, "PollDeployment", {"observation": seen})
        assert [one.text for one in chronicle.take(event)] == says


def test_a_step_that_failed_and_is_tried_again_is_told() -> None:
    chronicle = Chronicle()
    chronicle.take(Event(1, 0.0, Mark.ENTERED, "VerifyRaft"))
    news = chronicle.take(Event(2, 0.0, Mark.STUMBLED, error="Transient", cause="no reply"))
    assert [one.text for one in news] == ["VerifyRaft: Transient: no reply"]


def test_another_versions_documents_are_read_as_far_as_they_go() -> None:
    assert poll(1) == []
    event = Event(1, 0.0, Mark.LEFT, "X", {"observation": [], "revision": "?", "rollback": None})
    assert Chronicle().take(event) == []


def test_the_page_in_the_docs_is_what_the_command_says() -> None:
    lines, execution, place = told("rolled-back")
    page = "\n".join([*lines[-8:], as_text(execution, place, 0.0)]) + "\n"
    shown, docs = RECORDED / "rolled-back.txt", Path(__file__).parents[2] / "docs" / "commands.md"
    start = f"<!-- generated: tests/testdata/executions/{shown.name} -->\n```text\n"
    if os.environ.get("QUORUMSHIFT_REGENERATE"):
        shown.write_text(page)
        before, rest = docs.read_text().split(start, 1)
        docs.write_text(f"{before}{start}{page}" + rest[rest.index("```\n") :])
    assert page == shown.read_text()
    assert f"{start}{page}```\n" in docs.read_text()
