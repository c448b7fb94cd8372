"""The app of ``cdk.json``: reads ``quorumshift.toml`` and writes the cloud assembly."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from aws_cdk import App

from infra.packaging import stage
from infra.stack import ServiceStack
from quorumshift.config import Configuration, load
from quorumshift.domain.errors import InvalidConfiguration

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = ROOT / "workflows" / "golden"


def synthesize(configuration: Configuration, output: Path, workflows: Path = WORKFLOWS) -> Path:
    """Write the cloud assembly to ``output`` and return that folder."""
    with tempfile.TemporaryDirectory(prefix="quorumshift-code-") as folder:
        app = App(outdir=str(output), analytics_reporting=False)
        ServiceStack(
            app,
            configuration.service.name,
            configuration=configuration,
            code=stage(ROOT, Path(folder) / "code"),
            workflows=workflows,
        )
        app.synth()
    return output


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; bad configuration ends it with exit status 2 and one message."""
    parser = argparse.ArgumentParser(prog="python -m infra", description=__doc__)
    parser.add_argument("--config", type=Path, default=ROOT / "quorumshift.toml")
    # The CDK's own command says by variable where it wants the assembly.
    parser.add_argument("--output", type=Path, default=os.environ.get("CDK_OUTDIR", "cdk.out"))
    parser.add_argument(
        "--overrides", type=json.loads, default={}, help='JSON: {"service.desired_count": 5}'
    )
    options = parser.parse_args(arguments)
    try:
        configuration = load(options.config, options.overrides)
    except InvalidConfiguration as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    synthesize(configuration, Path(options.output))
