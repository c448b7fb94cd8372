"""What goes to Lambda: a package for each function, with its handler and what that imports.

The same sources give the same bytes on every machine and at every time: names are sorted, times
and modes are fixed, and nothing is compressed, because compressors differ from machine to machine
and the largest package is a third of a megabyte.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from infra.imports import Closure, closure
from quorumshift.names import PACKAGES, kebab, module

DATABASE_CA = "database-ca.pem"
"""What the certificates are called in the package."""
RUNTIME = frozenset({"botocore"})
"""The libraries of others that Lambda's own Python brings along."""
_REGISTRY = "registry"
"""The part of the wiring that talks to the database."""
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can tell
_REGULAR_FILE = 0o100644 << 16
_UNIX = 3


def package(root: Path, target: Path, certificates: str = "") -> dict[str, Path]:
    """Write the package of every function to the folder ``target``; state or hook → zip file.

    ``certificates``: what those that talk to the database get along.
    """
    target.mkdir(parents=True, exist_ok=True)
    written = {}
    for state in PACKAGES:
        needed = closure(root, module(state))
        files = {file.as_posix(): root / file for file in needed.files}
        if certificates and _REGISTRY in needed.parts:
            files[DATABASE_CA] = Path(certificates)
        written[state] = target / f"{kebab(state)}.zip"
        write_zip(written[state], files)
    return written


def needs(root: Path) -> dict[str, Closure]:
    """State or hook → what its function imports."""
    return {state: closure(root, module(state)) for state in PACKAGES}


def sources(root: Path) -> list[Path]:
    """All packaged files under ``root``, relative to it, sorted."""
    return sorted(set().union(*(each.files for each in needs(root).values())))


def needs_layer(closure: Closure) -> bool:
    """Whether a function imports what neither Lambda nor we bring along."""
    return bool(closure.libraries - RUNTIME)


def write_zip(
    target: Path, files: Mapping[str, Path], compression: int = zipfile.ZIP_STORED
) -> Path:
    """Write ``files``, name in the zip → file, so that equal contents give equal bytes."""
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = _UNIX, _REGULAR_FILE
            entry.compress_type = compression
            archive.writestr(entry, files[name].read_bytes(), compresslevel=9)
    return target


def zip_folder(folder: Path, target: Path, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """The same of all files under ``folder``."""
    found: Iterable[Path] = (file for file in folder.rglob("*") if file.is_file())
    names = {file.relative_to(folder).as_posix(): file for file in found}
    return write_zip(target, names, compression)
