"""What goes to Lambda runs there: everything it imports is in it, and nothing else is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from infra.packaging import DATABASE_CA, sources, stage
from quorumshift.names import FUNCTIONS, module
from quorumshift.rehearsal.database_authority import ca_file

ROOT = Path(__file__).parents[2]
IMPORT_ALL = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    assert callable(importlib.import_module(name).handler), name
for name, module in sys.modules.items():
    if name.split(".")[0] in ("quorumshift", "tasks"):
        assert module.__file__.startswith(sys.argv[1]), module.__file__
assert "boto3" not in sys.modules
"""


def test_every_handler_can_be_imported_from_the_package_alone(tmp_path: Path) -> None:
    folder = stage(ROOT, tmp_path / "code")
    modules = [module(state) for state in FUNCTIONS]
    done = subprocess.run(
        [sys.executable, "-I", "-c", IMPORT_ALL, str(folder), *modules],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr


def test_what_lambda_does_not_run_stays_out() -> None:
    packaged = {file.as_posix() for file in sources(ROOT)}
    assert packaged >= {"tasks/verify_raft.py", "quorumshift/domain/raft.py"}
    assert all(file.endswith(".py") for file in packaged)
    outside = ("quorumshift/rehearsal", "quorumshift/cli", "quorumshift/report", "infra", "tests")
    assert not [file for file in packaged if file.startswith(outside)]


def test_the_same_sources_are_staged_alike(tmp_path: Path) -> None:
    first, second = (stage(ROOT, tmp_path / name) for name in ("first", "second"))
    for file in sources(ROOT):
        assert (first / file).read_bytes() == (second / file).read_bytes()
        assert (first / file).stat().st_mode == (second / file).stat().st_mode


def test_the_assembly_holds_one_package_for_all_functions(cloud_assembly: Path) -> None:
    assets = json.loads((cloud_assembly / "sample.assets.json").read_text())
    folders = [
        file["source"]["path"]
        for file in assets["files"].values()
        if file["source"]["packaging"] == "zip"
    ]
    (folder,) = folders
    packaged = {
        file.relative_to(cloud_assembly / folder)
        for file in (cloud_assembly / folder).rglob("*")
        if file.is_file()
    }
    assert packaged == set(sources(ROOT))


def test_certificates_are_packaged_under_the_name_that_the_functions_look_for(
    snaketron_assembly: Path,
) -> None:
    (packaged,) = snaketron_assembly.glob(f"asset.*/{DATABASE_CA}")
    assert packaged.read_bytes() == ca_file().read_bytes()
