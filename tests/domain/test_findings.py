"""What the state machine's data tells, thing by thing, and the parts that reports read from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quorumshift.domain import findings as read
from quorumshift.domain.findings import Finding, findings

Made = dict[str, Any]


def only(document: Made) -> Finding:
    """The one thing that a document tells."""
    (found,) = findings(document)
    return found


def seen(**observation: Any) -> Made:
    return {"observation": observation}


def rolled(**rollout: Any) -> Made:
    return seen(rollout=rollout)


REQUEST = {"image": "v7", "description": "", "build": {"repository": "r", "commit": "c", "x": None}}
REVISION = {"from": "arn:x/app:6", "to": "arn:x/app:7", "image": "r@sha256:1"}
EVIDENCE = {"voters": ["a", "b"], "learners": ["c"], "healthy": ["a"], "leader": "a", "term": 7}
LINE = "voters a, b; learners c; leader a, term 7; 1 of 2 healthy"


@pytest.mark.parametrize(
    ("document", "kind", "about", "text"),
    [
        (
            {"request": REQUEST},
            "request",
            "request",
            "image v7; build repository r, commit c",
        ),
        ({"build": {"id": "b:1"}}, "build", "build", "b:1 running"),
        (
            {"build": {"id": "b:1", "status": "failed", "phase": "BUILD"}},
            "build",
            "build",
            "b:1 failed, phase BUILD",
        ),
        ({"revision": REVISION}, "revision", "revision", "app:6 → app:7, r@sha256:1"),
        (
            {"revision": {**REVISION, "registered": True}},
            "revision",
            "revision",
            "app:6 → app:7 (registered), r@sha256:1",
        ),
        (
            {"revision": {**REVISION, "registered": False}},
            "revision",
            "revision",
            "app:6 → app:7 (was there), r@sha256:1",
        ),
        (
            {"verification": {"decision": "proceed", "reasons": ["Three vote.", "All answer."]}},
            "raft",
            "verification",
            "Three vote. All answer.",
        ),
        ({"deployment": {"id": "d-1"}}, "deployment", "deployment", "d-1 created"),
        (
            {"deployment": {"id": "d-1", "adopted": True}},
            "deployment",
            "deployment",
            "d-1 adopted: an earlier try had created it",
        ),
        (
            rolled(stages=[{"name": "Install", "status": "running"}]),
            "stage",
            "stage Install",
            "Install running",
        ),
        (
            rolled(stages=[{"name": "Install", "status": "failed", "message": "no room"}]),
            "stage",
            "stage Install",
            "Install failed: no room",
        ),
        (
            rolled(traffic={"blue": 87.5, "green": 12.5}),
            "traffic",
            "traffic",
            "blue 87.5 %, green 12.5 %",
        ),
        (
            {"rollback": {"decision": "done"}},
            "traffic",
            "traffic",
            "blue 100 %, green 0 %",
        ),
        (
            seen(checks=[{"name": "AfterInstall", "passed": False, "reason": "two tasks"}]),
            "hook",
            "hook AfterInstall",
            "AfterInstall: NO. two tasks",
        ),
        (
            seen(alarms=[{"name": "slow", "ringing": True, "reason": "8 > 1"}]),
            "alarm",
            "alarm slow",
            "slow rings: 8 > 1",
        ),
        (
            seen(
                alarms=[{"name": "slow", "ringing": True, "reason": "8 > 1"}],
                rollout={"ignoresAlarms": True},
            ),
            "alarm",
            "alarm slow",
            "slow rings, which stops nothing: 8 > 1",
        ),
        (
            seen(alarms=[{"name": "slow", "ringing": False, "off": True}]),
            "alarm",
            "alarm slow",
            "slow is switched off in the deployment group",
        ),
        (
            seen(failures=[{"task": "arn:t/c/7", "reason": "exited", "exitCode": 0}]),
            "task",
            "task arn:t/c/7",
            "7 of green stopped: exited, exit code 0",
        ),
        (
            seen(failures=[{"task": "arn:t/c/7", "reason": "exited"}]),
            "task",
            "task arn:t/c/7",
            "7 of green stopped: exited",
        ),
        (
            seen(verdict={"decision": "proceed", "reasons": ["Well."], "evidence": EVIDENCE}),
            "raft",
            "cluster",
            LINE,
        ),
        (
            seen(verdict={"decision": "wait", "reasons": ["Not yet."], "evidence": EVIDENCE}),
            "raft",
            "cluster",
            f"{LINE}. Not yet.",
        ),
        (
            seen(verdict={"decision": "proceed", "evidence": {"term": None}}),
            "raft",
            "cluster",
            "voters unknown; leader none, term None; 0 of 0 healthy",
        ),
        (seen(unseen="no reply"), "error", "unseen", "nobody could look: no reply"),
        (
            seen(meaning={"error": "AlarmRang", "cause": "it rang", "advice": "Look."}),
            "error",
            "meaning",
            "AlarmRang: it rang. Look.",
        ),
        (
            seen(meaning={"error": "AlarmRang", "cause": "it rang", "advice": ""}),
            "error",
            "meaning",
            "AlarmRang: it rang",
        ),
        ({"stop": {"wasRunning": True}}, "stop", "stop", "the deployment was stopped"),
        ({"stop": {"wasRunning": False}}, "stop", "stop", "the deployment had ended already"),
        (
            {"stop": {"wasRunning": False, "progress": "succeeded"}},
            "stop",
            "stop",
            "the deployment had succeeded already",
        ),
        ({"rollback": {"undo": "d-2"}}, "rollback", "undo", "deployment d-2 rolls it back"),
        ({"rollback": {"reason": "It waits."}}, "rollback", "rollback", "It waits."),
        (
            {"outcome": {"cluster": {"reasons": ["Three vote."]}}},
            "raft",
            "cluster after",
            "Three vote.",
        ),
        ({"outcome": {"cause": "all is well"}}, "outcome", "outcome", "all is well"),
    ],
)
def test_each_thing_is_told_once(document: Made, kind: str, about: str, text: str) -> None:
    found = only(document)
    assert (found.kind, found.about, found.text) == (kind, about, text)


NODES = [
    {"address": "a", "colour": "green", "standing": "voter"},
    {"address": "b", "colour": "blue", "standing": "voter"},
    {"address": "c", "colour": "green", "standing": "voter"},
    {"address": "d", "colour": "green", "standing": "learner"},
]


@pytest.mark.parametrize(
    ("document", "data"),
    [
        ({"request": REQUEST}, {key: REQUEST[key] for key in ("image", "build")}),
        ({"build": {"id": "b:1"}}, {"id": "b:1"}),
        ({"revision": REVISION}, REVISION),
        ({"verification": {"decision": "wait", "reasons": ["r"]}}, {"decision": "wait"}),
        ({"deployment": {"id": "d-1"}}, {"id": "d-1"}),
        (
            rolled(stages=[{"name": "Install", "status": "done"}]),
            {"name": "Install", "status": "done"},
        ),
        (rolled(traffic={"blue": 90, "green": 10}), {"blue": 90, "green": 10}),
        (
            seen(checks=[{"name": "n", "passed": True, "reason": "r"}]),
            {"name": "n", "passed": True, "reason": "r"},
        ),
        (seen(alarms=[{"name": "n", "ringing": False}]), {"name": "n", "ringing": False}),
        (seen(failures=[{"task": "t", "reason": "r"}]), {"task": "t", "reason": "r"}),
        (seen(cluster={"nodes": NODES}), {"blue": 1, "green": 2}),
        (
            seen(verdict={"decision": "wait", "evidence": {"term": 7}}),
            {"decision": "wait", "term": 7},
        ),
        (seen(meaning={"error": "E", "cause": "c"}), {"error": "E", "cause": "c"}),
        ({"stop": {"wasRunning": True}}, {"wasRunning": True}),
        ({"rollback": {"undo": "d-2"}}, {"undo": "d-2"}),
        (
            {"rollback": {"decision": "wait", "reason": "r"}},
            {"decision": "wait", "reason": "r", "undo": None},
        ),
        (
            {"outcome": {"cluster": {"decision": "proceed", "reasons": ["r"]}}},
            {"decision": "proceed", "reasons": ["r"]},
        ),
    ],
)
def test_the_data_behind_a_finding_stand_beside_it(document: Made, data: Made) -> None:
    assert only(document).data == data


def test_the_votes_are_counted_by_colour() -> None:
    found = only(seen(cluster={"nodes": NODES}))
    assert (found.kind, found.about, found.text) == ("votes", "votes", "1 blue, 2 green")


def test_the_votes_are_told_in_order_whatever_colours_another_version_has() -> None:
    letters = "qwertyuiop"
    nodes = [{"address": one, "colour": one, "standing": "voter"} for one in letters]
    assert list(only(seen(cluster={"nodes": nodes})).data) == sorted(letters)


def test_a_builds_log_is_a_finding_of_its_own() -> None:
    told = findings({"build": {"id": "b:1", "log": "https://l"}})
    assert [(one.kind, one.about, one.text) for one in told] == [
        ("build", "build", "b:1 running"),
        ("build", "build's log", "log: https://l"),
    ]


@pytest.mark.parametrize(
    ("alarm", "quiet"),
    [
        ({"ringing": False}, True),
        ({"ringing": True, "reason": "r"}, False),
        ({"ringing": False, "off": True}, False),
    ],
)
def test_only_an_alarm_that_is_quiet_and_on_is_no_news_at_first(alarm: Made, quiet: bool) -> None:
    assert only(seen(alarms=[{"name": "slow", **alarm}])).quiet_at_first is quiet


@pytest.mark.parametrize("status", ["pending", "skipped", "unknown"])
def test_a_stage_that_has_not_begun_is_no_finding(status: str) -> None:
    assert findings(rolled(stages=[{"name": "Install", "status": status}])) == ()


@pytest.mark.parametrize(
    "document",
    [
        {"request": {}},
        {"build": {"status": "running", "phase": "BUILD"}},
        {"revision": {"from": "arn:x/app:6"}},
        {"deployment": {"adopted": True}},
        {"stop": {}},
        {"rollback": {}},
        {"outcome": {}},
        seen(meaning={"cause": "c"}, verdict={"decision": "wait"}, unseen=None),
    ],
)
def test_what_is_not_there_is_not_told(document: Made) -> None:
    assert findings(document) == ()


def test_what_a_later_step_says_of_the_same_counts() -> None:
    check = {"name": "AfterInstall", "passed": True, "reason": "later"}
    document = {
        "observation": {"checks": [{**check, "passed": False, "reason": "before"}]},
        "outcome": {"checks": [check]},
    }
    assert only(document).text == "AfterInstall: yes. later"
    assert read.checks(document) == [check]


# Each reader goes past what another version left in the place of what it needs.


@pytest.mark.parametrize(
    ("reader", "path", "row"),
    [
        (read.stages, ("observation", "rollout", "stages"), {"name": "a", "status": "done"}),
        (read.checks, ("outcome", "checks"), {"name": "a", "passed": False, "reason": ""}),
        (read.checks, ("observation", "checks"), {"name": "a", "passed": True, "reason": ""}),
        (read.alarms, ("observation", "alarms"), {"name": "a", "ringing": False}),
        (read.failures, ("observation", "failures"), {"task": "a", "reason": ""}),
        (
            read.nodes,
            ("observation", "cluster", "nodes"),
            {"address": "a", "colour": "blue", "standing": "voter"},
        ),
        (
            read.nodes,
            ("rollback", "cluster", "nodes"),
            {"address": "a", "colour": "blue", "standing": "voter"},
        ),
    ],
)
def test_a_row_needs_all_that_is_read_of_it(
    reader: Callable[[Made], list[Made]], path: tuple[str, ...], row: Made
) -> None:
    def at(value: Any) -> Made:
        for key in reversed(path):
            value = {key: value}
        return dict(value)

    assert reader(at([row])) == [row]
    for key in row:
        lacking = {other: value for other, value in row.items() if other != key}
        assert reader(at([None, lacking, {**row, key: 7}, row])) == [row]
    assert reader(at({"not": "a list"})) == []


def test_a_roll_back_is_what_was_seen_last() -> None:
    before = {"rollout": {"traffic": {"blue": 10, "green": 90}}, "cluster": {"nodes": NODES}}
    back = {"rollout": {"traffic": {"blue": 60, "green": 40}}, "cluster": {"nodes": NODES[:1]}}
    both = {"observation": before, "rollback": back}
    assert read.traffic(both) == {"blue": 60, "green": 40}
    assert read.nodes(both) == NODES[:1]
    assert read.traffic({"observation": before, "rollback": {}}) == {"blue": 10, "green": 90}
    assert read.traffic({**both, "rollback": {**back, "decision": "done"}})["blue"] == 100.0


@pytest.mark.parametrize("weights", [{"blue": 10}, {"green": 10}, {"blue": "10", "green": 90}])
def test_half_of_the_traffic_is_no_traffic(weights: Made) -> None:
    assert read.traffic(rolled(traffic=weights)) == {}


def test_the_verdict_is_the_latest_and_none_while_it_is_rolled_back() -> None:
    now, after = {"decision": "wait"}, {"decision": "proceed"}
    assert read.verdict(seen(verdict=now)) == now
    assert read.verdict({**seen(verdict=now), "rollback": {}}) == {}
    assert read.verdict({**seen(verdict=now), "rollback": {}, "outcome": {"cluster": after}}) == (
        after
    )


@pytest.mark.parametrize("said", [None, False, "true", 1])
def test_alarms_count_unless_it_was_said_that_they_do_not(said: Any) -> None:
    assert not read.alarms_ignored(rolled(ignoresAlarms=said))
    assert read.alarms_ignored(rolled(ignoresAlarms=True))


def test_small_readers() -> None:
    assert read.texts({"reasons": ["a", 7]}, "reasons") == ["a", "7"]
    assert read.texts({"reasons": "a"}, "reasons") == []
    assert (read.short("arn:x/c/7"), read.short(None), read.short("7")) == ("7", "", "7")
    assert read.build_line({"build": {"status": "failed"}}) == ""
