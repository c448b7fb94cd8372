"""Messages to people: one form, with commands that can be typed and a link that can be followed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from quorumshift.cli.main import parser
from quorumshift.domain.notice import Notice, resumed, started, subject_line, unreconciled
from quorumshift.domain.outcome import Outcome, deployed, failed, rolled_back, rolling_back
from quorumshift.domain.policy import Policy
from tests.domain.test_outcome import ARN, SAID_NO, observed, state

EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:sample-deploy:one"
CAUGHT = {"Error": "ClusterUnsafe", "Cause": json.dumps({"errorMessage": "1 of 3 is down"})}
VERIFIED = {"reasons": ["3 of 3 voters are healthy"]}


def told(**more: Any) -> dict[str, Any]:
    return state(execution={"id": EXECUTION}, verification=VERIFIED, **more)


UNDONE = told(observation=observed((SAID_NO,)), stop={"wasRunning": False})
MESSAGES: dict[str, Callable[[], Notice | Outcome]] = {
    "started": lambda: started("sample", told()),
    "rolling back": lambda: rolling_back("sample", UNDONE, Policy()),
    "rolled back": lambda: rolled_back("sample", UNDONE, (), Policy()),
    "deployed": lambda: deployed("sample", told()),
    "failed": lambda: failed("sample", told(failure=CAUGHT), "It stands so", touched=True),
    "refused": lambda: failed("sample", told(failure=CAUGHT), "Nothing was touched", touched=False),
    "resumed": lambda: resumed("sample", "d-1", EXECUTION),
}


@pytest.mark.parametrize("which", MESSAGES)
def test_a_message_can_be_read_by_a_person_and_followed_to_the_console(which: str) -> None:
    said = MESSAGES[which]()
    first, *rest = said.message.splitlines()
    assert first == said.subject == subject_line(said.subject)
    link = f"https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/{EXECUTION}"
    assert rest[-1] == f"Console: {link}"
    assert "deployment:  d-1" in rest
    assert not [line for line in rest if "None" in line or "{" in line]


LONG = "orders: failed (" + "Word" * 30 + ")"


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("orders: zurückgerollt – 部署", "orders: zurückgerollt – 部署"),
        ("orders:\tfailed\r\n(\x1b[31mX\x07)", "orders: failed ( [31mX )"),
        ("a\u2028b\u202ec\ud800d", "a b c d"),
        ("x" * 99, "x" * 99),
        ("x" * 100, "x" * 98 + "…"),
        ("é" * 100, "é" * 98 + "…"),
        ("🚢" * 50, "🚢" * 49 + "…"),
        ("five " * 20, ("five " * 20).strip()),
        ("five " * 21, "five " * 18 + "five…"),
        (LONG, LONG[:98] + "…"),
    ],
)
def test_a_subject_is_what_sns_takes(text: str, subject: str) -> None:
    assert subject_line(text) == subject
    assert len(subject.encode("utf-16-le")) // 2 < 100


@pytest.mark.parametrize("which", MESSAGES)
def test_its_commands_can_be_typed(which: str) -> None:
    lines = MESSAGES[which]().message.splitlines()
    commands = [line.split("  ")[1] for line in lines if line.startswith("  quorumshift ")]
    assert commands
    for command in commands:
        words = shlex.split(command)[1:]
        options = parser().parse_args(words)
        assert options.verb == words[0]
        assert getattr(options, "execution", "one") in ("one", "latest")


def test_a_start_says_who_wants_what_and_how_to_stop_it() -> None:
    said = started("sample", told())
    for line in (
        "asked for:   image v12",
        "description: new menu",
        "asked by:    run 7",
        "from:        sample:11",
        "to:          sample:12",
        "image:       sample@sha256:1",
        "traffic:     CodeDeployDefault.ECSAllAtOnce",
        "  VerifyRaft            yes  3 of 3 voters are healthy",
    ):
        assert line in said.message.splitlines()
    assert "sample:12 is to replace sample:11" in said.message
    assert "quorumshift stop one " in said.message


@pytest.mark.parametrize(
    ("running", "says"), [(True, "d-1 is being stopped"), (False, "d-1 has ended by itself")]
)
def test_a_rollback_that_begins_says_why_and_who_ended_it(running: bool, says: str) -> None:
    said = rolling_back("sample", {**UNDONE, "stop": {"wasRunning": running}}, Policy())
    assert said.subject == "sample: rolling back (CheckFailed)"
    assert says in said.message
    assert "AfterInstall said no: RuntimeError: boom" in said.message
    assert "sample:11 gets the traffic back" in said.message


def test_a_name_that_a_shell_would_take_apart_is_quoted() -> None:
    odd = {"execution": {"id": EXECUTION.replace(":one", ":it's me")}}
    (line,) = [
        line for line in started("sample", odd).message.splitlines() if "quorumshift watch" in line
    ]
    assert shlex.split(line.partition("  follow")[0])[2] == "it's me"


def test_where_little_is_known_little_is_said() -> None:
    bare = failed("sample", {"failure": CAUGHT}, "Nothing was touched", touched=False)
    assert bare.message.splitlines()[:3] == [
        "sample: failed (ClusterUnsafe)",
        "",
        "1 of 3 is down. Nothing was touched.",
    ]
    assert "Console" not in bare.message
    assert ARN not in bare.message


def test_votes_that_do_not_follow_the_tasks_are_told_with_where_to_look() -> None:
    said = unreconciled("sample", "b2 votes and has no task.")
    assert said.subject == "sample: the votes need a person"
    assert "no step of ours mends it: b2 votes and has no task. Until it is" in said.message
    assert "  quorumshift plan " in said.message


def test_people_are_told_how_to_end_a_hand_over_that_goes_on() -> None:
    said = resumed("sample", "d-1", "arn:d-1-green")
    assert said.subject == "sample: hand-over resumed"
    assert "arn:d-1-green" in said.message
    assert "stop deployment d-1" in said.message
