"""The layer of libraries: which services get one, what is asked of uv, and what is kept of it."""

from __future__ import annotations

import json
import stat
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from infra import libraries
from infra.app import main
from quorumshift.config import load
from tests.infra.conftest import ETCD, SNAKETRON

ROOT = Path(__file__).parents[2]
# Writes down how it was called, and installs two packages as uv does.
UV = """#!{python}
import json, pathlib, sys
with open({calls!r}, "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
if "pip" in sys.argv:
    target = pathlib.Path(sys.argv[sys.argv.index("--target") + 1])
    for name, text in {files!r}.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text)
sys.exit({status})
"""
FILES = {
    "one.py": "1",
    "two/__init__.py": "2",
    "two/bin/data": "3",
    "two/__pycache__/x.pyc": "compiled",
    "two/__init__.pyi": "types",
    "two/_testcapi.cpython-312.so": "only its tests load it",
    "two-1.0.dist-info/METADATA": "Name: two\n\nIts whole readme.",
    "two-1.0.dist-info/licenses/LICENSE": "text",
    "two-1.0.dist-info/RECORD": "with times",
    "two-1.0.dist-info/INSTALLER": "uv",
    "bin/two": "#!/of/this/machine",
    ".lock": "",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with a uv beside it that does as told."""
    return with_uv(tmp_path, 0)


def with_uv(folder: Path, status: int) -> Path:
    uv = folder / ".tools" / "uv"
    uv.parent.mkdir()
    calls = str(folder / "calls")
    text = UV.format(python=sys.executable, calls=calls, files=FILES, status=status)
    uv.write_text(text)
    uv.chmod(uv.stat().st_mode | stat.S_IXUSR)
    return folder


def test_only_what_speaks_more_than_lambda_brings_along_needs_them() -> None:
    assert libraries.needs_libraries(load(SNAKETRON))
    assert libraries.needs_libraries(
        load(SNAKETRON, {"discovery.kind": "ecs", "database.reader_secret": ""})
    )
    assert not libraries.needs_libraries(load(ETCD))


def test_what_the_lock_says_is_installed_for_lambda(checkout: Path, tmp_path: Path) -> None:
    libraries.build(checkout, tmp_path / "layer")
    export, install = [json.loads(line) for line in (checkout / "calls").read_text().splitlines()]
    assert export[:2] == ["export", "--frozen"]
    assert option(export, "--only-group") == "functions"
    assert option(export, "--project") == str(checkout)
    assert option(install, "--requirements") == option(export, "--output-file")
    assert option(install, "--python-version") == "3.12"
    assert option(install, "--python-platform") == "aarch64-manylinux2014"
    assert option(install, "--only-binary") == ":all:"
    assert "--require-hashes" in install


def test_the_other_processor_is_asked_for_by_its_own_name(checkout: Path, tmp_path: Path) -> None:
    libraries.build(checkout, tmp_path / "layer", "x86_64")
    install = json.loads((checkout / "calls").read_text().splitlines()[-1])
    assert option(install, "--python-platform") == "x86_64-manylinux2014"


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


def test_what_differs_from_machine_to_machine_is_left_out(checkout: Path, tmp_path: Path) -> None:
    layer = libraries.build(checkout, tmp_path / "layer")
    files = [file for file in layer.rglob("*") if file.is_file()]
    assert {file.relative_to(layer).as_posix() for file in files} == {
        "python/one.py",
        "python/two/__init__.py",
        "python/two/bin/data",
        "python/two-1.0.dist-info/METADATA",
    }
    assert (layer / "python/two-1.0.dist-info/METADATA").read_text() == "Name: two\n"
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o644}


def test_a_uv_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(libraries.CannotBuild, match=r"uv export --frozen` ended with status 3"):
        libraries.build(with_uv(tmp_path, 3), tmp_path / "layer")
    assert not (tmp_path / "layer").exists()


def test_without_uv_it_says_where_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(libraries.CannotBuild, match="`make synth`, which fetches it, or give"):
        libraries.build(tmp_path, tmp_path / "layer")


def test_a_folder_given_by_hand_must_look_like_a_layer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--libraries", str(tmp_path)])
    assert ended.value.code == 2
    assert f"there is no folder {tmp_path / 'python'}" in capsys.readouterr().err


def test_every_locked_package_has_a_wheel_for_lambda() -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    packages = {each["name"]: each for each in locked["package"]}
    wanted = [each["name"] for each in packages["quorumshift"]["dev-dependencies"]["functions"]]
    seen: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name not in seen:
            seen.add(name)
            wanted += [each["name"] for each in packages[name].get("dependencies", [])]
            assert any(map(runs_on_lambda, packages[name]["wheels"])), name
    assert seen >= {"grpclib", "multidict", "pg8000", "protobuf"}


def runs_on_lambda(wheel: dict[str, Any]) -> bool:
    python, abi, platform = Path(wheel["url"]).name.removesuffix(".whl").split("-")[-3:]
    if platform != "any" and not ("manylinux" in platform and "aarch64" in platform):
        return False
    return (abi == "none" and "py3" in python) or python == "cp312" or abi == "abi3"
