"""What goes to Lambda: the handlers and what they import, nothing else.

The same sources give the same files and so the same asset: names are sorted, and what the CDK
hashes is names and contents alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

# Folders are taken whole; botocore comes with Lambda's runtime.
PARTS = (
    "tasks",
    "quorumshift/__init__.py",
    "quorumshift/names.py",
    "quorumshift/settings.py",
    "quorumshift/ports.py",
    "quorumshift/domain",
    "quorumshift/usecases",
    "quorumshift/adapters",
)

DATABASE_CA = "database-ca.pem"
"""What the certificates are called in the package."""


def sources(root: Path) -> Iterator[Path]:
    """The packaged files under ``root``, relative to it, sorted."""
    for part in sorted(PARTS):
        place = root / part
        files = [place] if place.is_file() else sorted(place.rglob("*.py"))
        for file in files:
            yield file.relative_to(root)


def stage(root: Path, target: Path, certificates: str = "") -> Path:
    """Copy the packaged files, and the database's certificates where there are any, to ``target``
    (which must not exist) and return it."""
    target.mkdir(parents=True)
    for file in sources(root):
        copy = target / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / file, copy)
    if certificates:
        shutil.copyfile(certificates, target / DATABASE_CA)
    return target
