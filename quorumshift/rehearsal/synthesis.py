"""The cloud assembly that a rehearsal is provisioned from, synthesized once per content.

Synthesis takes seconds; everything it depends on is hashed in milliseconds. An assembly is kept
under its hash, so that the second rehearsal of the same sources starts at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra import packaging
from quorumshift.config import load
from quorumshift.domain.errors import QuorumshiftError
from quorumshift.rehearsal.processes import Spawner, die_with_parent

ROOT = Path(__file__).resolve().parents[2]
KEPT = 16
DEADLINE_SECONDS = 300
_UNFINISHED = "synth-"
_SOURCES = ("cdk.json", "infra/**/*.py", "quorumshift/*.py", "workflows/golden/*.json")


def assembly(config_path: Path, overrides: Mapping[str, Any], say: Callable[[str], None]) -> Path:
    """Return the folder of the cloud assembly for this configuration, from the cache if it can.

    ``overrides``: as for :func:`quorumshift.config.load`. ``say`` is told when it takes a while.
    Raises ``InvalidConfiguration`` for the file, ``QuorumshiftError`` when the CDK app fails.
    """
    config_path = Path(config_path)
    load(config_path, overrides)
    cache = cache_folder() / "assemblies"
    cache.mkdir(parents=True, exist_ok=True)
    while not (wanted := cache / content_key(config_path, overrides)).exists():
        with _alone(wanted.with_suffix(".lock"), say):
            if not wanted.exists():
                say("synthesizing the infrastructure (once for these sources)")
                _synthesize(config_path, overrides, wanted)
        _prune(cache, wanted)
    os.utime(wanted)
    return wanted


def content_key(config_path: Path, overrides: Mapping[str, Any]) -> str:
    """A hash of all that an assembly depends on."""
    digest = hashlib.sha256()
    for part in (
        importlib.metadata.version("aws-cdk-lib"),
        json.dumps(dict(overrides), sort_keys=True),
        config_path.read_text(encoding="utf-8"),
    ):
        _add(digest, part.encode())
    if certificates := load(config_path, overrides).database.certificates:
        _add(digest, Path(certificates).read_bytes())
    for file in _sources():
        _add(digest, str(file).encode())
        _add(digest, (ROOT / file).read_bytes())
    return digest.hexdigest()[:32]


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/quorumshift`` or ``~/.cache/quorumshift``; where neither can be written,
    ``.cache`` of this checkout."""
    named = os.environ.get("XDG_CACHE_HOME")
    for base in (named, os.path.expanduser("~/.cache")):
        if not base:
            continue
        folder = Path(base) / "quorumshift"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return ROOT / ".cache"


def _sources() -> list[Path]:
    """The files that an assembly is made from, relative to ``ROOT``."""
    ours = (file.relative_to(ROOT) for pattern in _SOURCES for file in ROOT.glob(pattern))
    return sorted({*ours, *packaging.sources(ROOT)})


def _add(digest: Any, part: bytes) -> None:
    digest.update(len(part).to_bytes(8, "big"))  # so that no two lists of parts look the same
    digest.update(part)


@contextmanager
def _alone(lock: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold ``lock``; the kernel gives it back however the process ends."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another rehearsal is synthesizing the same infrastructure; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _synthesize(config_path: Path, overrides: Mapping[str, Any], wanted: Path) -> None:
    """Run the CDK app in a process of its own and move its result into place in one step.

    Does not move it when the sources changed meanwhile: it may be neither of before nor after.
    """
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=wanted.parent) as folder:
        work = Path(folder)
        log = work / "log"
        spawner = Spawner()
        try:
            child = spawner.python(
                __name__,
                *("--config", str(config_path.resolve())),
                *("--output", str(work / "assembly")),
                *("--overrides", json.dumps(dict(overrides))),
                *("--libraries", str(_libraries(work / "libraries"))),
                env=_environment(),
                log=log,
                cwd=ROOT,
            )
            status = child.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            raise QuorumshiftError(
                f"the CDK app did not end within {DEADLINE_SECONDS} s; "
                "run `make synth` to see it alone"
            ) from None
        finally:
            spawner.close()
        if status != 0:
            said = log.read_text(errors="replace").strip().splitlines()
            raise QuorumshiftError(
                f"the CDK app ended with status {status}; run `make synth` to see it alone. "
                "It said last:\n  " + "\n  ".join(said[-8:])
            )
        if wanted.name == content_key(config_path, overrides):
            (work / "assembly").rename(wanted)


def _libraries(folder: Path) -> Path:
    """What stands for the layer: here functions import the libraries of others from the
    environment that the rehearsal itself runs in, and nothing has to be downloaded for it."""
    readme = folder / "python" / "README"
    readme.parent.mkdir(parents=True)
    readme.write_text("A rehearsal's functions take these from its own environment.\n")
    return folder


def _environment() -> dict[str, str]:
    """This process's variables, without AWS's: the assembly must not depend on an account."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "CDK_", "QUORUMSHIFT_"))
    }
    environment["PYTHONPATH"] = str(ROOT)
    # The CDK's look at the templates that it has written takes a third of the time. `make synth`
    # lets it look; here CloudFormation refuses what is wrong.
    environment["CDK_VALIDATION"] = "false"
    environment["JSII_RUNTIME_PACKAGE_CACHE_ROOT"] = str(cache_folder() / "jsii")
    return environment


def _prune(cache: Path, newest: Path) -> None:
    """Keep the assemblies used last (a rehearsal touches its own when it starts), and nothing
    that a killed synthesis left."""
    entries = [entry for entry in cache.iterdir() if entry.is_dir()]
    entries.sort(key=lambda entry: entry.stat().st_mtime, reverse=True)
    unfinished = [entry for entry in entries if entry.name.startswith(_UNFINISHED)]
    for old in [entry for entry in entries if entry not in unfinished][KEPT:]:
        if old != newest:
            shutil.rmtree(old, ignore_errors=True)
            old.with_suffix(".lock").unlink(missing_ok=True)
    for left in unfinished:
        if left.stat().st_mtime < time.time() - 2 * DEADLINE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def _child() -> None:
    die_with_parent()
    # Python's path begins with the parent's PYTHONPATH, hence with this checkout's infra/.
    from infra.runtime import use_bundled_node

    use_bundled_node()
    from infra.app import main

    main()


if __name__ == "__main__":
    _child()
