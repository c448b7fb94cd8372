"""Two results side by side read well in 80 columns, and keep their keys in JSON."""

from __future__ import annotations

import json
from dataclasses import replace

from quorumshift.domain.data import from_json
from quorumshift.rehearsal.result import (
    Duration,
    Leader,
    Outcome,
    PlayersFound,
    Quorum,
    Requests,
    Result,
    Writes,
)
from quorumshift.report.side_by_side import as_json, as_text

GOOD = Result(
    outcome=Outcome.DEPLOYED,
    cause="",
    version_served="2",
    fault=None,
    nodes=3,
    requests=Requests(7488, 0, 3.5, 13.5),
    writes=Writes(3744, 0, 38.8, failed=0, unreadable=0),
    quorum=Quorum(0.0, lost_at_end=False),
    leader=Leader(1, 0.03, 0.03),
    hooks=(),
    states=("Receive",),
    api_calls=402,
    duration=Duration(44.9),
    logs="/tmp/quorumshift-rehearsal-b",
)
BAD = replace(
    GOOD,
    requests=Requests(5844, 2344, 8.1, 10899.8),
    writes=Writes(1752, 0, 10980.2, failed=1172, unreadable=1752),
    quorum=Quorum(24.38, lost_at_end=True),
    leader=Leader(0, 24.4, 24.41),
    states=(),
    api_calls=0,
    logs="/tmp/quorumshift-rehearsal-a",
)
BOTH = {"baseline": BAD, "quorumshift": GOOD}

PAGE = """\
                          baseline                quorumshift
outcome                   Deployed                Deployed
serves                    version 2               version 2
requests sent             5,844                   7,488
requests failed           2,344                   0
99th percentile           10,899.8 ms             13.5 ms
writes acknowledged       1,752                   3,744
writes failed             1,172                   0
acknowledged, then lost   unknown                 0
acknowledged, unreadable  1,752                   0
longest stall of a write  10,980 ms               39 ms
without a quorum          24.4 s, to the end      0.0 s
without a leader          24.4 s                  0.0 s

baseline: no quorum answers; nothing can be read or written any more

logs of baseline: /tmp/quorumshift-rehearsal-a
logs of quorumshift: /tmp/quorumshift-rehearsal-b"""


def test_the_page() -> None:
    assert as_text(BOTH) == PAGE


def test_players_get_rows_of_their_own() -> None:
    happy = PlayersFound(300, 175, 0, 0.0, 0, 1914, 0, 0, 0, 0)
    angry = PlayersFound(112, 1_931, 1_902, 11.25, 243, 702, 12, 298, 0, 702)
    page = as_text(
        {"baseline": replace(BAD, players=angry), "quorumshift": replace(GOOD, players=happy)}
    )
    at = PAGE.index("\n\nbaseline:")
    rows = """
players connected         112                     300
connections broken        1,902                   0
longest gap of a player   11.25 s                 0.00 s
commands acknowledged     702                     1,914
commands not answered     298                     0"""
    assert page == PAGE[:at] + rows + PAGE[at:]


def test_the_page_fits_80_columns() -> None:
    most = replace(
        BAD,
        requests=Requests(99_999, 99_999, 9_999.9, 99_999.9),
        writes=Writes(49_999, 1_234, 99_999.0, failed=49_999, unreadable=49_999),
        quorum=Quorum(9_999.9, lost_at_end=True),
    )
    page = as_text({"baseline": most, "quorumshift": most})
    assert max(len(line) for line in page.splitlines()) <= 80
    assert "unknown (at least 1,234)" in page


def test_a_way_that_was_rolled_back_says_why() -> None:
    undone = replace(GOOD, outcome=Outcome.ROLLED_BACK, cause="an alarm rang")
    page = as_text({"baseline": undone, "quorumshift": GOOD})
    assert "Rolled back" in page
    assert "baseline: an alarm rang" in page


def test_the_json_has_each_result_under_its_way() -> None:
    document = json.loads(as_json(BOTH))
    assert {name: from_json(Result, result) for name, result in document.items()} == BOTH
