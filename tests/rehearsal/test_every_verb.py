"""Every verb of the command, with every option, against one stage that runs what is packaged.

No function has a stand-in here, and the verbs know nothing of a rehearsal but AWS's endpoint. All
of it is one test, because one stage serves all of it and takes a while to come up; the parts stand
in the order in which a person would do them.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from quorumshift.adapters.aws.client import Client
from quorumshift.adapters.aws.executions import Executions
from quorumshift.cli.action_aws import History
from quorumshift.cli.main import main, parser
from quorumshift.rehearsal.samples import ETCD, ROOT
from quorumshift.rehearsal.world import REGION
from tests.rehearsal.stage import until
from tests.rehearsal.test_rehearsal import ended_as_documented, nothing_is_left_in

KEPT = ("rehearse", "--service", "etcd", "--keep", "--rate", "20", "--output", "json")
"""The stage: a rehearsal that has deployed version 2 and stays up."""
UP_SECONDS = 300.0
CONFIG = ("--config", str(ETCD.configuration))
PROFILE = "[profile stage]\nregion = {region}\naws_access_key_id = a\naws_secret_access_key = b\n"
OF_THE_REHEARSAL = {"rehearse"}
"""Its other options make another stage each: test_rehearsal.py and test_rehearse_usage.py."""


@dataclass
class Stage:
    """``result``: of the rehearsal. ``used``: each verb that was called, with its options."""

    endpoint: str
    result: dict[str, Any]
    capsys: pytest.CaptureFixture[str]
    used: dict[str, set[str]] = field(default_factory=dict)

    def run(self, code: int, verb: str, *arguments: str) -> tuple[str, str]:
        """Call the command, which must end with ``code``; what it said to either side."""
        command = [verb, *([] if "--config" in arguments else CONFIG), *arguments]
        self.note(command)
        try:
            found = main(command)
        except SystemExit as exit:
            found = int(str(exit.code))
        said = self.capsys.readouterr()
        assert found == code, (command, said.out, said.err)
        return said.out, said.err

    def json(self, code: int, verb: str, *arguments: str) -> Any:
        return json.loads(self.run(code, verb, *arguments, "--output", "json")[0])

    def note(self, command: list[str] | tuple[str, ...]) -> None:
        options = {word for word in command[1:] if word.startswith("--")}
        self.used.setdefault(command[0], set()).update(options)

    def client(self, service: str) -> Any:
        session = botocore.session.get_session()
        return session.create_client(service, region_name=REGION, endpoint_url=self.endpoint)


@pytest.fixture
def stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Stage]:
    told, result = tmp_path / "told", tmp_path / "result"
    command = [sys.executable, "-m", "quorumshift.cli.main", *KEPT]
    with (
        told.open("w") as err,
        result.open("w") as out,
        subprocess.Popen(command, stdout=out, stderr=err, cwd=ROOT) as process,
    ):
        try:
            until(lambda: "  logs: " in told.read_text() or process.poll() is not None, UP_SECONDS)
            variables = dict(re.findall(r"(AWS_\w+)=(\S+)", told.read_text()))
            assert "AWS_ENDPOINT_URL" in variables, told.read_text()[-4000:]
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
            profiles = tmp_path / "profiles"
            profiles.write_text(PROFILE.format(region=REGION))
            monkeypatch.setenv("AWS_CONFIG_FILE", str(profiles))
            monkeypatch.setattr("quorumshift.cli.watch.PAUSE_SECONDS", 0.2)
            found = Stage(variables["AWS_ENDPOINT_URL"], json.loads(result.read_text()), capsys)
            found.note(KEPT)
            yield found
        finally:
            process.send_signal(signal.SIGTERM)  # SIGINT may be ignored, as in a background job
            code = process.wait(30)
    assert code == 0, "it was told to end after its result"
    nothing_is_left_in(Path(found.result["logs"]))


@pytest.mark.timeout(600)
def test_every_verb_with_every_option_against_what_is_packaged(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended_as_documented(None, stage.result)
    while_nothing_runs(stage, tmp_path)
    what_was_deployed(stage)
    what_is_refused(stage, monkeypatch)
    a_rollback_that_is_stopped(stage, monkeypatch)
    when_the_cluster_is_not_well(stage, tmp_path)
    what_is_not_deployed(stage, tmp_path)
    assert not_used(stage.used) == {}


def verbs() -> dict[str, argparse.ArgumentParser]:
    (action,) = (one for one in parser()._actions if isinstance(one, argparse._SubParsersAction))
    return dict(action.choices)


def not_used(used: dict[str, set[str]]) -> dict[str, set[str]]:
    """Verbs, and options of verbs, that were never tried."""
    missing = {}
    for verb, its in verbs().items():
        options = {text for one in its._actions for text in one.option_strings} - {"-h", "--help"}
        left = (set() if verb in OF_THE_REHEARSAL else options) - used.get(verb, set())
        if left or verb not in used:
            missing[verb] = left
    return missing


def while_nothing_runs(stage: Stage, folder: Path) -> None:
    profile = ("--profile", "stage", "--region", REGION, "--debug")
    page, _ = stage.run(0, "doctor", *profile)
    assert "NG " not in page
    checks = {group["name"]: group for group in stage.json(0, "doctor")["groups"]}
    assert {check["state"] for check in checks["Raft"]["checks"]} == {"ok"}
    page, _ = stage.run(0, "status", *profile)
    assert "serves     sample:2," in page
    assert "deployment none is under way" in page
    assert "cluster    3 of 3 voters are healthy" in page
    assert "locks      none" in page
    found = stage.json(0, "status")
    assert (found["cluster"]["decision"], found["deployment"]) == ("proceed", None)
    page, _ = stage.run(0, "verify", *profile)
    assert page.startswith("Healthy: 3 of 3 voters are healthy")
    assert stage.json(0, "verify")["busy"] == ""
    page, _ = stage.run(0, "plan", *profile)
    assert page.startswith("No deployment is under way: 3 new tasks are imagined.")
    plan = stage.json(0, "plan", "--goal", "green")
    assert plan["plan"]["decision"] == "step"
    answer = folder / "answer.json"
    told = stage.client("lambda").invoke(FunctionName="sample-observe", Payload=b"{}")
    answer.write_bytes(told["Payload"].read())
    again = stage.json(0, "plan", "--observation", str(answer))
    assert again["plan"] == plan["plan"]


def what_was_deployed(stage: Stage) -> None:
    page, _ = stage.run(0, "history", "--limit", "1", "--profile", "stage", "--region", REGION)
    _, row = page.splitlines()
    assert "Deployed" in row
    (record,) = stage.json(0, "history", "--debug")
    name, arn = record["execution"], record["executionArn"]
    _, progress = stage.run(0, "watch", name, "--profile", "stage", "--region", REGION, "--debug")
    assert "votes       3 green" in progress
    assert "hook        AfterAllowTraffic: yes. Without blue, 3 of 3 voters" in progress
    document = stage.json(0, "watch", arn)
    assert document["ending"] == "deployed"
    assert len(document["checks"]) == 5
    same = ("--image", "sample:v2", "--initiator", "rehearsal", "--execution-name", name)
    page, said = stage.run(0, "deploy", *same, "--yes", "--wait")
    assert "was started before: arn:aws:states:" in said
    assert page.startswith("Deployed\n")
    page, _ = stage.run(0, "deploy", *same, "--yes", "--no-wait")
    assert page.startswith("Deployed\n")
    _, said = stage.run(2, "deploy", "--yes", "--execution-name", name)
    assert "give another --execution-name" in said
    through_botocore = Executions(Client(lambda: stage.client("stepfunctions")), "").history(arn)
    assert History(arn).read() == through_botocore, "the action's reader, through the AWS CLI"


def what_is_refused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stage.json(0, "history")
    for arguments, says in (
        (("--task-definition", "sample:99"), "there is no revision"),
        (("--image", "nowhere"), "image: 'nowhere' is not in the repository"),
        (("--deployment-config", "Mine"), "CodeDeploy knows no configuration 'Mine'"),
    ):
        page, said = stage.run(2, "deploy", "--yes", *arguments)
        assert (page, len(said.splitlines())) == ("", 1)
        assert says in said
    ring(stage, "ALARM")
    refused = stage.json(4, "deploy", "--yes")
    assert "rings (test)" in refused["preview"]["refusals"][0]
    with on_a_terminal(monkeypatch, "no\n"):
        _, said = stage.run(4, "rollback")
    assert "no alarm stops this deployment; these ring now:" in said
    assert "rollback this, though no alarm will stop it? [y/N] " in said
    ring(stage, "OK")
    _, said = stage.run(2, "rollback", "--yes", "--to", "sample:99")
    assert "there is no revision" in said
    assert stage.json(0, "history") == before
    source = ("--source", "somebody/else@0123456", "--description", "why")
    document = stage.json(4, "deploy", *source, "--yes", "--region", REGION, "--profile", "stage")
    assert document["ending"] == "refused"
    assert "builds https://github.com/example-org/sample.git" in document["cause"]
    assert document["request"]["description"] == "why"


def ring(stage: Stage, state: str) -> None:
    """One of the group's alarms, on a metric that nobody writes."""
    group = stage.client("codedeploy").get_deployment_group(
        applicationName="sample", deploymentGroupName="sample"
    )["deploymentGroupInfo"]
    name = group["alarmConfiguration"]["alarms"][0]["name"]
    alarms = stage.client("cloudwatch")
    alarms.put_metric_alarm(
        AlarmName=name,
        Namespace="None",
        MetricName="None",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    alarms.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")


def a_rollback_that_is_stopped(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    shift = ("--deployment-config", "CodeDeployDefault.ECSLinear10PercentEvery3Minutes")
    words = ("--description", "too red", "--initiator", "me", "--execution-name", "back")
    asked = ("--ignore-alarms", *shift, *words)
    with on_a_terminal(monkeypatch, "no\n"):
        _, said = stage.run(4, "rollback", *asked, "--no-wait")
    assert "to         sample:1" in said
    assert "green votes, in 14 steps" in said
    assert "rollback this, though no alarm will stop it? [y/N] " in said
    assert "nothing was started, as you said" in said
    with on_a_terminal(monkeypatch, "y\n"):
        document = stage.json(0, "rollback", *asked, "--no-wait")
    assert (document["execution"], document["ending"]) == ("back", "running")
    assert document["request"]["ignoreAlarms"] is True
    _, said = stage.run(0, "rollback", *asked, "--yes", "--no-wait")
    assert "was started before" in said
    found = until(lambda: traffic_shifts(stage))
    deployment = found["deployment"]["id"]
    assert len(found["locks"]) == 2
    page, _ = stage.run(0, "status")
    assert f"deployment {deployment} at AllowTraffic" in page
    assert "execution  back at " in page
    page, _ = stage.run(0, "plan")
    assert f"of      deployment {deployment}" in page
    assert "imagined" not in page, "green has tasks of its own"
    assert stage.json(0, "plan", "--deployment", deployment)["deployment"] == deployment
    assert stage.json(0, "verify")["busy"] == deployment
    page, _ = stage.run(0, "doctor", "--output", "text")
    assert f"deployment {deployment} is under way" in page
    _, said = stage.run(4, "deploy", "--yes", "--debug")
    assert f"nothing was started: deployment {deployment} is under way" in said
    page, _ = stage.run(0, "stop", "back", "--no-wait", "--profile", "stage", "--region", REGION)
    assert f"deployment {deployment} is being stopped and rolled back" in page
    page, _ = stage.run(3, "stop", "back", "--wait", "--debug")
    assert page.startswith("Rolled back\n")
    assert "sample:2 serves" in page
    document = stage.json(3, "watch")
    assert (document["error"], document["deployment"]) == ("StoppedByRequest", deployment)
    document = stage.json(3, "rollback", *asked, "--yes", "--wait", "--debug")
    assert document["rollback"]
    assert "stopped before" in stage.json(0, "stop")["text"]
    _, said = stage.run(3, "rollback", *asked, "--yes", "--region", REGION, "--profile", "stage")
    assert "was started before" in said


def traffic_shifts(stage: Stage) -> Any:
    """What ``status`` tells, once CodeDeploy moves the traffic."""
    found = stage.json(0, "status")
    stands = (found["deployment"] or {}).get("stage") == "AllowTraffic"
    return found if stands else None


@contextlib.contextmanager
def on_a_terminal(monkeypatch: pytest.MonkeyPatch, answer: str) -> Iterator[None]:
    """A person who answers."""
    terminal = io.StringIO(answer)
    with monkeypatch.context() as patched:
        patched.setattr(terminal, "isatty", lambda: True, raising=False)
        patched.setattr("sys.stdin", terminal)
        patched.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        yield


def when_the_cluster_is_not_well(stage: Stage, folder: Path) -> None:
    """By a policy that asks for more than three voters can give."""
    asks = {"desired_count = 3": "desired_count = 5", "[raft]": "[raft]\ntolerance = 2"}
    stricter = ("--config", str(described(folder, asks)))
    page, _ = stage.run(4, "verify", *stricter)
    assert page.startswith("Not healthy: All 3 voters are healthy: tolerance is 1, the policy")
    _, said = stage.run(4, "deploy", "--yes", *stricter)
    assert "nothing was started: All 3 voters are healthy: tolerance is 1" in said
    page, _ = stage.run(0, "status", *stricter)
    assert "tolerance is 1, the policy asks 2" in page
    page, _ = stage.run(4, "doctor", *stricter)
    assert "NG   health: All 3 voters are healthy: tolerance is 1" in page


def described(folder: Path, changed: dict[str, str]) -> Path:
    """The stage's configuration with some of it changed."""
    text = ETCD.configuration.read_text()
    for before, after in changed.items():
        assert before in text
        text = text.replace(before, after, 1)
    file = folder / "other.toml"
    file.write_text(text)
    return file


def what_is_not_deployed(stage: Stage, folder: Path) -> None:
    _, said = stage.run(1, "plan", "--deployment", "d-NONE")
    assert "the function sample-observe failed: MissingResource: CodeDeploy knows no" in said
    assert "/aws/lambda/sample-observe" in said
    stage.client("lambda").delete_function(FunctionName="sample-observe")
    page, _ = stage.run(1, "status")
    assert "cluster    unknown: the service" in page
    _, said = stage.run(1, "plan")
    assert "the service sample is not deployed here (Invoke: ResourceNotFound" in said
    other = described(folder, {'name = "sample"': 'name = "unheard-of"'})
    for verb in ("plan", "status", "verify", "watch", "stop", "history"):
        _, said = stage.run(1, verb, "--config", str(other))
        assert "the service unheard-of is not deployed here" in said
        assert len(said.splitlines()) == 1 or verb == "verify"
