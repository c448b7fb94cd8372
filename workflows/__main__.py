"""Renders the state machines: ``python -m workflows`` writes the golden files,
``python -m workflows --check`` compares with them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from workflows.deploy import deploy
from workflows.hand_over import hand_over

GOLDEN = Path(__file__).parent / "golden"
MACHINES = {"deploy": deploy, "hand_over": hand_over}


def render(definition: dict[str, Any]) -> str:
    """The text of a golden file."""
    return json.dumps(definition, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """0: written, or the same; 1: a golden file differs."""
    parser = argparse.ArgumentParser(prog="python -m workflows", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args(arguments).check
    differ = []
    for name, make in MACHINES.items():
        file = GOLDEN / f"{name}.asl.json"
        text = render(make())
        if not check:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            differ.append(file.name)
    if differ:
        print(
            f"{', '.join(differ)} differ from workflows/*.py; run `make golden` and read the "
            "difference before it is committed",
            file=sys.stderr,
        )
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
