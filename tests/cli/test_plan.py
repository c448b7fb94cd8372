"""``quorumshift plan`` from a file, and what it says when nothing can be learnt."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from quorumshift.adapters.raft.etcd import EtcdRaft
from quorumshift.cli.main import main
from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.look import Look
from quorumshift.domain.policy import Dialect
from tests.domain import cases
from tests.domain.strategies import fleet

CASES = cases.TESTDATA / "handover"
USUAL = {"tolerance": 1, "minimumVoters": 3, "bakeBeforeMajority": False, "allowUnlocked": False}
UNSAFE = {
    "a-lost-quorum-is-waited-for",
    "a-member-list-that-is-not-confirmed-is-waited-for",
    "an-election-is-waited-for",
    "done-but-one-of-green-is-silent",
    "two-voters-are-too-few-a-goal",
}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The exit code, and what was said to either side."""
    try:
        code = main(["plan", *arguments])
    except SystemExit as exit:
        code = int(str(exit.code))
    spoken = capsys.readouterr()
    return code, spoken.out, spoken.err


def file_of(name: str) -> str:
    return str(CASES / name / "observation.json")


def usual(name: str) -> bool:
    """Whether the case asks what the repository's quorumshift.toml asks."""
    asked = cases.question("handover", name)
    able = from_json(Dialect, asked["dialect"]) == EtcdRaft.dialect
    return able and USUAL.items() <= asked["policy"].items()


@pytest.mark.parametrize("name", cases.names("handover"))
def test_every_case_is_told(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    goal = cases.question("handover", name)["goal"]
    arguments = ("--observation", file_of(name), "--goal", goal)
    code, page, complaint = run(capsys, *arguments)
    assert complaint == ""
    assert page.split()[0] in ("Next:", "Wait:", "Done:", "Blocked:")
    same, text, _ = run(capsys, *arguments, "--output", "json")
    document = json.loads(text)
    assert same == code == (0 if document["safe"] else 4)
    if usual(name):
        said = json.loads((CASES / name / "plan.json").read_text())
        assert document["plan"]["decision"] == said["decision"]
        assert document["plan"]["reason"] == said["reason"]
        assert code == (4 if name in UNSAFE else 0)


def test_nobody_deploys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen = tmp_path / "seen.json"
    seen.write_text(json.dumps(to_json(fleet(3, 0))))
    code, page, _ = run(capsys, "--observation", str(seen))
    assert code == 0
    assert page.startswith("No deployment is under way: 3 new tasks are imagined.\nNext: ")
    code, page, _ = run(capsys, "--observation", str(seen), "--goal", "blue")
    assert code == 0
    assert "imagined" not in page


def test_what_was_planned_can_be_planned_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--output", "json", "--observation")
    _, text, _ = run(capsys, *arguments, file_of("three-grow-to-five"))
    again = tmp_path / "again.json"
    again.write_text(json.dumps(json.loads(text)["observation"]))
    assert run(capsys, *arguments, str(again))[1] == text


@pytest.mark.parametrize(("stopped", "goal"), [(True, "blue"), (False, "green")])
def test_what_the_state_observe_writes_may_be_pasted(
    stopped: bool,
    goal: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster = json.loads(Path(file_of("back-past-the-point-of-no-return")).read_text())
    said = {"cluster": cluster, "stopped": stopped, "busy": "", "ofANewerFunction": {"a": [1]}}
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(said)))
    _, text, _ = run(capsys, "--observation", "-", "--output", "json")
    assert json.loads(text)["goal"] == goal


@pytest.mark.parametrize(("green", "says"), [(0, ": 3 new tasks are imagined."), (3, ". Next: ")])
def test_a_look_for_no_deployment_while_one_runs_is_told(
    green: int, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = Look(fleet(3, green), stopped=False, busy="d-1")
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(to_json(seen))))
    _, page, _ = run(capsys, "--observation", "-")
    head = " ".join(page.split("\n\n")[0].split("\n"))
    assert head.startswith(
        "Deployment d-1 is under way and this look was not for it (plan for it with --deployment "
        f"d-1){says}"
    )


