"""``quorumshift plan`` asks the deployed function through AWS's own API."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest

from quorumshift.cli.main import main
from quorumshift.domain.data import to_json
from quorumshift.rehearsal.samples import ETCD
from quorumshift.rehearsal.world import REGION, World
from tests.domain.strategies import fleet

SOURCE = """
import json, os

def observe(event, context):
    if event.get("deploymentId") == "d-NONE":
        raise LookupError("CodeDeploy knows no deployment d-NONE;\\nit is kept for 90 days")
    return json.loads(os.environ["SEEN"])
"""


@pytest.fixture
def service(world: World, role: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A service's CodeDeploy group; the variables are those that a rehearsal prints."""
    name = f"plan-{uuid.uuid4().hex[:6]}"
    api = world.client("codedeploy")
    api.create_application(applicationName=name, computePlatform="ECS")
    api.create_deployment_group(applicationName=name, deploymentGroupName=name, serviceRoleArn=role)
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "rehearsal")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "rehearsal")
    return name


@pytest.fixture
def observe(world: World, role: str, service: str) -> None:
    """The service's function ``Observe``; it sees three nodes and no deployment."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("handlers.py", SOURCE)
    seen = json.dumps({"cluster": to_json(fleet(3, 0)), "stopped": False})
    world.client("lambda").create_function(
        FunctionName=f"{service}-observe",
        Role=role,
        Runtime="python3.12",
        Handler="handlers.observe",
        Code={"ZipFile": package.getvalue()},
        Timeout=5,
        Environment={"Variables": {"SEEN": seen}},
    )


def plan(
    service: str, folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, Any]:
    """The exit code, and the page or the complaint."""
    text = ETCD.configuration.read_text()
    configuration = folder / "quorumshift.toml"
    configuration.write_text(text.replace('name = "sample"', f'name = "{service}"', 1))
    code = main(["plan", "--config", str(configuration), *arguments])
    spoken = capsys.readouterr()
    assert not (spoken.out and spoken.err)
    return code, spoken.out or spoken.err


@pytest.mark.usefixtures("observe")
def test_it_asks_the_function_and_plans(
    service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, page = plan(service, tmp_path, capsys)
    assert code == 0
    assert page.startswith("No deployment is under way: 3 new tasks are imagined.")
    code, text = plan(service, tmp_path, capsys, "--output", "json")
    assert code == 0
    assert len(json.loads(text)["observation"]["nodes"]) == 6


@pytest.mark.usefixtures("observe")
def test_a_function_that_fails_is_named_with_its_error_and_its_log(
    service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = plan(service, tmp_path, capsys, "--deployment", "d-NONE")
    assert code == 1
    assert f"the function {service}-observe failed: LookupError: CodeDeploy knows no" in said
    assert f"/aws/lambda/{service}-observe" in said
    assert len(said.splitlines()) == 1


def test_a_service_without_the_function_is_not_deployed(
    service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = plan(service, tmp_path, capsys)
    assert code == 1
    assert f"the service {service} is not deployed here (Invoke: ResourceNotFound" in said
    assert len(said.splitlines()) == 1


@pytest.mark.usefixtures("service")
def test_a_service_that_nobody_knows_is_not_deployed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = plan("unheard-of", tmp_path, capsys)
    assert code == 1
    assert "the service unheard-of is not deployed here (ListDeployments: " in said
    assert len(said.splitlines()) == 1
