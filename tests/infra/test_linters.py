"""What others know about AWS: cdk-nag and cfn-lint find nothing in what is shipped."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quorumshift.rehearsal.database_authority import ca_file
from tests.infra.conftest import ETCD, ROOT, SNAKETRON

# The CDK writes that a function depends on its role, which cfn-lint sees from the reference too.
IGNORED = "W3005"
EVERYTHING = {"notifications.email": "someone@example.com", "notifications.alarms": True}


@pytest.mark.parametrize(
    ("configuration", "overrides"),
    [(ETCD, {}), (SNAKETRON, EVERYTHING)],
    ids=["etcd", "snaketron, with everything"],
)
def test_cdk_nag_finds_nothing(
    configuration: Path, overrides: dict[str, object], tmp_path: Path
) -> None:
    if configuration == SNAKETRON:
        overrides = {**overrides, "database.ca_file": str(ca_file())}
    done = subprocess.run(
        [
            sys.executable,
            *("-m", "tests.infra.nagged", str(configuration), json.dumps(overrides)),
            str(tmp_path),
        ],
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


@pytest.mark.parametrize(
    ("assembly", "stack"), [("cloud_assembly", "sample"), ("snaketron_assembly", "snaketron-prod")]
)
def test_cfn_lint_finds_nothing(assembly: str, stack: str, request: pytest.FixtureRequest) -> None:
    template = request.getfixturevalue(assembly) / f"{stack}.template.json"
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--ignore-checks", IGNORED, "--", template],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
