"""``deploy``, ``rollback``, ``status``, ``verify`` and ``stop`` on a real service of the embedded
AWS, with a function that stands for ``Observe``."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from quorumshift.domain.data import to_json
from quorumshift.domain.marks import Mark, describe, mark_for
from quorumshift.rehearsal.aws.ecs import EcsEngine
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.world import REGION, World
from tests.domain.strategies import fleet
from tests.rehearsal.stage import stage, until
from tests.rehearsal.test_codedeploy import Group
from tests.rehearsal.test_commands_live import GOOD, Deployed, described, state, wait
from tests.rehearsal.test_commands_live import run as run_verb

SOURCE = """
import json, os

def observe(event, context):
    return json.loads(os.environ["SEEN"])
"""


class Serving(Deployed):
    """A service that serves, its deployment group, and what its function ``Observe`` answers."""

    def __init__(self, world: World, role: str, folder: Path, engine: EcsEngine) -> None:
        self.stage = stage(world, engine)
        self.name = self.stage.name
        self.world = world
        self._role = role
        self.configuration = described(self.name, folder)
        self.stage.create(desired=1)
        self.group = Group(self.stage, f"{self.name}-alarm")
        self.group.create()
        self.stage.steady()

    def sees(self, voters: int, silent: int = 0) -> None:
        seen = to_json(fleet(voters, 0))
        for node in seen["nodes"][:silent]:
            node["report"] = None
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("handlers.py", SOURCE)
        self.world.client("lambda").create_function(
            FunctionName=f"{self.name}-observe",
            Role=self._role,
            Runtime="python3.12",
            Handler="handlers.observe",
            Code={"ZipFile": package.getvalue()},
            Timeout=5,
            Environment={"Variables": {"SEEN": json.dumps({"cluster": seen, "stopped": False})}},
        )

    def deployed(self, over: int) -> None:
        """The next revision serves by now; it took over from the one with this number."""
        arns = self.world.client("ecs").list_task_definitions(familyPrefix=self.name)
        mark = Mark("0" * 12, len(arns["taskDefinitionArns"]) + 1, over)
        self.group.end(self.group.deploy(description=describe("", mark)), "Succeeded")

    def deploys(self, execution: str) -> str:
        """A deployment of this execution, as the state CreateDeployment starts it."""
        mark = mark_for(execution, "app:2")
        return self.group.deploy(
            description=describe("", mark),
            deploymentConfigName="CodeDeployDefault.ECSLinear10PercentEvery3Minutes",
        )


@pytest.fixture
def service(
    aws: EmbeddedAws, role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Serving]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.world.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "rehearsal")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "rehearsal")
    monkeypatch.setattr("quorumshift.cli.watch.PAUSE_SECONDS", 0.1)
    engine = next(one for one in aws.engines if isinstance(one, EcsEngine))
    made = Serving(aws.world, role, tmp_path, engine)
    other = made.stage.definition(stopTimeout=3)
    (primary,) = made.stage.task_sets()
    replaced = {"from": other, "to": primary["taskDefinition"], "image": "app:1"}
    registered = state("RegisterTaskDefinition", replaced, "$.revision")
    made.machine(state("VerifyRaft"), registered, wait("WaitForDeployment", 10), GOOD)
    made.sees(3)
    yield made
    made.stage.end()


def run(
    service: Serving, capsys: pytest.CaptureFixture[str], verb: str, *arguments: str
) -> tuple[int, str, str]:
    return run_verb(service, capsys, verb, *arguments)


def test_status_and_verify(service: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    code, page, complaint = run(service, capsys, "status")
    assert (code, complaint) == (0, "")
    assert f"serves     {service.name}:1," in page
    assert "deployment none is under way" in page
    assert "cluster    3 of 3 voters are healthy" in page
    assert "locks      none" in page
    found = json.loads(run(service, capsys, "status", "--output", "json")[1])
    assert found["cluster"]["decision"] == "proceed"
    assert found["deployment"] is None


def test_where_nobody_knows_what_served_before_nothing_is_guessed(
    service: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, said = run(service, capsys, "rollback", "--yes")
    assert code == 2
    assert "nobody knows what served before" in said


def test_deploy_shows_starts_and_follows(
    service: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    second = f"{service.name}:2"
    arguments = ("--task-definition", second, "--yes", "--execution-name", "to-2")
    code, text, said = run(service, capsys, "deploy", *arguments, "--output", "json")
    assert code == 0
    document = json.loads(text)
    assert document["ending"] == "deployed"
    assert document["request"]["taskDefinition"] == second
    assert "app.stopTimeout: 2 → 3" in said
    assert "app.image:" in said
    assert "green 10 % at once, 10 % more every 1 min, 100 % after 9 min" in said
    assert "green votes, in 14 steps" in said
    assert "started: arn:aws:states:" in said
    code, _, said = run(service, capsys, "deploy", *arguments)
    assert code == 0
    assert "was started before: arn:aws:states:" in said
    code, _, said = run(service, capsys, "deploy", "--yes", *arguments[-2:])
    assert code == 2
    assert "give another --execution-name" in said


def test_rollback_deploys_what_served_before(
    service: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    service.deployed(over=2)
    arguments = ("--yes", "--execution-name", "back", "--output", "json")
    code, text, said = run(service, capsys, "rollback", *arguments)
    assert code == 0
    assert f"to         {service.name}:2" in said
    asked = json.loads(text)["request"]
    assert asked["taskDefinition"].endswith(f"/{service.name}:2")
    assert asked["description"] == "roll-back to what served before"
    code, _, said = run(service, capsys, "rollback", *arguments)
    assert code == 0
    assert "was started before" in said


def test_a_person_is_asked_and_may_say_no(
    service: Serving, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for answer, code in (("\n", 4), ("no\n", 4), ("y\n", 0)):
        terminal = io.StringIO(answer)
        monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
        monkeypatch.setattr("sys.stdin", terminal)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        found, _, said = run(service, capsys, "deploy", "--no-wait")
        assert found == code
        assert "deploy this? [y/N]" in said
        assert ("nothing was started, as you said" in said) == (code == 4)
    run(service, capsys, "watch")


def test_what_does_not_exist_is_refused_before_anything_is_started(
    service: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    before = run(service, capsys, "history", "--output", "json")[1]
    for arguments, says in (
        (("--task-definition", f"{service.name}:99"), "there is no revision"),
        (("--image", "nowhere"), "image: 'nowhere' is not in the repository"),
        (("--deployment-config", "Mine"), "CodeDeploy knows no configuration 'Mine'"),
    ):
        code, page, said = run(service, capsys, "deploy", "--yes", *arguments)
        assert (code, page) == (2, "")
        assert says in said
        assert len(said.splitlines()) == 1
    assert len(json.loads(before)) == len(
        json.loads(run(service, capsys, "history", "--output", "json")[1])
    )


def test_an_alarm_that_rings_refuses_it(
    service: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    service.group.set_alarm("ALARM")
    code, text, said = run(service, capsys, "deploy", "--yes", "--output", "json")
    service.group.set_alarm("OK")
    assert code == 4
    assert "rings (test)" in json.loads(text)["preview"]["refusals"][0]
    assert "nothing was started: the alarm" in said


def test_what_rings_is_a_reason_to_go_back_and_does_not_stop_the_way_back(
    service: Serving, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service.deployed(over=2)
    service.group.set_alarm("ALARM")
    terminal = io.StringIO("no\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    code, _, said = run(service, capsys, "rollback")
    assert code == 4
    assert "rollback this, though no alarm will stop it? [y/N]" in said
    code, text, said = run(service, capsys, "rollback", "--yes", "--output", "json")
    service.group.set_alarm("OK")
    assert code == 0
    assert "no alarm stops this deployment; these ring now:" in said
    assert json.loads(text)["request"]["ignoreAlarms"] is True


def test_stop_stops_the_deployment_and_not_its_execution(
    service: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    execution = service.start("to-be-stopped")
    deployment = service.deploys(execution)
    code, page, _ = run(service, capsys, "status")
    assert f"deployment {deployment} at" in page
    code, _, said = run(service, capsys, "deploy", "--yes")
    assert code == 4
    assert f"deployment {deployment} is under way" in said
    code, page, _ = run(service, capsys, "stop", "to-be-stopped", "--no-wait")
    assert code == 0
    assert f"deployment {deployment} is being stopped and rolled back" in page
    until(lambda: service.group.info(deployment)["status"] == "Stopped")
    service.group.undone(deployment)
    code, page, _ = run(service, capsys, "stop", "to-be-stopped", "--no-wait")
    assert code == 0
    assert "rolls it back" in page


def test_a_cluster_that_is_not_well_refuses_it(
    aws: EmbeddedAws, service: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    service.world.client("lambda").delete_function(FunctionName=f"{service.name}-observe")
    code, page, _ = run(service, capsys, "status")
    assert code == 1
    assert "cluster    unknown: the service" in page
    service.sees(3, silent=2)
    code, _, said = run(service, capsys, "deploy", "--yes")
    assert code == 4
    assert "there is no quorum of 2" in said
    code, page, _ = run(service, capsys, "verify")
    assert code == 4
    assert page.startswith("Not healthy: ")
