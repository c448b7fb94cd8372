"""The app of ``cdk.json``: reads ``quorumshift.toml`` and writes the cloud assembly."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from aws_cdk import App

from infra import libraries, packaging
from infra.stack import ServiceStack
from quorumshift.config import Configuration, load
from quorumshift.domain.errors import InvalidConfiguration

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = ROOT / "workflows" / "golden"


def synthesize(
    configuration: Configuration,
    output: Path,
    workflows: Path = WORKFLOWS,
    layer: Path | None = None,
    prepare: Callable[[App], None] = lambda _: None,
) -> Path:
    """Write the cloud assembly to ``output`` and return that folder.

    ``layer``: the libraries of others, where they are there already. ``prepare`` is given the app
    first, to add checks to it. Raises ``CannotBuild``.
    """
    with tempfile.TemporaryDirectory(prefix="quorumshift-code-") as folder:
        if not libraries.needs_libraries(configuration):
            layer = None
        elif layer is None:
            architecture = configuration.functions.architecture
            layer = libraries.build(ROOT, Path(folder) / "libraries", architecture)
        if layer is not None:
            layer = packaging.zip_folder(layer, Path(folder) / "libraries.zip")
        code, certificates = Path(folder) / "code", configuration.database.certificates
        packaging.package(ROOT, code, certificates)
        app = App(outdir=str(output), analytics_reporting=False)
        prepare(app)
        ServiceStack(
            app,
            configuration.service.name,
            configuration=configuration,
            code=code,
            workflows=workflows,
            libraries=layer,
        )
        app.synth()
    return output


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; what is wrong ends it with one message, bad configuration with status 2."""
    parser = argparse.ArgumentParser(prog="python -m infra", description=__doc__)
    parser.add_argument("--config", type=Path, default=ROOT / "quorumshift.toml")
    # The CDK's own command says by variable where it wants the assembly.
    parser.add_argument("--output", type=Path, default=os.environ.get("CDK_OUTDIR", "cdk.out"))
    parser.add_argument(
        "--overrides", type=json.loads, default={}, help='JSON: {"service.desired_count": 5}'
    )
    parser.add_argument(
        "--libraries",
        type=_folder,
        help="a folder with python/ in it, to take instead of what uv.lock says",
    )
    options = parser.parse_args(arguments)
    try:
        configuration = load(options.config, options.overrides)
    except InvalidConfiguration as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    try:
        synthesize(configuration, Path(options.output), layer=options.libraries)
    except libraries.CannotBuild as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None


def _folder(text: str) -> Path:
    folder = Path(text)
    if not (folder / "python").is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {folder / 'python'}")
    return folder
