"""The libraries of others that the functions of some services need: a Lambda layer.

What ``uv.lock`` says is installed for Lambda's Python and processor, whatever machine this is, and
checked against the lock's hashes; nothing is compiled. The same lock gives the same files.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from quorumshift.config import Configuration

GROUP = "functions"
"""The dependency group in ``pyproject.toml``."""
PYTHON = "3.12"
PLATFORMS = {"arm64": "aarch64-manylinux2014", "x86_64": "x86_64-manylinux2014"}
"""By Lambda's name of the processor."""
SECONDS = 300
# What no function runs: compiled caches, types, sources of what is compiled, what only tests load.
_LEFT_OUT = {"__pycache__", ".lock", "_testcapi"}
_SUFFIXES = {".pyi", ".typed", ".pyx", ".pxd", ".c", ".h", ".proto"}
_METADATA = "METADATA"
_MODE = 0o644


class CannotBuild(Exception):
    """The libraries could not be brought; the message says what to do."""


def needs_libraries(configuration: Configuration) -> bool:
    """Whether the service's functions speak more than what Lambda's runtime brings along."""
    return configuration.raft.dialect == "snaketron" or configuration.discovery.kind == "postgres"


def build(root: Path, target: Path, architecture: str = "arm64") -> Path:
    """Fill ``target`` (which must not exist) with what the lock of ``root`` says; return it.

    ``architecture``: one of ``PLATFORMS``.

    Needs uv, and the package registry where uv's cache has not everything. Raises
    :class:`CannotBuild`.
    """
    uv = _uv(root)
    with tempfile.TemporaryDirectory(prefix="quorumshift-libraries-") as folder:
        work = Path(folder)
        wanted, installed = work / "requirements.txt", work / "installed"
        export = ("export", "--frozen", "--only-group", GROUP, "--no-emit-project")
        _run(uv, *export, "--output-file", str(wanted), "--project", str(root), folder=work)
        install = ("pip", "install", "--target", str(installed), "--link-mode", "copy")
        lambdas = ("--python-version", PYTHON, "--python-platform", PLATFORMS[architecture])
        exactly = ("--only-binary", ":all:", "--no-deps", "--require-hashes")
        _run(uv, *install, *lambdas, *exactly, "--requirements", str(wanted), folder=work)
        for file in _kept(installed):
            copy = target / "python" / file
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(_content(installed / file))
            copy.chmod(_MODE)
    return target


def _kept(installed: Path) -> Iterator[Path]:
    for file in sorted(installed.rglob("*")):
        name = file.relative_to(installed)
        if file.is_file() and not _left_out(name):
            yield name


def _content(file: Path) -> bytes:
    """Libraries ask for their own version, which stands above the first empty line."""
    content = file.read_bytes()
    return content.partition(b"\n\n")[0] + b"\n" if file.name == _METADATA else content


def _left_out(name: Path) -> bool:
    top, stem = name.parts[0], name.name.partition(".")[0]
    return (
        top == "bin"
        or (top.endswith(".dist-info") and name.name != _METADATA)
        or name.suffix in _SUFFIXES
        or bool(_LEFT_OUT & {*name.parts, stem})
    )


def _uv(root: Path) -> str:
    """``scripts/setup.sh`` puts it beside the checkout, the group ``dev`` beside Python."""
    places = (root / ".tools" / "uv", Path(sys.executable).with_name("uv"))
    found = next((str(place) for place in places if place.exists()), None) or shutil.which("uv")
    if found is None:
        raise CannotBuild(
            "the functions of this service need libraries, and there is no uv to bring them; "
            "run `make synth`, which fetches it, or give --libraries a folder that has them"
        )
    return found


def _run(*command: str, folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise CannotBuild(
            f"`{' '.join(command[:3])}` did not end within {SECONDS} s; is the package registry "
            "reachable? --libraries takes a folder that was filled elsewhere"
        ) from None
    if done.returncode:
        raise CannotBuild(
            f"`{' '.join(command[:3])}` ended with status {done.returncode}: {done.stderr.strip()}"
        )
