"""What is mutated, and which tests have to notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "mutants"
SURVIVORS = ROOT / "mutation" / "survivors.toml"

MUTATED = ("quorumshift/domain", "quorumshift/usecases", "tasks")
PRODUCT = ("quorumshift", "tasks", "workflows")


@dataclass(frozen=True)
class _Tests:
    taken: tuple[str, ...]
    left_out: tuple[str, ...]
    of_all: tuple[str, ...]


TESTS = _Tests(
    taken=(
        "tests/domain",
        "tests/usecases",
        "tests/tasks",
        "tests/report",
        "tests/workflows",
    ),
    # Minutes of processor time.
    left_out=("tests/domain/test_model_check.py",),
    # They look at every module, at what it makes while it is imported.
    of_all=("tests/domain/test_conventions.py",),
)
