"""The result reads well on a page and keeps its keys in JSON."""

from __future__ import annotations

import json
from dataclasses import replace

from quorumshift.rehearsal.players import PlayersResult, Presence
from quorumshift.rehearsal.result import (
    Duration,
    Hook,
    Leader,
    Outcome,
    PlayersFound,
    Quorum,
    Requests,
    Result,
    Writes,
)
from quorumshift.report.folding import WIDTH
from quorumshift.report.outcome import as_json, as_text

RESULT = Result(
    outcome=Outcome.ROLLED_BACK,
    cause="an alarm rang: " + "it was over the threshold " * 9,
    version_served="1",
    fault="slow-green",
    nodes=3,
    requests=Requests(3258, 0, 3.5, 1513.6),
    writes=Writes(1630, 0, 1532.9, failed=0, unreadable=0),
    quorum=Quorum(0.0, lost_at_end=False),
    leader=Leader(1, 0.25, 0.5),
    hooks=(Hook("AfterAllowTestTraffic", "proceed", "10 requests were answered " * 6),),
    states=("Receive", "ValidateRequest", "RolledBack"),
    api_calls=402,
    duration=Duration(24.9),
    logs="/tmp/somewhere",
    initiator="schedule",
)


PLAYERS = PlayersResult(
    began=1.7e9,
    count=300,
    connected=299,
    versions={"2": 299},
    told=280,
    broken=12,
    left=431,
    longest_gap_seconds=0.25,
    long_gaps=0,
    longest_entry_seconds=0.2,
    sent=5432,
    resent=9,
    acknowledged=5430,
    nacked=1,
    unanswered=1,
    lost=0,
    unreadable=0,
    errors=(),
    timeline=(Presence(0, {"1": 300}), Presence(1, {"1": 280, "2": 21})),
)


def test_the_page_is_no_wider_than_it_says_and_tells_everything() -> None:
    page = as_text(RESULT)
    assert max(len(line) for line in page.splitlines()) <= WIDTH
    for said in ("Rolled back", "slow-green", "3,258 sent, 0 failed", "1 change;", "0.25 s"):
        assert said in page
    assert "  AfterAllowTestTraffic  proceed" in page
    assert "asked by  schedule" in page


def test_the_keys_stay() -> None:
    document = json.loads(as_json(RESULT))
    assert document["outcome"] == "RolledBack"
    assert document["requests"] == {"total": 3258, "failed": 0, "p50Ms": 3.5, "p99Ms": 1513.6}
    assert document["writes"]["acknowledged"] == 1630
    assert document["writes"]["failed"] == document["writes"]["unreadable"] == 0
    assert document["quorum"] == {"lostSeconds": 0.0, "lostAtEnd": False}
    assert document["leader"] == {"changes": 1, "longestGapSeconds": 0.25, "lostSeconds": 0.5}
    assert document["hooks"][0]["verdict"] == "proceed"
    assert document["versionServed"] == "1"
    assert document["apiCalls"] == 402
    assert document["initiator"] == "schedule"
    assert document["duration"] == {"seconds": 24.9}


def test_a_service_without_players_says_nothing_of_them() -> None:
    assert "players" not in as_text(RESULT)
    assert json.loads(as_json(RESULT))["players"] is None


def test_players_stand_on_the_page_and_in_json() -> None:
    result = replace(RESULT, players=PlayersFound.of(PLAYERS))
    page = as_text(result)
    assert max(len(line) for line in page.splitlines()) <= WIDTH
    said = " ".join(page.split())
    for part in (
        "players 299 connected; 280 changed over when their node told them, 12 because their",
        "longest gap 0.25 s; 5,430 commands acknowledged, 1 refused, 1 unanswered, 0 lost",
    ):
        assert part in said
    assert json.loads(as_json(result))["players"] == {
        "connected": 299,
        "reconnects": 292,
        "broken": 12,
        "longestGapSeconds": 0.25,
        "longGaps": 0,
        "commandsAcknowledged": 5430,
        "commandsRefused": 1,
        "commandsUnanswered": 1,
        "commandsLost": 0,
        "commandsUnreadable": 0,
        "timeline": [
            {"at": 0, "versions": {"1": 300}},
            {"at": 1, "versions": {"1": 280, "2": 21}},
        ],
    }


def test_commands_that_nobody_could_read_back_are_not_called_safe() -> None:
    found = replace(PlayersFound.of(PLAYERS), commands_unreadable=7)
    assert "unknown lost" in " ".join(as_text(replace(RESULT, players=found)).split())
