"""The result reads well on a page and keeps its keys in JSON."""

from __future__ import annotations

import json

from quorumshift.rehearsal.result import (
    Duration,
    Hook,
    Leader,
    Outcome,
    Quorum,
    Requests,
    Result,
    Writes,
)
from quorumshift.report.outcome import WIDTH, as_json, as_text

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
)


def test_the_page_is_no_wider_than_it_says_and_tells_everything() -> None:
    page = as_text(RESULT)
    assert max(len(line) for line in page.splitlines()) <= WIDTH
    for said in ("Rolled back", "slow-green", "3,258 sent, 0 failed", "1 change;", "0.25 s"):
        assert said in page
    assert "  AfterAllowTestTraffic  proceed" in page


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
    assert document["duration"] == {"seconds": 24.9}
