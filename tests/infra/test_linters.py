"""What others know about AWS: cdk-nag and cfn-lint find nothing in what is shipped."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quorumshift.rehearsal.database_authority import ca_file
from tests.infra.conftest import ADOPT, ETCD, ROOT, SLACK_SECRET, SNAKETRON
from tests.test_config_adopt import PUBLIC, VPC

# The CDK writes that a function depends on its role, which cfn-lint sees from the reference too.
IGNORED = "W3005"
EVERYTHING = {
    "notifications.email": "someone@example.com",
    "notifications.alarms": True,
    "github.repository": "owner/name",
    **SLACK_SECRET,
}

IN_A_NETWORK = {f"adopt.{name}": value for name, value in {**VPC, **PUBLIC}.items()}


def test_cdk_nag_finds_nothing(tmp_path: Path) -> None:
    described = [
        (ETCD, {}),
        (SNAKETRON, {**EVERYTHING, "database.ca_file": str(ca_file())}),
        (ADOPT, {}),
        (ETCD, {"service.name": "beside", **IN_A_NETWORK}),
    ]
    services = json.dumps([(str(file), overrides) for file, overrides in described])
    done = subprocess.run(
        [sys.executable, "-m", "tests.infra.nagged", str(tmp_path), services],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["found"] == []
    assert answer["awake"], "cdk-nag overlooked an open bucket: it did not run"
    assert len(answer["looked at"]) == 3 * len(described) + 1


@pytest.mark.parametrize("assembly", ["cloud_assembly", "snaketron_assembly", "adopting_assembly"])
def test_cfn_lint_finds_nothing(assembly: str, request: pytest.FixtureRequest) -> None:
    templates = sorted(request.getfixturevalue(assembly).glob("*.template.json"))
    assert templates
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--ignore-checks", IGNORED, "--", *templates],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
