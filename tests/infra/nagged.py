"""Synthesize services with cdk-nag's AwsSolutions and print what it finds, as JSON.

Arguments: a folder to write to, and the services as JSON, ``[[file, overrides]]``. Beside them
stands a stack that must be found fault with, so that a check that sleeps is not taken for one that
finds nothing. A process of its own: whoever imports the CDK starts Node.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from infra.runtime import use_bundled_node

use_bundled_node()

from aws_cdk import App, Stack, Validations  # noqa: E402 # importing the CDK starts Node
from aws_cdk import aws_s3 as s3  # noqa: E402 # as above
from cdk_nag import AwsSolutionsChecks  # noqa: E402 # as above

from infra.app import synthesize  # noqa: E402 # as above
from quorumshift.config import load  # noqa: E402 # as above

FAULTY = "faulty"


def _prepare(app: App) -> None:
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    s3.CfnBucket(Stack(app, FAULTY), "Open")


def findings(report: Path) -> list[str]:
    """Construct and rule of each violation in a validation report."""
    document = json.loads(report.read_text(encoding="utf-8"))
    return sorted(
        f"{construct['constructPath']} {violation['ruleName']}"
        for plugin in document["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    )


def main(folder: Path, described: list[tuple[str, dict[str, Any]]]) -> None:
    """Print the findings, and which stacks were looked at."""
    (layer := folder / "layer" / "python").mkdir(parents=True)
    (layer / "README").write_text("Stands for the layer.\n")
    output = folder / "assembly"
    configurations = [load(file, overrides) for file, overrides in described]
    try:
        synthesize(configurations, output, layer=layer.parent, prepare=_prepare)
    except RuntimeError as error:  # how jsii says that a validation failed
        if not str(error).startswith("ValidationFailed"):
            raise
    found = findings(output / "validation-report.json")
    awake = [each for each in found if each.startswith(f"{FAULTY}/")]
    looked_at = sorted(path.name for path in output.glob("*.template.json"))
    rest = [each for each in found if each not in awake]
    print(json.dumps({"awake": awake, "found": rest, "looked at": looked_at}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
