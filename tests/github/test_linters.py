"""zizmor and actionlint over every workflow and action of this repository, without findings."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LINTED = [*WORKFLOWS, ROOT / "action.yml"]
PINNED = re.compile(r"uses: [\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def run(tool: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A tool of the development group, beside this Python."""
    found = shutil.which(tool, path=str(Path(sys.executable).parent))
    assert found, f"{tool} is missing; run scripts/setup.sh dev"
    return subprocess.run(
        [found, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_actionlint_finds_nothing() -> None:
    linted = run("actionlint", "-shellcheck=", "-pyflakes=", *WORKFLOWS)
    assert (linted.returncode, linted.stdout) == (0, ""), linted.stdout + linted.stderr


def test_zizmor_finds_nothing() -> None:
    """In its strictest reading that still aims at few false positives; it asks no server."""
    linted = run("zizmor", "--offline", "--persona=pedantic", "--strict-collection", *LINTED)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "No findings" in linted.stdout + linted.stderr


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("actionlint", ()), ("zizmor", ("--offline",))],
)
def test_the_linters_do_look(tmp_path: Path, tool: str, arguments: tuple[str, ...]) -> None:
    broken = tmp_path / ".github" / "workflows" / "broken.yml"
    broken.parent.mkdir(parents=True)
    broken.write_text(
        "on: issues\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n"
        "      - run: echo ${{ github.event.issue.title }}\n"
    )
    assert run(tool, *arguments, broken).returncode != 0


@pytest.mark.parametrize("file", LINTED, ids=lambda file: file.name)
def test_every_action_of_others_is_pinned_by_commit(file: Path) -> None:
    uses = re.findall(r"uses: .*", file.read_text(encoding="utf-8"))
    assert all(PINNED.fullmatch(line) or line.startswith("uses: ./ ") for line in uses), uses
