"""``watch``, ``stop`` and ``history`` through AWS's own API, on small state machines whose states
have the names and the data of ours."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from quorumshift.adapters.aws.executions import Executions
from quorumshift.cli import watch
from quorumshift.cli.main import main
from quorumshift.domain.chronicle import Event
from quorumshift.domain.errors import Transient
from quorumshift.rehearsal.samples import ETCD
from quorumshift.rehearsal.world import REGION, World
from tests.rehearsal.machines import Machines

REVISION = {
    "from": "arn:aws:ecs:us-east-1:1:task-definition/app:1",
    "to": "arn:aws:ecs:us-east-1:1:task-definition/app:2",
    "image": "app:v2",
}


def described(name: str, folder: Path) -> Path:
    """The sample's configuration for a service and a cluster of this name."""
    text = ETCD.configuration.read_text().replace('name = "sample"', f'name = "{name}"', 1)
    path = folder / "quorumshift.toml"
    path.write_text(f'{text}\n[names]\ncluster = "{name}"\n')
    return path


class Deployed:
    """A service whose state machine is made by the test."""

    def __init__(self, world: World, role: str, folder: Path) -> None:
        self.name = f"verbs-{uuid.uuid4().hex[:6]}"
        self.world = world
        self._role = role
        api = world.client("codedeploy")
        api.create_application(applicationName=self.name, computePlatform="ECS")
        api.create_deployment_group(
            applicationName=self.name, deploymentGroupName=self.name, serviceRoleArn=role
        )
        self.configuration = described(self.name, folder)

    def machine(self, *states: tuple[str, dict[str, Any]]) -> None:
        """``<service>-deploy`` with these states, one after the other."""
        names = [name for name, _ in states]
        chained = {}
        for at, (name, state) in enumerate(states):
            ends = state["Type"] in ("Succeed", "Fail")
            chained[name] = state if ends else {**state, "Next": names[at + 1]}
        self.world.client("stepfunctions").create_state_machine(
            name=f"{self.name}-deploy",
            definition=json.dumps({"StartAt": names[0], "States": chained}),
            roleArn=self._role,
        )

    def start(self, name: str, **request: Any) -> str:
        machine = f"arn:aws:states:{REGION}:123456789012:stateMachine:{self.name}-deploy"
        started = self.world.client("stepfunctions").start_execution(
            stateMachineArn=machine, name=name, input=json.dumps(request)
        )
        return str(started["executionArn"])


@pytest.fixture
def service(world: World, role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "rehearsal")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "rehearsal")
    monkeypatch.setattr(watch, "PAUSE_SECONDS", 0.1)
    return Deployed(world, role, tmp_path)


Run = tuple[int, str, str]


def run(service: Deployed, capsys: pytest.CaptureFixture[str], verb: str, *arguments: str) -> Run:
    code = main([verb, "--config", str(service.configuration), *arguments])
    spoken = capsys.readouterr()
    return code, spoken.out, spoken.err


def state(name: str, put: Any = None, at: str = "$.x") -> tuple[str, dict[str, Any]]:
    return name, {"Type": "Pass", "Result": put or {}, "ResultPath": at}


def wait(name: str, seconds: int) -> tuple[str, dict[str, Any]]:
    return name, {"Type": "Wait", "Seconds": seconds}


REGISTERED = state("RegisterTaskDefinition", REVISION, "$.revision")
CREATED = state("CreateDeployment", {"id": "d-1"}, "$.deployment")
GOOD = ("Deployed", {"Type": "Succeed"})
BACK = ("RolledBack", {"Type": "Fail", "Error": "AlarmRang", "Cause": "an alarm rang. Next: look."})
BAD = ("Failed", {"Type": "Fail", "Error": "InvalidRequest", "Cause": "image: no such image"})


