"""What Slack is given: within its limits, escaped, with links and columns."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorumshift.domain.slack import LONGEST_TEXT, MOST_BLOCKS, as_slack
from tests.domain.test_notice import EXECUTION, MESSAGES


def texts(subject: str, message: str) -> list[str]:
    blocks = as_slack(subject, message)["blocks"]
    assert 1 <= len(blocks) <= MOST_BLOCKS
    assert {block["type"] for block in blocks} == {"section"}
    assert {block["text"]["type"] for block in blocks} == {"mrkdwn"}
    return [block["text"]["text"] for block in blocks]


@pytest.mark.parametrize("which", MESSAGES)
def test_every_message_has_its_title_its_columns_and_its_link(which: str) -> None:
    said = MESSAGES[which]()
    title, *rest = texts(said.subject, said.message)
    assert title == f"*{said.subject}*"
    assert as_slack(said.subject, said.message)["text"] == said.subject
    assert said.subject not in rest
    assert rest[0].startswith("```\n")
    assert rest[0].endswith("\n```")
    assert "deployment:  d-1" in rest[0]
    assert not any(said.startswith("```") for said in (rest[1], rest[-1]))
    link = f"https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/{EXECUTION}"
    assert rest[-1] == f"Console: <{link}>"


def test_nobody_can_call_a_channel_or_forge_a_link_or_leave_the_columns() -> None:
    said = texts("<!channel>", "a & b <https://x|y>\n\ndescription:  ```<!here>")
    assert said == [
        "*&lt;!channel&gt;*",
        "a &amp; b &lt;<https://x>|y&gt;",
        '```\ndescription:  """&lt;!here&gt;\n```',
    ]


def test_a_full_stop_does_not_belong_to_a_link() -> None:
    assert texts("s", "Its log: https://x/a?b=1&c=2. Next")[1] == (
        "Its log: <https://x/a?b=1&amp;c=2>. Next"
    )


def test_an_alarm_becomes_sentences() -> None:
    alarm = {
        "AlarmName": "sample-deploy-failed",
        "AlarmDescription": "An execution has failed.",
        "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:sample-deploy-failed",
        "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed: 1 > 0",
    }
    title, *rest = texts('ALARM: "sample-deploy-failed" in US East', json.dumps(alarm))
    assert title == "*ALARM: sample-deploy-failed*"
    assert rest[:2] == ["An execution has failed.", "Threshold Crossed: 1 &gt; 0"]
    assert rest[2].startswith("Console: <https://us-east-1.console.aws.amazon.com/cloudwatch/")


@pytest.mark.parametrize("message", ["[1]", '{"a": 1}', "7", "plain", ""])
def test_what_is_no_alarm_stays_as_it_is(message: str) -> None:
    assert texts("subject", message)[1:] == ([message] if message else [])


def test_without_a_subject_the_first_line_is_the_title() -> None:
    assert texts("", "one\ntwo")[0] == "*one*"


def test_an_alarm_without_an_arn_has_no_link() -> None:
    assert texts("s", json.dumps({"AlarmName": "slow"})) == ["*ALARM: slow*"]


def test_a_long_title_is_cut_and_fills_its_block() -> None:
    assert texts("x" * 5000, "m") == [f"*{'x' * (LONGEST_TEXT - 2)}*", "m"]


def test_as_many_blocks_as_slack_takes_and_then_a_word() -> None:
    paragraphs = [f"p{at}" for at in range(MOST_BLOCKS)]
    assert texts("s", "\n\n".join(paragraphs[1:])) == ["*s*", *paragraphs[1:]]
    cut = texts("s", "\n\n".join(paragraphs))
    assert cut[:-1] == ["*s*", *paragraphs[:-2]]
    assert "longer than Slack takes" in cut[-1]


@pytest.mark.parametrize("before", ["", "https://x ", "a  "])
def test_a_long_line_is_cut_where_a_block_is_full_and_nothing_is_lost(before: str) -> None:
    line = before + "".join(chr(ord("a") + at % 26) for at in range(7000))
    first, *rest = texts("s", line)[1:]
    assert len(first) == LONGEST_TEXT
    whole = "".join(one.removeprefix("```\n").removesuffix("\n```") for one in (first, *rest))
    assert whole.replace("<https://x>", "https://x") == line


def test_lines_share_a_block_as_long_as_it_has_room() -> None:
    one, other = "a" * (LONGEST_TEXT - 1001), "b" * 1000
    assert texts("s", f"{one}\n{other}")[1:] == [f"{one}\n{other}"]
    assert texts("s", f"{one}a\n{other}")[1:] == [f"{one}a", other]


@given(
    st.text(st.sampled_from("ab <>&`|\n:/"), max_size=9000),
    st.sampled_from(["", "  name:   ", "https://x ", "<" * 5000, "a\n\n" * 80]),
)
def test_whatever_is_said_stays_within_slacks_limits(text: str, before: str) -> None:
    for said in texts("s", before + text):
        assert 0 < len(said) <= LONGEST_TEXT
        assert not re.search(r"&(?!amp;|lt;|gt;)", said), "cut within a character"
    assert len(texts(text, "m")[0]) <= LONGEST_TEXT
