"""``--help`` answers at once, whatever a verb needs to do its work."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from quorumshift.cli.main import main

VERBS = (
    "doctor",
    "deploy",
    "status",
    "watch",
    "verify",
    "stop",
    "rollback",
    "history",
    "plan",
    "rehearse",
)
SECONDS = 0.15
"""Of the processor: what a quiet machine takes by the clock."""


def test_help_needs_less_than_150_ms() -> None:
    assert min(_help() for _ in range(5)) < SECONDS


def _help() -> float:
    before = _spent()
    command = [sys.executable, "-m", "quorumshift.cli.main", "deploy", "--help"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return _spent() - before


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_no_client_of_aws_is_loaded_for_it() -> None:
    code = "import sys, quorumshift.cli.main as m; m.parser(); print('botocore' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "False"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_tells_its_options_and_exit_codes(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit:
        main([verb, "--help"])
    assert exit.value.code == 0
    page = " ".join(capsys.readouterr().out.split())
    assert "exit codes: 0 " in page
    assert "--output {text,json}" in page
