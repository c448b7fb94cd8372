"""What the functions and the state machines are made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sources:
    """``code``: the folder of the functions' packages. ``workflows``: the rendered definitions.
    ``libraries``: the zip file that goes to Lambda as a layer, if there is one."""

    code: Path
    workflows: Path
    libraries: Path | None = None
