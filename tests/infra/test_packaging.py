"""What goes to Lambda runs there: each function's imports are in its package, nothing else is."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from infra.imports import closure
from infra.packaging import DATABASE_CA, needs, needs_layer, package, sources, zip_folder
from quorumshift.names import FUNCTIONS, PACKAGES, kebab, module
from quorumshift.rehearsal.database_authority import ca_file
from tasks.wiring import Wiring
from tests.tasks.aws import SETTINGS, SNAKETRON

ROOT = Path(__file__).parents[2]
MOST_BYTES = 1_500_000
IMPORT = """
import importlib, sys
package, name, allowed, service, *parts = sys.argv[1:]
allowed = set(allowed.split(","))
sys.path[:] = [package, *sys.path]

class Only:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in allowed:
            raise ImportError(f"{name} is neither in the package nor in Lambda's Python")

sys.meta_path.insert(0, Only())
assert callable(importlib.import_module(name).handler)
from tasks.wiring import client, wiring
for part in parts:
    getattr(wiring(), part)
if service:
    client(service).meta
for name, module in list(sys.modules.items()):
    if name.partition(".")[0] in ("quorumshift", "tasks"):
        assert module.__file__.startswith(package), module.__file__
"""
# With what each of them needs itself.
BOTOCORE = (
    *("botocore", "jmespath", "dateutil", "urllib3", "six"),
    *("awscrt", "certifi", "zstandard"),  # which it takes where they are
)
LIBRARIES = (
    *("google", "grpclib", "h2", "hpack", "hyperframe", "multidict"),
    *("pg8000", "scramp", "asn1crypto", "dateutil", "six"),
    *("certifi", "uvloop"),  # which they take where they are
)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return package(ROOT, tmp_path_factory.mktemp("packages"))


@pytest.mark.parametrize("state", PACKAGES)
def test_a_handler_has_all_that_it_can_reach_in_its_own_package(
    packages: dict[str, Path], state: str, tmp_path: Path
) -> None:
    needed = needs(ROOT)[state]
    parts = sorted(needed.parts & vars(Wiring).keys() - {"__init__"})
    speaks_to_aws = "botocore" in needed.libraries
    settings = SNAKETRON if needs_layer(needed) else SETTINGS
    allowed = (
        *("quorumshift", "tasks"),
        *(BOTOCORE if speaks_to_aws else ()),
        *(LIBRARIES if needs_layer(needed) else ()),
    )
    service = "sns" if speaks_to_aws else ""
    arguments = (str(packages[state]), module(state), ",".join(allowed), service, *parts)
    done = subprocess.run(
        [sys.executable, "-I", "-c", IMPORT, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={**settings.environment(), "AWS_DEFAULT_REGION": "us-east-1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_package_holds_what_its_handler_can_reach_and_nothing_else(
    packages: dict[str, Path],
) -> None:
    for state, file in packages.items():
        inside = set(zipfile.ZipFile(file).namelist())
        assert inside == {each.as_posix() for each in closure(ROOT, module(state)).files}
        handlers = {f"{module(each).replace('.', '/')}.py" for each in PACKAGES}
        assert inside & handlers == {f"{module(state).replace('.', '/')}.py"}
        assert file.name == f"{kebab(state)}.zip"
        assert file.stat().st_size <= MOST_BYTES


def test_what_a_function_has_no_use_for_stays_out(packages: dict[str, Path]) -> None:
    def inside(state: str) -> set[str]:
        return set(zipfile.ZipFile(packages[state]).namelist())

    assert "quorumshift/adapters/aws/deployments.py" not in inside("Plan")
    assert "quorumshift/adapters/discovery/postgres.py" not in inside("CreateDeployment")
    assert "quorumshift/adapters/aws/builds.py" not in inside("Observe")
    assert "quorumshift/adapters/aws/builds.py" in inside("StartBuild")
    everything = {file.as_posix() for file in sources(ROOT)}
    outside = ("quorumshift/rehearsal", "quorumshift/cli", "quorumshift/report", "infra", "tests")
    assert not [file for file in everything if file.startswith(outside)]


def test_only_who_speaks_to_nodes_or_the_database_needs_their_libraries() -> None:
    without = {state for state, needed in needs(ROOT).items() if not needs_layer(needed)}
    assert without >= {"ValidateRequest", "Plan", "CreateDeployment", "NotifySucceeded"}
    assert not without & {"Observe", "Act", "BeforeInstall", "VerifyRaft", "Watchdog"}


def test_the_same_sources_give_the_same_bytes(packages: dict[str, Path], tmp_path: Path) -> None:
    before = {state: file.read_bytes() for state, file in packages.items()}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, sys; os.umask(0o077); sys.path.insert(0, sys.argv[1])\n"
            "from pathlib import Path; from infra.packaging import package\n"
            "package(Path(sys.argv[1]), Path(sys.argv[2]))",
            str(ROOT),
            str(tmp_path / "again"),
        ],
        cwd=tmp_path,
        env={**os.environ, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1"},
        check=False,
    )
    assert done.returncode == 0
    for state, content in before.items():
        again = (tmp_path / "again" / f"{kebab(state)}.zip").read_bytes()
        assert hashlib.sha256(again).digest() == hashlib.sha256(content).digest(), state


def test_a_zip_tells_neither_when_nor_by_whom_it_was_made(tmp_path: Path) -> None:
    made = []
    for name, mode, seconds in (("one", 0o600, 0), ("two", 0o755, -86400)):
        folder = tmp_path / name
        for file in ("b/two.py", "a.py") if mode == 0o600 else ("a.py", "b/two.py"):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(file * 1000)
            (folder / file).chmod(mode)
            os.utime(folder / file, (time.time() + seconds,) * 2)
        made.append(zip_folder(folder, tmp_path / f"{name}.zip").read_bytes())
    assert made[0] == made[1]
    (first, second) = zipfile.ZipFile(tmp_path / "one.zip").infolist()
    assert (first.filename, second.filename) == ("a.py", "b/two.py")
    assert first.external_attr >> 16 == 0o100644


def test_the_assembly_holds_each_functions_own_package(
    cloud_assembly: Path, packages: dict[str, Path]
) -> None:
    document = json.loads((cloud_assembly / "sample-deployment.template.json").read_text())
    assets = json.loads((cloud_assembly / "sample-deployment.assets.json").read_text())["files"]
    seen = set()
    for resource in document["Resources"].values():
        if resource["Type"] != "AWS::Lambda::Function":
            continue
        properties = resource["Properties"]
        state = next(each for each in PACKAGES if properties["Handler"].startswith(module(each)))
        key = properties["Code"]["S3Key"].removesuffix(".zip")
        deployed = cloud_assembly / assets[key]["source"]["path"]
        assert deployed.read_bytes() == packages[state].read_bytes()
        seen.add(state)
    assert seen == set(FUNCTIONS)


def test_certificates_are_packaged_where_the_database_is_talked_to(tmp_path: Path) -> None:
    made = package(ROOT, tmp_path / "packages", str(ca_file()))
    archive = zipfile.ZipFile(made["Observe"])
    assert archive.read(DATABASE_CA) == ca_file().read_bytes()
    assert DATABASE_CA not in zipfile.ZipFile(made["CreateDeployment"]).namelist()
