"""The page of ``quorumshift plan``: as written down, within its width, and with every word told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from quorumshift.adapters.raft.etcd import EtcdRaft
from quorumshift.domain.data import from_json
from quorumshift.domain.forecast import Death, Fate
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.prospect import Prospect, look_ahead
from quorumshift.domain.raft import ClusterObservation, Colour, Standing
from quorumshift.report.plan import as_json, as_text
from quorumshift.report.plan_grid import MEANINGS, WORDS, cell
from quorumshift.report.plan_nodes import Nodes
from tests.domain import cases
from tests.domain.strategies import ETCD, fleet

PAGES = Path(__file__).parent.parent / "testdata" / "plan"


def prospect(name: str) -> Prospect:
    asked = cases.question("handover", name)
    dialect, policy = from_json(Dialect, asked["dialect"]), from_json(Policy, asked["policy"])
    return look_ahead(cases.observation("handover", name), Colour(asked["goal"]), dialect, policy)


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("locks-come-before-the-first-change", 80),
        ("a-silent-voter-leaves-before-a-healthy-one", 100),
        ("one-task-cannot-be-locked", 100),
        ("an-election-is-waited-for", 100),
        ("back-past-the-point-of-no-return", 120),
        ("a-first-contract-cluster-moves-to-green", 80),
        ("back-under-a-first-contract-leader-moves-leadership-first", 100),
    ],
)
def test_page(name: str, width: int) -> None:
    page = as_text(prospect(name), width) + "\n"
    path = PAGES / f"{name}.{width}.txt"
    if os.environ.get("QUORUMSHIFT_REGENERATE"):
        path.write_text(page)
    assert page == path.read_text()


@pytest.mark.parametrize("width", [80, 100, 120])
def test_three_nodes_fit(width: int) -> None:
    page = as_text(look_ahead(fleet(3, 0), Colour.GREEN, ETCD, Policy()), width)
    assert max(len(line) for line in page.splitlines()) <= width


def test_many_nodes_go_into_blocks_of_the_grid() -> None:
    page = as_text(look_ahead(fleet(9, 9), Colour.GREEN, ETCD, Policy()), 100)
    grid = page[page.index("If one node died") :]
    assert max(len(line) for line in grid.splitlines()) <= 100
    assert grid.count("step") >= 2
    heads = " ".join(line for line in grid.splitlines() if " step " in line)
    assert {f"{colour}{at}" for colour in "bg" for at in range(1, 10)} <= set(heads.split())


def test_the_point_of_no_return_stands_before_the_step_that_crosses_it() -> None:
    lines = as_text(prospect("locks-come-before-the-first-change")).splitlines()
    (mark,) = [at for at, line in enumerate(lines) if "point of no return" in line]
    assert "yes" in lines[mark - 1].split()
    assert lines[mark + 1].split()[-2:] == ["no", "no"]


def test_nodes_have_short_names_in_the_order_of_their_addresses() -> None:
    seen = fleet(11, 2, gone="b1")
    nodes = Nodes(seen)
    assert nodes["b1"] == "x1"
    assert (nodes["b2"], nodes["b9"], nodes["b10"]) == ("b1", "b8", "b9")
    three = ["b2", "b3", "b4"]
    assert nodes.group(three, {}) == "b1-b3"
    assert nodes.group(three, {"b3": "*"}) == "b1 b2* b3"
    assert nodes.group([*three, "g1"], dict.fromkeys(three, "*")) == "b1*-b3* g1"
    assert nodes.group(["b2", "b4", "b5"], {}) == "b1 b3 b4"


@pytest.mark.parametrize(
    ("death", "says"),
    [
        (Death("a", Standing.VOTER, 1, False, Fate.GOES_ON), "1 on"),
        (Death("a", Standing.VOTER, 0, True, Fate.TURNS_BACK), "0 back~"),
        (Death("a", Standing.VOTER, -1, True, Fate.QUORUM_LOST), "LOST~"),
        (Death("a", Standing.LEARNER, 1, False, Fate.GOES_ON), "1 on"),
        (Death("a", Standing.OUTSIDE, 1, False, Fate.GOES_ON), "."),
        (Death("a", Standing.OUTSIDE, 1, False, Fate.WAITS), "1 wait"),
    ],
)
def test_a_cell(death: Death, says: str) -> None:
    assert cell(death) == says


def test_every_word_of_the_grid_is_explained() -> None:
    assert set(WORDS) == set(Fate)
    assert set(WORDS.values()) <= set(MEANINGS)


def test_the_keys_stay() -> None:
    document = json.loads(as_json(prospect("locks-come-before-the-first-change")))
    assert sorted(document) == [
        "busy",
        "deployment",
        "dialect",
        "ending",
        "forecast",
        "goal",
        "imagined",
        "observation",
        "outlook",
        "plan",
        "policy",
        "safe",
        "stopped",
    ]
    assert document["plan"]["decision"] == "step"
    assert document["forecast"][0][0] == {
        "address": "b1",
        "standing": "voter",
        "tolerance": 0,
        "election": True,
        "fate": "goesOn",
    }
    row = document["plan"]["path"][1]
    assert {"voters", "learners", "leader", "locked", "quorum", "tolerance"} <= set(row)
    assert {"greenMayVanish", "blueMayVanish", "pointOfNoReturn", "step"} <= set(row)


def test_the_page_in_the_docs_is_what_the_command_says() -> None:
    seen = from_json(ClusterObservation, json.loads((PAGES / "nobody-deploys.json").read_text()))
    page = as_text(look_ahead(seen, Colour.GREEN, EtcdRaft.dialect, Policy()), 80) + "\n"
    shown, docs = PAGES / "nobody-deploys.80.txt", Path(__file__).parents[2] / "docs" / "plan.md"
    if os.environ.get("QUORUMSHIFT_REGENERATE"):
        shown.write_text(page)
        before, rest = docs.read_text().split("```text\n", 1)
        docs.write_text(f"{before}```text\n{page}" + rest[rest.index("```\n") :])
    assert page == shown.read_text()
    assert f"```text\n{page}```\n" in docs.read_text()