def test_watch_follows_one_to_its_end(
    service: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    service.machine(REGISTERED, wait("WaitForDeployment", 30), GOOD)
    service.start("first", initiator="me")
    code, page, progress = run(service, capsys, "watch", "first")
    assert code == 0
    assert page.startswith("Deployed\n  execution  first\n")
    assert "revision    app:1 → app:2, app:v2" in progress
    assert "WaitForDeployment" not in progress


@pytest.mark.parametrize(
    ("end", "created", "code", "head"),
    [
        (GOOD, CREATED, 0, "deployed"),
        (BACK, CREATED, 3, "rolledBack"),
        (BAD, REGISTERED, 4, "refused"),
        (BAD, CREATED, 1, "failed"),
    ],
)
def test_the_exit_code_is_how_it_ended(
    end: Any,
    created: Any,
    code: int,
    head: str,
    service: Deployed,
    capsys: pytest.CaptureFixture[str],
) -> None:
    service.machine(state("VerifyRaft"), created, end)
    service.start("one")
    found, text, _ = run(service, capsys, "watch", "--output", "json")
    document = json.loads(text)
    assert (found, document["ending"]) == (code, head)
    assert document["cause"] == end[1].get("Cause", "")
    assert document["timeline"][0]["kind"] == "state"


def test_an_execution_is_named_by_arn_name_or_latest(
    service: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    service.machine(state("VerifyRaft"), GOOD)
    code, _, said = run(service, capsys, "watch")
    assert code == 1
    assert "nothing was ever deployed" in said
    arn = service.start("named")
    for text in (arn, "named", "latest"):
        assert "execution  named" in run(service, capsys, "watch", text)[1]
    code, _, said = run(service, capsys, "watch", "nobody")
    assert code == 1
    assert "there is no execution 'nobody'" in said
    assert len(said.splitlines()) == 1


def test_another_state_machines_execution_is_not_touched(
    service: Deployed, capsys: pytest.CaptureFixture[str], machine: Machines
) -> None:
    service.machine(state("VerifyRaft"), GOOD)
    client = service.world.client("stepfunctions")
    other = machine({"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}})
    arn = client.start_execution(stateMachineArn=other)["executionArn"]
    for verb in ("watch", "stop"):
        code, page, said = run(service, capsys, verb, arn)
        assert (code, page) == (1, "")
        assert f"of {service.name}-deploy" in said
    assert client.describe_execution(executionArn=arn)["status"] == "RUNNING"
    client.stop_execution(executionArn=arn)


def test_a_lost_reply_does_not_end_the_watching(
    service: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service.machine(state("VerifyRaft"), GOOD)
    service.start("one")
    read, lost = Executions.history, iter((True, True))

    def history(self: Executions, arn: str, after: int = 0) -> list[Event]:
        if next(lost, False):
            raise Transient("no reply from AWS; try again")
        return read(self, arn, after)

    monkeypatch.setattr(Executions, "history", history)
    code, _, said = run(service, capsys, "watch")
    assert code == 0
    assert said.count("no reply from AWS; try again (the watching goes on") == 2
    assert said.count("state       VerifyRaft") == 1


def test_history_lists_the_newest_first(
    service: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    service.machine(REGISTERED, CREATED, BACK)
    assert "Nothing was ever deployed" in run(service, capsys, "history")[1]
    for name in ("one", "two", "three"):
        service.start(name, image="v2", initiator=f"by {name}")
        run(service, capsys, "watch", name)
    code, page, _ = run(service, capsys, "history", "--limit", "2")
    head, *rows = page.splitlines()
    assert code == 0
    assert head.split() == ["started", "outcome", "revision", "took", "asked", "by", "execution"]
    assert [row.split()[-1] for row in rows] == ["three", "two"]
    assert all("Rolled back" in row and "app:2" in row for row in rows)
    records = json.loads(run(service, capsys, "history", "--output", "json")[1])
    assert [one["request"]["initiator"] for one in records] == ["by three", "by two", "by one"]


def test_before_a_deployment_exists_the_execution_is_stopped(
    service: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    service.machine(wait("VerifyRaft", 3600), GOOD)
    service.start("early")
    code, page, said = run(service, capsys, "stop", "--no-wait")
    assert code == 0
    assert "no deployment existed: the execution early was stopped; nothing was touched" in page
    code, page, _ = run(service, capsys, "watch", "early")
    assert code == 4
    assert "stopped by hand (quorumshift stop) before a deployment existed" in page
    code, text, said = run(service, capsys, "stop", "early", "--output", "json")
    assert (code, json.loads(text)["deed"]) == (0, "nothing")
    assert "has ended and deployed nothing" in json.loads(text)["text"]
    assert said == ""


def test_ctrl_c_stops_the_watching_and_not_the_deployment(service: Deployed) -> None:
    service.machine(wait("WaitForDeployment", 3600), GOOD)
    arn = service.start("long")
    command = [sys.executable, "-m", "quorumshift.cli.main", "watch", "long"]
    with subprocess.Popen(
        [*command, "--config", str(service.configuration)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    ) as process:
        assert process.stderr is not None
        assert "watching long" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "the deployment goes on" in said
    assert "quorumshift stop long" in said
    assert "Traceback" not in said
    client = service.world.client("stepfunctions")
    assert client.describe_execution(executionArn=arn)["status"] == "RUNNING"
    client.stop_execution(executionArn=arn)


def test_on_a_terminal_there_is_a_picture_which_leaves_the_terminal_clean(
    service: Deployed,
) -> None:
    service.machine(REGISTERED, wait("WaitForDeployment", 3600), GOOD)
    arn = service.start("drawn")
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-m", "quorumshift.cli.main", "watch", "drawn"]
    with subprocess.Popen(
        [*command, "--config", str(service.configuration)],
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"},
    ) as process:
        os.close(theirs)
        shown = read_until(terminal, "WaitForDeployment")
        process.send_signal(signal.SIGINT)
        shown += read_until(terminal, "to stop it: quorumshift stop drawn")
    os.close(terminal)
    assert process.returncode == 130
    assert "app:1 → app:2" in shown
    for hidden, seen in (("[?25l", "[?25h"), ("[?1049h", "[?1049l")):
        assert 0 < shown.rindex(hidden) < shown.rindex(seen)
    service.world.client("stepfunctions").stop_execution(executionArn=arn)


def read_until(terminal: int, text: str) -> str:
    """What comes from the terminal, up to ``text``."""
    shown = b""
    while text.encode() not in shown:
        shown += os.read(terminal, 65536)
    return shown.decode()


def test_a_service_that_is_not_there_gets_one_line(
    service: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("watch", "stop", "history"):
        code, page, said = run(service, capsys, verb)
        assert (code, page) == (1, "")
        assert f"the service {service.name} is not deployed here" in said
        assert len(said.splitlines()) == 1
