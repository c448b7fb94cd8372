"""The page of the benchmarks: sections, tables, and what is kept between two runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import faults, page
from benchmarks.__main__ import SECTIONS
from quorumshift.rehearsal.fault_matrix import all_faults


def test_every_section_has_its_place_on_the_page() -> None:
    text = page.PAGE.read_text()
    assert [name for name in SECTIONS if text.count(f"<!-- {name} -->") != 1] == []


def test_only_the_section_is_written(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("before\n<!-- a -->\nold\n<!-- /a -->\nbetween\n<!-- b -->\n<!-- /b -->\n")
    page.write("a", "new\n", file)
    page.write("b", "more\n", file)
    assert file.read_text() == (
        "before\n<!-- a -->\nnew\n<!-- /a -->\nbetween\n<!-- b -->\nmore\n<!-- /b -->\n"
    )
    assert page.read("a", file) == "new\n"
    with pytest.raises(ValueError, match="no markers"):
        page.write("c", "text", file)


def test_a_spread_is_three_values() -> None:
    assert page.spread([3.0, 1.0, 2000.0]) == "1.0 / 3.0 / 2,000.0"
    assert page.spread([]) == "–"


def result(
    outcome: str, lost_seconds: float = 0.0, lost: int = 0, failed: int = 0, **others: object
) -> dict[str, object]:
    """Of a rehearsal, as far as the table reads it."""
    return {
        "outcome": outcome,
        "versionServed": "2" if outcome == "Deployed" else "1",
        "cause": "exit; tolerance is 0",
        "requests": {"failed": failed},
        "writes": {"lost": lost},
        "leader": {"lostSeconds": 1.25},
        "quorum": {"lostSeconds": lost_seconds},
        **others,
    }


def test_a_fault_is_wrong_when_its_end_its_quorum_or_its_writes_are() -> None:
    def judged(name: str, found: dict[str, object] | None) -> str:
        return faults.wrong(faults.read(name, found))

    assert judged("bad-image", result("RolledBack")) == ""
    assert "Deployed instead of RolledBack" in judged("bad-image", result("Deployed"))
    assert "0.4 s without quorum" in judged("bad-image", result("RolledBack", 0.4))
    assert "2 acknowledged writes" in judged("bad-image", result("RolledBack", lost=2))
    assert "broken" in judged("bad-image", None)
    assert judged("kill-blue-leader@after", result("Deployed")) == ""
    assert judged("kill-blue-leader@after", result("RolledBack")) == ""
    assert judged("kill-blue-leader@after", result("Failed")) != ""
    assert judged("degraded", result("Failed")) == ""


def test_a_fault_is_wrong_when_another_version_serves_or_another_cause_is_told() -> None:
    def judged(name: str, found: dict[str, object]) -> str:
        return faults.wrong(faults.read(name, found))

    assert "yet version 2 serves" in judged("stop", result("RolledBack", versionServed="2"))
    assert "yet version 1 serves" in judged("lost-task", result("Deployed", versionServed="1"))
    assert "does not say: health" in judged("unhealthy-green", result("RolledBack"))
    assert judged("deploy-killed@handed-over", result("Failed", versionServed="2")) == ""
    assert judged("kill-green", result("Deployed", failed=5)) == ""
    assert "6 requests failed" in judged("kill-green", result("Deployed", failed=6))
    assert "1 requests failed" in judged("move-leader", result("Deployed", failed=1))
    assert judged(faults.MIGRATION, result("Deployed", players={"commandsLost": 0})) == ""
    lost = result("Deployed", players={"commandsLost": 3})
    assert "3 commands of players were lost" in judged(faults.MIGRATION, lost)
    assert "instead of Deployed" in judged(faults.MIGRATION, result("Failed"))


def test_every_fault_has_an_end_that_the_benchmark_compares() -> None:
    """One that nobody wrote down raises."""
    assert [name for name in faults.all_names() if not faults.read(name, None)[1]] == []


def test_the_table_of_faults_is_read_back_and_keeps_its_order() -> None:
    names = all_faults()
    first = {name: faults.read(name, result("Deployed")) for name in names[4:7]}
    section = faults.text(names, first, "a command")
    assert faults.known(section) == first
    both = {names[1]: faults.read(names[1], None), **faults.known(section)}
    assert list(faults.known(faults.text(names, both, "a command"))) == [names[1], *names[4:7]]
    assert f"of {len(names)} there are" in section


def test_rows_of_faults_that_are_no_more_are_left_out() -> None:
    gone = {"no-such-fault": ("no-such-fault", "Deployed", "Deployed", "0", "0", "0", "0")}
    assert faults.known(faults.text(all_faults(), gone, "a command")) == {}
