"""The action's step, as a runner runs it, against the embedded AWS."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quorumshift.rehearsal.world import World
from tests.rehearsal.action_runner import ROOT, Runner, action
from tests.rehearsal.machines import ended

Machines = Callable[..., str]

VERIFIED = {"verification": {"reasons": ["3 of 3 voters are healthy."]}}
CREATED = {**VERIFIED, "deployment": {"id": "d-ABC", "adopted": False}}


def states(end: dict[str, Any], name: str, seconds: int = 1) -> dict[str, Any]:
    """A deployment that takes some of AWS's seconds and ends in state ``name``."""
    return {
        "VerifyRaft": {"Type": "Pass", "Result": VERIFIED, "Next": "CreateDeployment"},
        "CreateDeployment": {"Type": "Pass", "Result": CREATED, "Next": "WaitForDeployment"},
        "WaitForDeployment": {"Type": "Wait", "Seconds": seconds, "Next": name},
        name: end,
    }


@pytest.fixture
def runner(tmp_path: Path, world: World) -> Runner:
    return Runner(tmp_path, world)


@pytest.fixture
def good(machine: Machines) -> str:
    return machine(states({"Type": "Succeed"}, "Deployed"))


def executions(world: World, arn: str) -> list[dict[str, Any]]:
    listed = world.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    return [dict(each) for each in listed]


def fail(cause: str = "an alarm rang") -> dict[str, Any]:
    return {"Type": "Fail", "Error": "AlarmActive", "Cause": cause}


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_deployment_that_goes_well(runner: Runner, world: World, good: str) -> None:
    assert runner.run(good, image="v2", description="why") == 0
    (execution,) = executions(world, good)
    assert execution["name"] == "github-4711-deploy"
    assert runner.outputs["execution-arn"] == execution["executionArn"]
    assert (runner.outputs["ending"], runner.outputs["deployment-id"]) == ("deployed", "d-ABC")
    described = world.client("stepfunctions").describe_execution(
        executionArn=execution["executionArn"]
    )
    assert json.loads(described["input"]) == {
        "image": "v2",
        "description": "why",
        "initiator": "octocat, https://github.com/owner/name/actions/runs/4711",
    }
    assert "::group::Deployment\n" in runner.told
    assert "deployment  d-ABC created" in runner.told
    assert runner.told.count("::group::") == runner.told.count("::endgroup::") >= 2
    assert runner.summary.startswith("## ✅ Deployed\n")
    assert "WaitForDeployment --> Deployed" in runner.summary


@pytest.mark.parametrize(
    ("name", "code", "ending"),
    [("RolledBack", 3, "rolledBack"), ("Failed", 1, "failed")],
)
def test_it_ends_as_the_execution_ended(
    runner: Runner, machine: Machines, name: str, code: int, ending: str
) -> None:
    assert runner.run(machine(states(fail(), name))) == code
    assert runner.outputs["ending"] == ending
    assert "::an alarm rang\n" in runner.told
    assert "To try again, start a new run" in runner.summary


def test_a_refusal_has_its_own_code(runner: Runner, machine: Machines) -> None:
    assert runner.run(machine({"Failed": fail("2 of 3 voters are healthy")})) == 4
    assert "::error title=Refused (nothing was touched)::2 of 3" in runner.told


def test_a_re_run_deploys_nothing_and_reports_the_same(
    runner: Runner, world: World, machine: Machines
) -> None:
    arn = machine(states(fail(), "RolledBack"))
    assert runner.run(arn, image="v2") == 3
    assert runner.run(arn, image="v2") == 3
    assert "A re-run deploys nothing" in runner.told
    assert len(executions(world, arn)) == 1


def test_a_re_run_adopts_what_still_runs(runner: Runner, world: World, machine: Machines) -> None:
    arn = machine(states({"Type": "Succeed"}, "Deployed", seconds=240))
    first = runner.start(arn)
    until(lambda: bool(executions(world, arn)))
    first.send_signal(signal.SIGINT)
    assert first.wait(60) == 130
    assert runner.run(arn) == 0
    assert len(executions(world, arn)) == 1


def test_another_request_under_the_same_name_is_not_taken_for_the_same(
    runner: Runner, world: World, good: str
) -> None:
    assert runner.run(good, image="v2") == 0
    assert runner.run(good, image="v3") == 2
    assert "was asked for something else" in runner.told
    assert Runner(runner.folder, world, job="another").run(good, image="v3") == 0
    assert len(executions(world, good)) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_cancelling_stops_the_waiting_alone_and_says_how_to_stop_the_rest(
    runner: Runner, world: World, machine: Machines, number: signal.Signals
) -> None:
    arn = machine(states({"Type": "Succeed"}, "Deployed", seconds=600))
    step = runner.start(arn)
    until(lambda: "d-ABC created" in runner.told)
    asked = time.monotonic()
    step.send_signal(number)
    assert step.wait(60) == 130
    assert time.monotonic() - asked < 7.5  # then the runner insists
    (execution,) = executions(world, arn)
    assert execution["status"] == "RUNNING"
    for where in (runner.told, runner.summary):
        assert "The deployment goes on." in where
        assert "aws deploy stop-deployment --auto-rollback-enabled --deployment-id d-ABC" in where
    world.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])