def spoilt(**changes: Any) -> str:
    seen = to_json(fleet(3, 3))
    return json.dumps({**seen, **changes})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Expecting value"),
        ("[]", "expected an object"),
        ("{}", "missing at, desired, membership, nodes"),
        ('{"cluster": 1, "stopped": false}', "Look.cluster: expected an object"),
        (spoilt(desired="three"), "desired: expected int"),
        (spoilt(desired=10**9), "at most"),
        (spoilt(nodes=to_json(fleet(3, 3).nodes * 2)), "two nodes have the address"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_a_bad_observation_gets_one_line_and_exit_code_2(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(text)
    code, page, complaint = run(capsys, "--observation", str(bad))
    assert code == 2
    assert page == ""
    assert f"{bad}: " in complaint
    assert says in complaint
    assert len(complaint.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--observation", "/nowhere/seen.json"), "/nowhere/seen.json"),
        (("--observation", "/"), "Is a directory"),
        (("--observation", "a", "--deployment", "d-1"), "not allowed with"),
        (("--goal", "red"), "invalid choice"),
        (("--config", "/nowhere/quorumshift.toml"), "/nowhere/quorumshift.toml"),
    ],
)
def test_bad_usage_gets_one_line_and_exit_code_2(
    arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, page, complaint = run(capsys, *arguments)
    assert code == 2
    assert page == ""
    assert says in complaint
    assert len(complaint.splitlines()) == 1


def test_a_reader_who_leaves_is_no_error() -> None:
    command = [sys.executable, "-m", "quorumshift.cli.main", "plan", "--observation"]
    with subprocess.Popen(
        [*command, file_of("nine-to-nine")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


# When AWS cannot be asked, or says no


@contextlib.contextmanager
def aws(status: int, body: dict[str, Any], **others: dict[str, Any]) -> Iterator[str]:
    """An endpoint that always answers the same; ``others`` are the bodies of CodeDeploy's
    operations. What it was asked goes into ``asked`` of each body that has one."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            chosen = others.get(operation, body)
            if "asked" in chosen:
                chosen["asked"].append(json.loads(said))
            told = {key: value for key, value in chosen.items() if key != "asked"}
            text = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No account of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


def credentials(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unspeakable")


def refused(spoken: tuple[int, str, str], *says: str) -> None:
    code, page, complaint = spoken
    assert code == 1
    assert page == ""
    assert len(complaint.splitlines()) == 1
    assert "unspeakable" not in complaint
    for text in says:
        assert text in complaint


def test_no_region_no_credentials_no_profile(capsys: pytest.CaptureFixture[str]) -> None:
    refused(run(capsys), "no AWS region is set; give --region")
    refused(run(capsys, "--region", "eu-west-1"), "no AWS credentials were found")
    refused(run(capsys, "--profile", "nobody"), "nobody")
    refused(run(capsys, "--region", "not a region"), "not a region")


def test_an_endpoint_that_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    credentials(monkeypatch, "nonsense")
    refused(run(capsys, "--region", "eu-west-1"), "Invalid endpoint: nonsense")


def test_nobody_listens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with aws(200, {}) as endpoint:
        pass
    credentials(monkeypatch, endpoint)
    refused(run(capsys, "--region", "eu-west-1"), endpoint, "try again")


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (400, "AccessDeniedException", "AWS refused Invoke: AccessDeniedException: no, no"),
        (429, "TooManyRequestsException", "try again"),
        (404, "ResourceNotFoundException", "is not deployed here"),
        (500, "ServiceException", "try again"),
    ],
)
def test_aws_says_no(
    status: int,
    kind: str,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with aws(status, {"__type": kind, "message": "no,\nno"}) as endpoint:
        credentials(monkeypatch, endpoint)
        refused(run(capsys, "--region", "eu-west-1", "--deployment", "d-1"), says)


def test_a_function_of_another_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with aws(200, {"cluster": {}, "stopped": False}) as endpoint:
        credentials(monkeypatch, endpoint)
        spoken = run(capsys, "--region", "eu-west-1", "--deployment", "d-1")
    refused(spoken, "of another version", "missing at", "deploy the stack again")


def test_while_a_deployment_is_rolled_back_that_one_is_asked_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = json.loads(Path(file_of("back-past-the-point-of-no-return")).read_text())
    asked: list[dict[str, Any]] = []
    back = {
        "deploymentId": "d-BACK",
        "status": "InProgress",
        "rollbackInfo": {"rollbackTriggeringDeploymentId": "d-FORTH"},
    }
    with aws(
        200,
        {"cluster": seen, "stopped": True, "asked": asked},
        ListDeployments={"deployments": ["d-BACK"]},
        BatchGetDeployments={"deploymentsInfo": [back]},
        GetDeployment={"deploymentInfo": back},
        GetDeploymentTarget={"deploymentTarget": {"ecsTarget": {}}},
    ) as endpoint:
        credentials(monkeypatch, endpoint)
        code, page, _ = run(capsys, "--region", "eu-west-1")
    assert code == 0
    assert asked == [{"deploymentId": "d-FORTH"}]
    assert page.startswith("The deployment does not run any more: the votes go back to blue.")
    assert "deployment d-FORTH" in page
