"""The app of ``cdk.json``: from descriptions of services to the cloud assembly."""

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
from infra.sources import Sources
from infra.stacks import add_stacks
from infra.together import check_together
from quorumshift.config import Configuration, load
from quorumshift.domain.errors import InvalidConfiguration

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = ROOT / "workflows" / "golden"


def synthesize(
    configurations: Sequence[Configuration],
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
        packages = Packages(Path(folder), layer)
        app = App(outdir=str(output), analytics_reporting=False)
        prepare(app)
        for configuration in configurations:
            code = packages.code(configuration)
            add_stacks(app, configuration, Sources(code, workflows, packages.layer(configuration)))
        app.synth()
    return output


class Packages:
    """What goes to Lambda, made once for all services that need the same. ``given``: what to take
    for the layer."""

    def __init__(self, folder: Path, given: Path | None = None) -> None:
        self._folder, self._given = folder, given
        self._code: dict[str, Path] = {}
        self._layers: dict[str, Path] = {}

    def code(self, configuration: Configuration) -> Path:
        """The folder of the functions' packages."""
        certificates = configuration.database.certificates
        if certificates not in self._code:
            target = self._folder / f"code-{len(self._code)}"
            packaging.package(ROOT, target, certificates)
            self._code[certificates] = target
        return self._code[certificates]

    def layer(self, configuration: Configuration) -> Path | None:
        """The layer's zip file, for a service that needs one. Raises ``CannotBuild``."""
        if not libraries.needs_libraries(configuration):
            return None
        architecture = configuration.functions.architecture
        if architecture not in self._layers:
            folder = self._given
            if folder is None:
                folder = libraries.build(ROOT, self._folder / architecture, architecture)
            target = self._folder / f"libraries-{architecture}.zip"
            self._layers[architecture] = packaging.zip_folder(folder, target)
        return self._layers[architecture]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; what is wrong ends it with one message, bad configuration with status 2."""
    parser = argparse.ArgumentParser(prog="python -m infra", description=__doc__)
    parser.add_argument(
        "--config",
        type=Path,
        action="append",
        metavar="FILE",
        help="a service's description; several may be given (default quorumshift.toml)",
    )
    # The CDK's own command says by variable where it wants the assembly.
    parser.add_argument("--output", type=Path, default=os.environ.get("CDK_OUTDIR", "cdk.out"))
    parser.add_argument(
        "--overrides",
        type=json.loads,
        default={},
        help='JSON, for every description: {"service.desired_count": 5}',
    )
    parser.add_argument(
        "--libraries",
        type=_folder,
        help="a folder with python/ in it, to take instead of what uv.lock says",
    )
    options = parser.parse_args(arguments)
    files = options.config or [ROOT / "quorumshift.toml"]
    try:
        described = [(file, load(file, options.overrides)) for file in files]
        check_together(described)
    except InvalidConfiguration as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    try:
        configurations = [configuration for _, configuration in described]
        synthesize(configurations, Path(options.output), layer=options.libraries)
    except libraries.CannotBuild as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None


def _folder(text: str) -> Path:
    folder = Path(text)
    if not (folder / "python").is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {folder / 'python'}")
    return folder
