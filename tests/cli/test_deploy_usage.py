"""What ``deploy`` and ``rollback`` refuse before anybody is asked, and the names they make."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from quorumshift.cli.deploy import LONGEST_NAME, default_name
from quorumshift.cli.main import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    try:
        code = main(arguments)
    except SystemExit as exit:
        code = int(str(exit.code))
    spoken = capsys.readouterr()
    assert spoken.out == ""
    assert len(spoken.err.splitlines()) == 1
    return code, spoken.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("deploy",), "no terminal to ask on; add --yes"),
        (("rollback", "--to", "app:3"), "no terminal to ask on; add --yes"),
        (("deploy", "--yes", "--execution-name", "a b"), "--execution-name 'a b'"),
        (("deploy", "--yes", "--image", "x", "--task-definition", "y"), "not allowed with"),
        (("deploy", "--yes", "--config", "/nowhere/q.toml"), "/nowhere/q.toml"),
        (("history", "--limit", "0"), "no number from 1 to"),
    ],
)
def test_bad_usage_gets_one_line_and_exit_code_2(
    arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(capsys, *arguments)
    assert code == 2
    assert says in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--image", "no image"), "image: 'no image' is not usable"),
        (("--source", "owner/name"), "source.repository"),
        (("--source", "owner/name@main"), "source.commit"),
        (("--task-definition", "newest"), "taskDefinition: 'newest'"),
        (("--deployment-config", "a b"), "deploymentConfig"),
        (("--description", "x" * 300), "description: 300 characters"),
    ],
)
def test_a_bad_request_gets_one_line_and_exit_code_2(
    arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(capsys, "deploy", "--yes", *arguments)
    assert code == 2
    assert says in said


def test_a_name_is_made_from_time_and_initiator() -> None:
    at = datetime(2026, 11, 23, 6, 50, tzinfo=UTC)
    assert default_name(at, "ada@host.example") == "20261123T065000Z-ada-host-example"
    assert default_name(at, "") == "20261123T065000Z"
    assert len(default_name(at, "x" * 200)) == LONGEST_NAME
