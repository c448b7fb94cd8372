"""The packages of functions, unpacked where their execution environments find them.

Lambda compiles what it imports anew in each environment. Here the packages share most of their
files, and each is compiled once a rehearsal.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import py_compile
import threading
import zipfile
from pathlib import Path
from typing import Any


class Unpacked:
    """Packages, each unpacked once under ``folder``. Safe to use from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._compiled: dict[bytes, bytes] = {}

    def of(self, function: Any) -> Path:
        """The folder with the function's code; functions of one package share it."""
        digest = base64.b64decode(function.code_sha_256).hex()[:16]
        folder = self._folder / f"code-{digest}"
        with self._lock:
            if not folder.exists():
                fresh = folder.with_suffix(".new")
                with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as package:
                    package.extractall(fresh)
                for source in fresh.rglob("*.py"):
                    self._compile(source)
                fresh.rename(folder)
        return folder

    def _compile(self, source: Path) -> None:
        """Put the compiled file where an import looks for it; a source that is no Python is left
        to whoever imports it."""
        digest = hashlib.sha256(source.read_bytes()).digest()
        place = Path(importlib.util.cache_from_source(str(source)))
        if digest not in self._compiled:
            kept = py_compile.PycInvalidationMode.UNCHECKED_HASH
            try:
                py_compile.compile(str(source), str(place), doraise=True, invalidation_mode=kept)
            except py_compile.PyCompileError:
                return
            self._compiled[digest] = place.read_bytes()
            return
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(self._compiled[digest])
