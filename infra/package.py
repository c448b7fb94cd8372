"""``python -m infra.package``: what goes to Lambda, into ``build/``, without Docker.

``build/functions/<function>.zip`` are the same for every processor;
``build/libraries-<processor>.zip`` are the layer for services that speak gRPC or PostgreSQL.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from infra import libraries, packaging

ROOT = Path(__file__).resolve().parent.parent


def build(target: Path) -> list[Path]:
    """Write all packages to ``target`` and return them. Raises ``CannotBuild``."""
    shutil.rmtree(target / "functions", ignore_errors=True)
    written = list(packaging.package(ROOT, target / "functions").values())
    for architecture in libraries.PLATFORMS:
        with tempfile.TemporaryDirectory(prefix="quorumshift-layer-") as folder:
            layer = libraries.build(ROOT, Path(folder) / "layer", architecture)
            name = target / f"libraries-{architecture}.zip"
            written.append(packaging.zip_folder(layer, name))
    return written


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line: a line a package, its size and its name."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "build")
    options = parser.parse_args(arguments)
    try:
        written = build(options.output)
    except libraries.CannotBuild as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
    for file in written:
        print(f"{file.stat().st_size:>9,}  {file.relative_to(options.output)}")


if __name__ == "__main__":
    main()
