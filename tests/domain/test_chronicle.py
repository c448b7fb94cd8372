"""The folding of events: news, states, chapters, also where an execution goes on after its end."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from quorumshift.domain.chronicle import CHAPTERS, Chronicle, Event, Mark, News, Visit
from quorumshift.domain.execution import Ending
from tests.report.recorded import NAMES, entries, recording, replayed, told
from workflows.__main__ import MACHINES

STATES = MACHINES["deploy"]()["States"]
FORMER = {("CreateDeployment", "WaitForDeployment"), ("StopDeployment", "WaitForRollback")}
"""Ways of the recordings, which are older than NotifyStarted and NotifyRollingBack."""


def poll(**observation: Any) -> list[News]:
    document = {"observation": observation}
    return Chronicle().take(Event(1, 0.0, Mark.LEFT, "PollDeployment", document))


def test_every_state_of_the_definition_has_its_chapter() -> None:
    assert set(STATES) == set(CHAPTERS)


def test_news_is_told_once_and_in_order() -> None:
    news = replayed("deployed").chronicle.news
    lines = [f"{one.kind} {one.text}" for one in news if one.kind != "state"]
    assert len(lines) == len(set(lines))
    order = [
        "revision sample:2 → sample:3 (registered), ",
        "deployment d-",
        "stage BeforeInstall running",
        "hook AfterInstall: yes. 3 green tasks run",
        "traffic blue 90 %, green 10 %",
        "traffic blue 0 %, green 100 %",
        "votes 2 blue, 1 green",
        "votes 3 green",
    ]
    found = [next(at for at, text in enumerate(lines) if text.startswith(each)) for each in order]
    assert found == sorted(found)


def test_a_deployments_news_stand_in_the_chapter_of_its_stage() -> None:
    news = replayed("rolled-back").chronicle.news
    chapters = {one.text: one.chapter for one in news}
    assert chapters["Install running"] == "Deployment: Install"
    assert chapters["the deployment was stopped"] == "Roll-back"
    assert chapters["StopDeployment"] == "Roll-back"
    assert chapters["VerifyRaft"] == "Raft cluster before"
    assert chapters["VerifyRollback"] == "Raft cluster after"


def test_what_goes_wrong_is_told() -> None:
    alarm = {"name": "slow", "ringing": True, "reason": "too slow"}
    failure = {"task": "arn:aws:ecs:r:1:task/c/77", "reason": "exited", "exitCode": 3}
    meaning = {"decision": "danger", "error": "AlarmRang", "cause": "it rang", "advice": "Look."}
    news = poll(alarms=[alarm], failures=[failure], meaning=meaning)
    assert [one.text for one in news] == [
        "slow rings: too slow",
        "77 of green stopped: exited, exit code 3",
        "AlarmRang: it rang. Look.",
    ]


def test_an_alarm_that_becomes_quiet_again_is_news() -> None:
    chronicle = Chronicle()
    for ringing, says in ((False, []), (True, ["slow rings: r"]), (False, ["slow is quiet"])):
        seen = {"alarms": [{"name": "slow", "ringing": ringing, "reason": "r"}]}
        event = Event(1, 0.0, Mark.LEFT, "PollDeployment", {"observation": seen})
        assert [one.text for one in chronicle.take(event)] == says


def test_a_build_is_told_from_its_start() -> None:
    chronicle, told = Chronicle(), []
    for state, build in (
        ("StartBuild", {"id": "b:1", "waited": 0}),
        ("PollBuild", {"id": "b:1", "status": "running", "phase": "BUILD", "log": "https://l"}),
        ("PollBuild", {"id": "b:1", "status": "running", "phase": "BUILD", "log": "https://l"}),
        ("PollBuild", {"id": "b:1", "status": "succeeded", "phase": "COMPLETED", "log": ""}),
    ):
        told += chronicle.take(Event(1, 0.0, Mark.LEFT, state, {"build": build}))
    assert [(one.kind, one.text, one.chapter) for one in told] == [
        ("build", "b:1 running", "Build"),
        ("build", "b:1 running, phase BUILD", "Build"),
        ("build", "log: https://l", "Build"),
        ("build", "b:1 succeeded, phase COMPLETED", "Build"),
    ]


def test_the_roll_backs_traffic_counts_while_the_last_look_still_stands_there() -> None:
    chronicle = Chronicle()
    document: dict[str, Any] = {
        "observation": {"rollout": {"traffic": {"blue": 20.0, "green": 80.0}}}
    }
    chronicle.take(Event(1, 0.0, Mark.LEFT, "PollDeployment", document))
    back = {**document, "rollback": {"rollout": {"traffic": {"blue": 100.0, "green": 0.0}}}}
    told = [chronicle.take(Event(2, 0.0, Mark.LEFT, "PollRollback", back)) for _ in range(2)]
    assert [[one.text for one in news] for news in told] == [["blue 100 %, green 0 %"], []]


def test_a_step_that_failed_and_is_tried_again_is_told() -> None:
    chronicle = Chronicle()
    chronicle.take(Event(1, 0.0, Mark.ENTERED, "VerifyRaft"))
    news = chronicle.take(Event(2, 0.0, Mark.STUMBLED, error="Transient", cause="nobody\nanswers"))
    assert [one.text for one in news] == ["VerifyRaft failed: Transient: nobody answers"]
    assert chronicle.visits == [Visit("VerifyRaft", 0.0, failures=1)]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"observation": [], "revision": "?", "rollback": None, "deployment": "d-1"},
        {"observation": {"rollout": {"stages": [{"step": 1}]}, "checks": [None, {"name": "x"}]}},
        {"observation": {"alarms": "many", "cluster": {"nodes": [{"address": "a"}]}}},
    ],
)
def test_another_versions_documents_and_states_are_read_as_far_as_they_go(
    document: dict[str, Any],
) -> None:
    chronicle = Chronicle()
    chronicle.take(Event(1, 0.0, Mark.ENTERED, "StartBuild"))
    news = chronicle.take(Event(2, 1.0, Mark.ENTERED, "FromTomorrow"))
    assert [(one.kind, one.text, one.chapter) for one in news] == [
        ("state", "FromTomorrow", "Build")
    ]
    assert chronicle.take(Event(3, 2.0, Mark.LEFT, "FromTomorrow", document)) == []
    assert chronicle.place.ending("ABORTED") is Ending.REFUSED


def test_every_recording_goes_through_ways_that_the_definition_has() -> None:
    for name in NAMES:
        visits = replayed(name).chronicle.visits
        assert len(visits) > 15
        for before, after in pairwise(visits):
            state = STATES[before.state]
            nexts = {state.get("Next"), state.get("Default")}
            nexts |= {each["Next"] for each in (*state.get("Choices", ()), *state.get("Catch", ()))}
            former = (before.state, after.state) in FORMER
            assert former or after.state in nexts, (before, after)
            assert before.left is not None
            assert before.entered <= before.left <= after.entered


@pytest.mark.parametrize("entered_anew", [True, False])
def test_a_redriven_execution_goes_on_in_the_state_where_it_had_ended(entered_anew: bool) -> None:
    found = recording("deployed")
    events = list(found["events"])
    at = entries(events, "VerifyRaft")[0]
    when = events[at]["timestamp"]
    between = [
        {"id": 9000, "type": "ExecutionAborted", "timestamp": when},
        {
            "id": 9001,
            "type": "ExecutionRedriven",
            "timestamp": when,
            "executionRedrivenEventDetails": {"redriveCount": 1},
        },
        *([events[at]] if entered_anew else []),
    ]
    history = [*events[: at + 1], *between, *events[at + 1 :]]
    plain, redriven = told(found["described"], events), told(found["described"], history)
    assert redriven.chronicle.visits == plain.chronicle.visits
    assert redriven.ending is Ending.DEPLOYED
    assert set(redriven.lines) - set(plain.lines) == {
        "redrive     redrive 1: it goes on where it had ended"
    }
    midway = told({**found["described"], "status": "RUNNING"}, history[: at + 3])
    assert midway.ending is Ending.RUNNING
    assert midway.chronicle.state == "VerifyRaft"


def test_before_the_first_event_nothing_is_known() -> None:
    chronicle = Chronicle()
    assert (chronicle.state, chronicle.chapter, chronicle.visits) == ("", "", [])
    chronicle.take(Event(1, 0.0, Mark.ENTERED, "CreateDeployment"))
    assert (chronicle.state, chronicle.chapter) == ("CreateDeployment", "Deployment")


def test_each_stay_is_a_visit_whatever_of_it_was_told() -> None:
    chronicle = Chronicle()
    for at, mark, state in (
        (0.0, Mark.ENTERED, "PollBuild"),
        (1.0, Mark.LEFT, "PollBuild"),
        (2.0, Mark.ENTERED, "PollBuild"),
        (3.0, Mark.LEFT, "VerifyRaft"),
        (4.0, Mark.LEFT, "VerifyRaft"),
    ):
        chronicle.take(Event(1, at, mark, state))
    assert chronicle.visits == [
        Visit("PollBuild", 0.0, 1.0),
        Visit("PollBuild", 2.0),
        Visit("VerifyRaft", 3.0, 3.0),
        Visit("VerifyRaft", 4.0, 4.0),
    ]


def test_what_the_engine_says_is_news_with_its_data() -> None:
    chronicle = Chronicle()
    for event, kind, text, data in (
        (Event(1, 0.0, Mark.STARTED), None, "", {}),
        (Event(2, 0.0, Mark.STUMBLED, error="Transient"), "error", " failed: Transient", None),
        (Event(3, 0.0, Mark.ENTERED, "VerifyRaft"), "state", "VerifyRaft", {"state": "VerifyRaft"}),
        (Event(4, 0.0, Mark.STUMBLED), "error", "VerifyRaft failed:", {"error": ""}),
        (
            Event(5, 0.0, Mark.REDRIVEN, count=2),
            "redrive",
            "redrive 2: it goes on where it had ended",
            {"count": 2},
        ),
        (
            Event(6, 0.0, Mark.ENDED, error="Failed", cause="why"),
            "end",
            "Failed",
            {"error": "Failed", "cause": "why"},
        ),
    ):
        news = chronicle.take(event)
        assert [one.kind for one in news] == ([kind] if kind else [])
        for one in news:
            assert one.text == text.strip()
            assert data is None or one.data == data


def test_who_left_without_data_leaves_what_was_known() -> None:
    chronicle = Chronicle()
    chronicle.take(Event(1, 0.0, Mark.LEFT, "StartBuild", {"build": {"id": "b:1"}}))
    chronicle.take(Event(2, 0.0, Mark.ENTERED, "VerifyRaft", {"build": {"id": "b:2"}}))
    assert chronicle.take(Event(3, 0.0, Mark.LEFT, "VerifyRaft", {})) == []
    assert chronicle.document == {"build": {"id": "b:1"}}
    assert chronicle.place.document == {"build": {"id": "b:1"}}
    assert chronicle.place.state == "VerifyRaft"
