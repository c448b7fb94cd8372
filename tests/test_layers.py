"""Imports point one way: tasks → adapters → domain; and each heavy library has one home."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

MAY_IMPORT = {
    "quorumshift.domain": ("quorumshift.domain",),
    "quorumshift.ports": ("quorumshift.domain",),
    "quorumshift.settings": ("quorumshift.domain",),
    "quorumshift.adapters": (
        "quorumshift.domain",
        "quorumshift.ports",
        "quorumshift.settings",
        "quorumshift.names",
        "quorumshift.adapters",
    ),
    "quorumshift.usecases": (
        "quorumshift.domain",
        "quorumshift.ports",
        "quorumshift.usecases",
    ),
    "tasks": (
        "quorumshift.domain",
        "quorumshift.usecases",
        "quorumshift.ports",
        "quorumshift.settings",
        "quorumshift.names",
        "quorumshift.adapters",
        "tasks",
    ),
    "workflows": ("workflows", "quorumshift.names"),
    "infra": (
        "infra",
        "quorumshift.config",
        "quorumshift.settings",
        "quorumshift.names",
        "quorumshift.domain",
    ),
    "quorumshift.rehearsal": (
        "quorumshift.domain",
        "quorumshift.ports",
        "quorumshift.settings",
        "quorumshift.names",
        "quorumshift.config",
        "quorumshift.adapters",
        "quorumshift.rehearsal",
    ),
    "quorumshift.report": (
        "quorumshift.domain",
        "quorumshift.names",
        "quorumshift.rehearsal",
        "quorumshift.report",
    ),
}
"""What each part may import of ours. The command line may import anything."""

HOMES = {
    "stepfunctions": ("workflows",),
    "aws_cdk": ("infra",),
    "boto3": (),
    "botocore": ("quorumshift.adapters", "tasks.wiring", "quorumshift.rehearsal"),
    "moto": ("quorumshift.rehearsal",),
    "aiohttp": ("quorumshift.rehearsal",),
    "grpclib": ("quorumshift.adapters.raft.snaketron", "quorumshift.rehearsal.snaketron"),
    "google": ("quorumshift.adapters.raft.snaketron", "quorumshift.rehearsal.snaketron"),
    "pg8000": ("quorumshift.adapters.discovery", "quorumshift.rehearsal"),
    "rich": ("quorumshift.report",),
}
"""Where each library of others may be imported."""


def modules() -> Iterator[tuple[str, Path]]:
    for top in ("quorumshift", "tasks", "workflows", "infra"):
        for path in (ROOT / top).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, part: str) -> bool:
    return name == part or name.startswith(part + ".")


ALL = sorted(modules())


@pytest.mark.parametrize(("name", "path"), ALL, ids=[name for name, _ in ALL])
def test_imports_point_one_way(name: str, path: Path) -> None:
    part = next((part for part in MAY_IMPORT if within(name, part)), None)
    for found in imports(path):
        if part is not None and found.split(".")[0] in ("quorumshift", "tasks", "workflows"):
            allowed = any(within(found, other) for other in MAY_IMPORT[part])
            assert allowed, f"{name} imports {found}"
        home = HOMES.get(found.split(".")[0])
        if home is not None:
            assert any(within(name, other) for other in home), f"{name} imports {found}"


def test_the_domain_needs_the_standard_library_alone() -> None:
    for name, path in ALL:
        if within(name, "quorumshift.domain"):
            for found in imports(path):
                top = found.split(".")[0]
                assert top == "quorumshift" or top in sys.stdlib_module_names, f"{name}: {found}"
