"""Trap 5: the script's log lines went to standard output, so that whoever captured the deployment
id got log text with it. Standard output holds the result and nothing else."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quorumshift.cli import main as command
from quorumshift.rehearsal.result import (
    Duration,
    Leader,
    Outcome,
    Quorum,
    Requests,
    Result,
    Writes,
)
from quorumshift.rehearsal.world import EventLog
from tasks import create_deployment
from tests.domain.cases import TESTDATA
from tests.tasks.aws import EXECUTION
from tests.traps.conftest import ROOT, Deployed, Shipped
from tests.usecases.service import DEPLOYMENT

GAME = "arn:aws:ecs:us-east-1:123456789012:task-definition/game:7"
SEEN = TESTDATA / "handover" / "nine-to-nine" / "observation.json"


def plan(shipped: Shipped, observation: Path) -> subprocess.CompletedProcess[str]:
    """Run ``quorumshift plan`` as a script would."""
    arguments = ["--config", str(shipped.path), "--observation", str(observation)]
    return subprocess.run(
        [sys.executable, "-m", "quorumshift.cli.main", "plan", *arguments, "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_plan_is_one_document(shipped: Shipped) -> None:
    said = plan(shipped, SEEN)
    assert json.loads(said.stdout)["plan"]["decision"]
    assert said.stderr == ""


def test_a_complaint_is_no_result(shipped: Shipped, tmp_path: Path) -> None:
    said = plan(shipped, tmp_path / "nowhere.json")
    assert (said.returncode, said.stdout) == (2, "")
    assert "nowhere.json" in said.stderr


RESULT = Result(
    outcome=Outcome.DEPLOYED,
    cause="",
    version_served="2",
    fault=None,
    nodes=3,
    requests=Requests(1, 0, 1.0, 1.0),
    writes=Writes(1, 0, 1.0, 0, 0),
    quorum=Quorum(0.0, False),
    leader=Leader(1, 0.1, 0.1),
    hooks=(),
    states=(),
    api_calls=0,
    duration=Duration(1.0),
    logs="",
)


class Talkative:
    """Tells what a rehearsal tells on its way, without one."""

    load = None

    def __init__(self, _: Any) -> None:
        self.world = self
        self.events = EventLog()

    def __enter__(self) -> Talkative:
        return self

    def __exit__(self, *_: object) -> None:
        self.events.say("stage", "everything was ended")

    def run(self) -> Result:
        """The result, after a line of each kind."""
        for kind in ("stage", "hook", "deployment", "error"):
            self.events.say(kind, f"Log line of {kind}.")
        return RESULT


Rehearse = Callable[[], tuple[str, str]]


@pytest.fixture
def rehearse(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Rehearse:
    """``rehearse()``: what the command says on standard output and on standard error."""
    monkeypatch.setattr("quorumshift.rehearsal.run.Rehearsal", Talkative)
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def call() -> tuple[str, str]:
        assert command.main(["rehearse", "--output", "json"]) == 0
        spoken = capfd.readouterr()
        return spoken.out, spoken.err

    return call


def test_a_rehearsal_prints_its_result_and_tells_its_progress_elsewhere(
    rehearse: Rehearse,
) -> None:
    result, progress = rehearse()
    assert json.loads(result)["outcome"] == "Deployed"
    assert progress.count("Log line") == 4


def test_progress_in_the_result_is_found_out(
    rehearse: Rehearse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", sys.stdout)
    with pytest.raises(json.JSONDecodeError):
        json.loads(rehearse()[0])


def test_a_deployment_id_is_an_id(deployed: Deployed) -> None:
    deployed()
    state = {
        "request": {"deploymentConfig": "CodeDeployDefault.ECSAllAtOnce"},
        "revision": dict.fromkeys(("from", "to"), GAME),
        "execution": EXECUTION,
    }
    assert create_deployment.handler(state, None)["id"] == DEPLOYMENT


MAY_PRINT = {
    "quorumshift/cli/rehearse.py:put_out",
    "quorumshift/cli/arms.py:_run_here",  # a child, whose standard output its parent reads
}
"""What writes results."""


def printing(source: str, where: str) -> Iterator[str]:
    """The functions in a module that print without saying where to."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for node in ast.walk(function):
                if (
                    isinstance(node, ast.Call)
                    and getattr(node.func, "id", "") == "print"
                    and not any(keyword.arg == "file" for keyword in node.keywords)
                ):
                    yield f"{where}:{function.name}"


def test_nothing_but_results_is_printed_by_the_command_line() -> None:
    found = {
        name
        for part in ("cli", "report")
        for path in (ROOT / "quorumshift" / part).rglob("*.py")
        for name in printing(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    }
    assert found == MAY_PRINT
