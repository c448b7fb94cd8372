"""Text from outside, by kind of output."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quorumshift.domain.shown import as_json, job_data, job_line, markdown, one_line, page

SOME = "a\x1b[31mb\x9b2J\x7f\u202ec\ud800\u2066"
SHOWN = r"a\x1b[31mb\x9b2J\x7f\u202ec\ud800\u2066"
BIDIRECTIONAL = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def unsafe(text: str) -> list[str]:
    """What a terminal obeys, an eye is misled by, or no encoding takes; by Unicode's own tables."""
    return [
        one
        for one in text
        if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(one) in BIDIRECTIONAL
        or one in "\u200e\u200f\u061c"
    ]


@given(st.text(st.characters(codec=None)))
def test_nothing_unsafe_is_left(text: str) -> None:
    assert unsafe(one_line(text)) == []
    assert unsafe(job_line(text)) == []
    assert unsafe(markdown(text)) == []
    assert set(unsafe(page(text))) <= {"\n", "\t"}
    assert set(unsafe(job_data(text))) <= {"\t"}
    for shown in (one_line(text), page(text), as_json(text)):
        shown.encode()


@given(st.text(st.characters(codec=None)))
def test_json_is_safe_and_faithful(text: str) -> None:
    shown = as_json({"said": text})
    assert set(unsafe(shown)) <= {"\n"}
    assert json.loads(shown) == {"said": text}


def test_json_is_for_people_unless_a_line_is_asked_for() -> None:
    assert as_json({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}'
    assert as_json({"a": [1]}, indent=None) == '{"a": [1]}'


@given(st.text(st.characters(codec=None)))
@example("::")
def test_what_was_shown_is_shown_the_same_again(text: str) -> None:
    for show in (one_line, page, job_line):
        assert show(show(text)) == show(text)


def test_a_reader_sees_that_something_was_there_and_what() -> None:
    assert page(SOME) == one_line(SOME) == job_line(SOME) == SHOWN


def test_words_of_every_language_stay() -> None:
    text = "naïve Größe Ω שלום مرحبا 日本 ✅ 👩‍💻 1 → 2, 50 %"  # what people write
    assert (page(text), one_line(text), job_line(text), markdown(text)) == (text,) * 4
    assert text in as_json(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\r\nb", "a b"), ("a\n\n  b", "a b"), ("a\u2028b\x0bc\x85d", "a b c d"), ("a\tb", "a b")],
)
def test_a_break_is_a_space_where_a_line_is_meant(text: str, line: str) -> None:
    assert one_line(text) == line


@pytest.mark.parametrize("text", ["::error::x", "\n::error::x", "  ::x", "\u2028::x", "##[group]x"])
def test_no_line_of_a_log_is_a_command(text: str) -> None:
    shown = job_line(text)
    assert not shown.lstrip().startswith("::"), "the runner takes leading spaces away first"
    assert "##[" not in shown
    assert len(shown.splitlines()) == 1


def test_a_command_gets_its_data_whole() -> None:
    assert job_data("50 %\n::x, y", ":,") == "50 %25%0A%3A%3Ax%2C y"


def test_markdown_is_text() -> None:
    assert markdown("a|b `c` [d](e) <f> @g & \x1b") == (
        "a\\|b \\`c\\` \\[d\\](e) &lt;f> &#64;g &amp; \\\\x1b"
    )
