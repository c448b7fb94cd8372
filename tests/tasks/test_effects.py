"""What a task changes is all in the table, and a task that leaves one of it out is found.

The second half is a mutation test: each statement of a task that does nothing but call somebody is
taken out, and one row of the table must notice.
"""

from __future__ import annotations

import ast
import importlib
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import tasks
from quorumshift.domain.errors import QuorumshiftError
from tests.tasks.aws import MemoryAws
from tests.tasks.conftest import in_memory
from tests.tasks.scenarios import EFFECTS, Handler, effects

FOLDER = Path(tasks.__file__).parent
ELSEWHERE = ("slack", "after_allow_test_traffic", "keep")
"""Held against a server that takes webhooks (test_slack.py), one that is green (test_hooks.py), and
a service over hours (tests/workflows/test_kept.py)."""


def changed(
    handler: Handler, name: str, aws: MemoryAws, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """What the scenario ``name`` changes when ``handler`` gets its event."""
    event = EFFECTS[name][1](aws)
    before = {service: len(api.calls) for service, api in aws.apis.items()}
    capsys.readouterr()
    raised = []
    try:
        handler(event, None)
    except QuorumshiftError as error:
        raised = [f"raises {type(error).__name__}"]
    return effects(aws, before, capsys.readouterr().out) + raised


@pytest.mark.parametrize("name", EFFECTS)
def test_a_task_changes_what_the_table_says(
    aws: MemoryAws, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    task, _, expected = EFFECTS[name]
    handler = importlib.import_module(f"tasks.{task}").handler
    assert changed(handler, name, aws, capsys) == expected


def test_every_task_is_in_the_table() -> None:
    there = {path.stem for path in FOLDER.rglob("*.py")} - {"wiring", "__init__", *ELSEWHERE}
    assert {task.rpartition(".")[2] for task, _, _ in EFFECTS.values()} == there


def calls() -> Iterator[tuple[str, int]]:
    """Task and line of each statement that is a call and nothing else."""
    for path in sorted(FOLDER.rglob("*.py")):
        task = ".".join(path.relative_to(FOLDER).with_suffix("").parts)
        if path.stem in ("wiring", "__init__", *ELSEWHERE):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                yield task, node.lineno


class Without(ast.NodeTransformer):
    """Takes out the statement at ``line``."""

    def __init__(self, line: int) -> None:
        self.line = line

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node) if node.lineno == self.line else node


def mutant(task: str, line: int) -> Handler:
    """The handler of ``task`` without the statement at ``line``."""
    path = FOLDER.joinpath(*task.split(".")).with_suffix(".py")
    tree = Without(line).visit(ast.parse(path.read_text(encoding="utf-8")))
    module = types.ModuleType(f"tasks.{task}")
    exec(compile(tree, str(path), "exec"), module.__dict__)
    handler: Handler = module.__dict__["handler"]
    return handler


SITES = list(calls())


@pytest.mark.parametrize(("task", "line"), SITES, ids=[f"{task}:{line}" for task, line in SITES])
def test_a_task_that_leaves_a_call_out_is_found(
    task: str,
    line: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    handler = mutant(task, line)
    for name, (of, _, expected) in EFFECTS.items():
        if of == task and changed(handler, name, in_memory(monkeypatch), capsys) != expected:
            return
    pytest.fail(f"nothing notices that tasks/{task.replace('.', '/')}.py lacks line {line}")