def test_an_execution_that_somebody_stops_is_told_as_such(
    runner: Runner, world: World, machine: Machines
) -> None:
    arn = machine(states({"Type": "Succeed"}, "Deployed", seconds=600))
    step = runner.start(arn)
    until(lambda: "d-ABC created" in runner.told)
    (execution,) = executions(world, arn)
    world.client("stepfunctions").stop_execution(
        executionArn=execution["executionArn"], cause="enough"
    )
    assert step.wait(60) == 1
    assert runner.outputs["ending"] == "stopped"
    assert (
        "::error title=Stopped (with a deployment whose end it did not see%3A look at it)::enough"
        in runner.told
    )


def test_an_execution_that_cannot_be_seen_any_more_is_left_with_a_word(
    runner: Runner, world: World, machine: Machines
) -> None:
    arn = machine(states({"Type": "Succeed"}, "Deployed", seconds=600))
    step = runner.start(arn)
    until(lambda: "d-ABC created" in runner.told)
    world.client("stepfunctions").delete_state_machine(stateMachineArn=arn)
    assert step.wait(100) == 1
    assert "::error title=No longer followed::" in runner.told
    assert "DoesNotExist" in runner.told
    assert "--deployment-id d-ABC" in runner.summary


def test_more_events_than_one_reading_asks_for_are_all_told(
    runner: Runner, world: World, machine: Machines
) -> None:
    many: dict[str, Any] = {
        f"Step{number}": {"Type": "Pass", "Next": f"Step{number + 1}"} for number in range(120)
    }
    many["Step120"] = {"Type": "Pass", "Result": VERIFIED, "Next": "Deployed"}
    arn = machine({**many, "Deployed": {"Type": "Succeed"}})
    assert runner.run(arn) == 0
    assert "Step0 --> Step1\n" in runner.summary
    assert "Step120 --> Deployed" in runner.summary
    assert runner.summary.count(" --> ") == 121
    ended(world, runner.outputs["execution-arn"])


def test_what_the_execution_says_is_no_command_to_the_runner(
    runner: Runner, machine: Machines
) -> None:
    cause = "bad\n::add-mask::x\n##[set-output name=ending]deployed 100%"
    assert runner.run(machine(states(fail(cause), "RolledBack"))) == 3
    assert not any(line.startswith("::add-mask") for line in runner.told.splitlines())
    assert "::bad%0A::add-mask::x%0A##[set-output" in runner.told


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"state-machine": "deploy"}, "'deploy' is no state machine's ARN"),
        ({"source": "main"}, "write owner/name@<commit>"),
    ],
)
def test_an_input_that_cannot_be_meant_is_bad_usage(
    runner: Runner, good: str, inputs: dict[str, str], says: str
) -> None:
    assert runner.run(inputs.pop("state-machine", good), **inputs) == 2
    assert says in runner.told


def test_what_cannot_be_started_is_not_said_to_go_on(runner: Runner, good: str) -> None:
    assert runner.run(f"{good}-not") == 1
    assert "::error title=Not started::" in runner.told
    assert "StateMachineDoesNotExist" in runner.told
    assert "goes on" not in runner.told


def test_nothing_of_the_jobs_own_checkout_is_imported(runner: Runner, good: str) -> None:
    (runner.folder / "json.py").write_text("raise SystemExit(99)")
    (runner.folder / "quorumshift").mkdir()
    (runner.folder / "quorumshift" / "__init__.py").write_text("raise SystemExit(99)")
    assert runner.run(good) == 0


def test_it_needs_nothing_that_would_have_to_be_installed() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", "import quorumshift.cli.action"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_input_and_output_of_the_action_is_used() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    for name in action()["inputs"]:
        assert f"${{{{ inputs.{name} }}}}" in text
    assert set(action()["outputs"]) == {
        "execution-arn",
        "ending",
        "task-definition",
        "deployment-id",
    }


@pytest.mark.parametrize("kind", ["inputs", "outputs"])
def test_every_input_and_output_is_documented_with_its_default(kind: str) -> None:
    page = (ROOT / "docs" / "github-actions.md").read_text(encoding="utf-8")
    section = page.split(f"## {kind.title()}")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in section.splitlines()
        if line.startswith("| `")
    ]
    assert {row[0].strip("`") for row in rows} == set(action()[kind])
    if kind == "inputs":
        for name, default, _ in rows:
            about = action()["inputs"][name.strip("`")]
            if about.get("required"):
                assert default == "(required)"
            elif about["default"]:
                assert default == f"`{about['default']}`"
