"""Both arms of ``rehearse --baseline`` in one answer; what an arm does is in test_baseline.py."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks.__main__ import baseline_missed
from quorumshift.cli import arms
from quorumshift.cli.main import parser
from quorumshift.rehearsal.result import Outcome, Quorum, Result
from quorumshift.rehearsal.ways import Way
from tests.report.test_side_by_side import BAD, BOTH, GOOD

Arms = dict[str, tuple[int, Result | None]]


def compared(monkeypatch: pytest.MonkeyPatch, told: Arms) -> int:
    """The command's exit code, when its arms end so."""

    def arm(way: Way, _options: object) -> tuple[int, Result | None]:
        return told[way.name]

    monkeypatch.setattr(arms, "_run", arm)
    return arms.compare(parser().parse_args(["rehearse", "--baseline", "--output", "json"]))


def test_both_are_told_and_the_product_s_end_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compared(monkeypatch, {"baseline": (1, BAD), "quorumshift": (0, GOOD)}) == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert list(told) == ["baseline", "quorumshift"]
    assert told["baseline"]["quorum"]["lostAtEnd"]
    assert [line[:6] for line in said.err.splitlines()] == ["1 of 2", "2 of 2"]


def test_an_arm_without_a_result_ends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compared(monkeypatch, {"baseline": (1, None)}) == 1
    assert capsys.readouterr().out == ""


def test_the_benchmark_says_what_the_comparison_fails_to_show() -> None:
    assert baseline_missed(BOTH) == []
    worse = replace(GOOD, outcome=Outcome.FAILED, quorum=Quorum(0.2, lost_at_end=False))
    assert baseline_missed({"baseline": GOOD, "quorumshift": worse}) == [
        "the baseline kept its quorum",
        "Failed instead of Deployed",
        "0.2 s without quorum",
    ]
