"""The doctor's tree, and the same as JSON."""

from __future__ import annotations

import json
import re

from quorumshift.domain.doctor import Check, Group, State, diagnose
from quorumshift.report.doctor import as_json, as_text
from tests.domain.fit_account import EXPECTED, bare

WHY = "because there is no service"
TREE = (
    Group("account", (Check("region", State.OK, "us-east-1"),)),
    Group(
        "service",
        (
            Check(
                "service",
                State.NG,
                "there is no active service app " + 7 * "far and wide ",
                "fix it",
            ),
            Check("controller", State.SKIP, WHY),
            Check("steady", State.SKIP, WHY),
            Check("cluster", State.SKIP, "not allowed to look: ecs:DescribeClusters is missing"),
        ),
    ),
)


def test_each_check_is_a_line_with_its_fix_below() -> None:
    assert as_text(TREE).splitlines() == [
        "OK   account",
        "  OK   region: us-east-1",
        "NG   service",
        "  NG   service: there is no active service app " + " ".join(4 * ["far and wide"]),
        "       far and wide far and wide far and wide",
        "       fix: fix it",
        "  SKIP controller, steady: because there is no service",
        "  SKIP cluster: not allowed to look: ecs:DescribeClusters is missing",
        "1 OK, 3 SKIP, 1 NG",
    ]


def test_colours_change_nothing_but_colours() -> None:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", as_text(TREE, colour=True))
    assert plain == as_text(TREE)
    assert "\x1b[31;1mNG  \x1b[0m service: " in as_text(TREE, colour=True)


def test_the_document_counts_and_holds_every_check() -> None:
    document = json.loads(json.dumps(as_json(TREE)))
    assert document["state"] == "ng"
    assert document["counts"] == {"ok": 1, "skip": 3, "ng": 1}
    first = document["groups"][1]["checks"][0]
    assert first.keys() == {"name", "state", "seen", "fix"}
    assert len(document["groups"][1]["checks"]) == 4


def test_no_line_of_a_real_tree_is_wider_than_a_page() -> None:
    assert max(map(len, as_text(diagnose(EXPECTED, bare())).splitlines())) <= 100
