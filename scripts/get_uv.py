"""Fetch the uv that ``uv.lock`` names, with the standard library alone.

A fresh machine may have neither pip nor venv, so this downloads the wheel that the lock lists for
Linux x86-64, checks its SHA-256 against the lock, and takes the one binary out of it.

    get_uv.py PATH                  write the binary to PATH
    get_uv.py --accepts "uv 0.13.9" succeed when that version is at least the lock's
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import sys
import tomllib
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parent.parent / "uv.lock"


def locked_uv() -> dict[str, Any]:
    """The lock's entry for uv."""
    lock = tomllib.loads(LOCK.read_text())
    return next(package for package in lock["package"] if package["name"] == "uv")


def accepts(spoken: str) -> bool:
    """Whether the version in ``spoken`` (what ``uv --version`` printed) can read the lock."""
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", spoken)
    wanted = tuple(int(part) for part in locked_uv()["version"].split("."))
    return found is not None and tuple(int(part) for part in found.groups()) >= wanted


def fetch(target: Path) -> None:
    """Download, check and write the binary. Raises ``SystemExit`` with one sentence."""
    wheel = next(
        wheel
        for wheel in locked_uv()["wheels"]
        if "manylinux" in wheel["url"] and "x86_64" in wheel["url"]
    )
    try:
        with urllib.request.urlopen(wheel["url"], timeout=120) as answer:
            content = answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise SystemExit(
            f"quorumshift: uv could not be downloaded ({error}); "
            "check the connection, or install uv yourself and try again."
        ) from None
    if "sha256:" + hashlib.sha256(content).hexdigest() != wheel["hash"]:
        raise SystemExit("quorumshift: the downloaded uv is not the one that uv.lock names.")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        member = next(name for name in archive.namelist() if name.endswith("/scripts/uv"))
        binary = archive.read(member)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}")
    partial.write_bytes(binary)
    partial.chmod(0o755)
    partial.replace(target)  # atomic: two set-ups at once do not see half a binary


if __name__ == "__main__":
    if sys.argv[1] == "--accepts":
        sys.exit(not accepts(sys.argv[2]))
    fetch(Path(sys.argv[1]))
