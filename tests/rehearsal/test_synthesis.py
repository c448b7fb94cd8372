"""The cached cloud assembly: made once, also when two ask at once, without Node on the PATH."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from quorumshift.domain.errors import InvalidConfiguration, QuorumshiftError
from quorumshift.rehearsal import synthesis

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "examples" / "etcd" / "quorumshift.toml"
SNAKETRON = ROOT / "quorumshift.toml"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "quorumshift" / "assemblies"


def silent(text: str) -> None:
    pass


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources, which nobody edits while a test runs."""
    copy = tmp_path / "checkout"
    for part in ("infra", "quorumshift", "tasks", "workflows"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "cdk.json", copy)
    monkeypatch.setattr(synthesis, "ROOT", copy)
    return copy


@pytest.mark.timeout(240)  # synthesis takes seconds on an idle machine, a minute on a busy one
def test_two_at_once_synthesize_once_without_node_on_the_path(
    cache: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("JSII_NODE", raising=False)
    overrides = {"service.desired_count": 5}
    said: list[str] = []
    found: list[Path] = []

    def ask() -> None:
        found.append(synthesis.assembly(CONFIG, overrides, said.append))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 2
    assert found[0] == found[1]
    assert sum("synthesizing the infrastructure" in text for text in said) == 1
    template = json.loads((found[0] / "sample-service.template.json").read_text())
    (service,) = [
        each["Properties"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::ECS::Service"
    ]
    assert service["DesiredCount"] == 5
    left = {entry.name for entry in cache.iterdir() if entry.suffix != ".lock"}
    assert left == {found[0].name}

    said.clear()
    manifest = (found[0] / "manifest.json").stat().st_mtime_ns
    assert synthesis.assembly(CONFIG, overrides, said.append) == found[0]
    assert said == []
    assert (found[0] / "manifest.json").stat().st_mtime_ns == manifest


def test_the_key_follows_configuration_and_overrides(tmp_path: Path) -> None:
    other = tmp_path / "quorumshift.toml"
    other.write_text(CONFIG.read_text() + "\n# a remark\n")
    keys = {
        synthesis.content_key(CONFIG, {}),
        synthesis.content_key(CONFIG, {"service.desired_count": 5}),
        synthesis.content_key(CONFIG, {"service.desired_count": 7}),
        synthesis.content_key(other, {}),
    }
    assert len(keys) == 4
    assert synthesis.content_key(CONFIG, {}) in keys


def test_the_key_follows_the_certificates(tmp_path: Path) -> None:
    certificates = tmp_path / "authority.pem"
    overrides = {"database.ca_file": str(certificates)}
    keys = set()
    for one in ("A", "B"):
        certificates.write_text(f"-----BEGIN CERTIFICATE-----\n{one}\n")
        keys.add(synthesis.content_key(SNAKETRON, overrides))
    assert len(keys) == 2


@pytest.mark.parametrize(
    "changed",
    [
        "cdk.json",
        "infra/stacks.py",
        "quorumshift/settings.py",
        "quorumshift/config.py",
        "quorumshift/domain/raft.py",
        "quorumshift/usecases/__init__.py",
        "quorumshift/adapters/__init__.py",
        "tasks/hooks/__init__.py",
        "workflows/golden/deploy.asl.json",
    ],
)
def test_the_key_follows_the_sources(checkout: Path, changed: str) -> None:
    before = synthesis.content_key(CONFIG, {})
    (checkout / changed).write_bytes((checkout / changed).read_bytes() + b"\n")
    assert synthesis.content_key(CONFIG, {}) != before


def test_an_assembly_of_sources_that_changed_meanwhile_is_not_kept(
    cache: Path, checkout: Path
) -> None:
    # What runs in place of the CDK app edits a source, once, and writes an assembly.
    (checkout / "infra" / "app.py").write_text(
        "import pathlib, sys\n"
        "def main():\n"
        "    changed = pathlib.Path('tasks/plan.py')\n"
        "    source = changed.read_text()\n"
        "    text = 'before' if source.endswith('# changed') else 'during'\n"
        "    changed.write_text(source.removesuffix('# changed') + '# changed')\n"
        "    folder = pathlib.Path(sys.argv[sys.argv.index('--output') + 1])\n"
        "    folder.mkdir()\n"
        "    (folder / 'changed').write_text(text)\n"
    )
    found = synthesis.assembly(CONFIG, {}, silent)
    assert (found / "changed").read_text() == "before"
    assert found.name == synthesis.content_key(CONFIG, {})
    assert [entry.name for entry in cache.iterdir() if not entry.suffix] == [found.name]


def test_bad_configuration_is_refused_before_anything_is_started(cache: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="must be 3, 5, 7 or 9"):
        synthesis.assembly(CONFIG, {"service.desired_count": 4}, silent)
    assert not cache.exists()


def test_an_app_that_fails_says_why_and_leaves_nothing(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "checkout"
    (broken / "infra").mkdir(parents=True)
    (broken / "infra" / "__init__.py").write_text("raise RuntimeError('no such construct')\n")
    monkeypatch.setattr(synthesis, "ROOT", broken)
    with pytest.raises(QuorumshiftError, match="no such construct"):
        synthesis.assembly(CONFIG, {}, silent)
    assert [entry.suffix for entry in cache.iterdir()] == [".lock"]


def test_only_the_assemblies_used_last_are_kept(cache: Path) -> None:
    cache.mkdir(parents=True)
    for number in range(synthesis.KEPT + 3):
        folder = cache / f"{number:032x}"
        folder.mkdir()
        os.utime(folder, (number, number))
    (cache / "synth-killed").mkdir()
    os.utime(cache / "synth-killed", (0, 0))
    newest = cache / f"{0:032x}"
    synthesis._prune(cache, newest)
    left = {int(entry.name, 16) for entry in cache.iterdir()}
    assert left == {0, *range(3, synthesis.KEPT + 3)}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XDG_CACHE_HOME": "{tmp}/xdg", "HOME": "{tmp}/home"}, "{tmp}/xdg/quorumshift"),
        ({"XDG_CACHE_HOME": "", "HOME": "{tmp}/home"}, "{tmp}/home/.cache/quorumshift"),
        ({"XDG_CACHE_HOME": "", "HOME": "/dev/null"}, f"{ROOT}/.cache"),
    ],
)
def test_where_the_cache_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environment: Mapping[str, Any],
    expected: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(tmp=tmp_path))
    assert str(synthesis.cache_folder()) == expected.format(tmp=tmp_path)
