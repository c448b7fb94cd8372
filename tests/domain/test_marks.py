"""The mark that finds an execution's deployment again."""

from __future__ import annotations

import re

from quorumshift.domain.marks import (
    LONGEST_DESCRIPTION,
    build_mark,
    describe,
    mark_for,
    read_mark,
)

ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/sample:12"


def test_a_mark_is_read_back_behind_the_longest_description() -> None:
    mark = mark_for("arn:execution:1", ARN)
    text = describe("x" * 300, mark)
    assert len(text) == LONGEST_DESCRIPTION
    assert read_mark(text) == mark
    assert mark.revision == 12


def test_the_two_hundred_characters_of_a_request_survive() -> None:
    assert describe("y" * 200, mark_for("e", ARN)).startswith("y" * 200 + " [")


def test_other_executions_have_other_marks() -> None:
    assert mark_for("e1", ARN) != mark_for("e2", ARN)


def test_what_others_write_is_no_mark() -> None:
    assert read_mark(None) is None
    assert read_mark("by hand") is None
    assert read_mark("[quorumshift 123456789abc r1] and more") is None


def test_a_mark_tells_what_served_by_then_where_that_is_of_the_same_family() -> None:
    older = ARN.removesuffix("12") + "11"
    mark = mark_for("e", ARN, older)
    assert (mark.revision, mark.over) == (12, 11)
    assert read_mark(describe("new menu", mark)) == mark
    assert mark.execution == mark_for("e", ARN).execution
    assert mark_for("e", ARN, older.replace("/sample", "/other")).over is None
    assert describe("y" * 200, mark).startswith("y" * 200 + " [")


def test_a_builds_mark_is_32_hex_digits_of_its_execution() -> None:
    assert re.fullmatch("[0-9a-f]{32}", build_mark("e1"))
    assert build_mark("e1") == build_mark("e1") != build_mark("e2")
