"""What can be changed in a module, one small change at a time (docs/decisions/0029)."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mutation.operators import Change, changes_of

UNTOUCHED = ("annotation", "returns", "decorator_list", "bases")
"""Fields of a node that decide nothing while the program runs."""


@dataclass(frozen=True)
class Mutant:
    """One change of one module. ``id`` stays while the statement and its function stay.

    ``lines``: of the statement, first and last; ``at_import``: the module is imported anew for it,
    mostly because it acts then; ``names``: what a statement that acts at import defines.
    """

    path: str
    id: str
    lines: tuple[int, int]
    at_import: bool
    names: tuple[str, ...]
    change: Change = field(compare=False, repr=False)


def mutants(path: str, source: str) -> tuple[ast.Module, list[Mutant]]:
    """The tree of a module, and its mutants; a change is made in this very tree."""
    tree = ast.parse(source)
    text = source.splitlines()
    seen: Counter[str] = Counter()
    found = []
    for site in _walk(tree, _Place("", None, False, ())):
        for change in changes_of(site.node, site.parent, site.slot, site.index):
            statement = site.place.statement
            assert isinstance(statement, ast.stmt)
            line = text[statement.lineno - 1].strip()
            label = f"{site.place.name or '<module>'}: {line}: {change.says}"
            seen[label] += 1
            number = f" #{seen[label]}" if seen[label] > 1 else ""
            found.append(
                Mutant(
                    path,
                    label + number,
                    (statement.lineno, _last_line(statement)),
                    not site.place.in_function or _says_super(statement),
                    site.place.defines,
                    change,
                )
            )
    return tree, found


def _says_super(statement: ast.stmt) -> bool:
    """Such a body has a cell for its class, and one without it cannot take its place."""
    return any(isinstance(each, ast.Name) and each.id == "super" for each in ast.walk(statement))


@dataclass(frozen=True)
class _Place:
    name: str
    statement: ast.stmt | None
    in_function: bool
    defines: tuple[str, ...]


@dataclass(frozen=True)
class _Site:
    node: ast.AST
    parent: ast.AST
    slot: str
    index: int | None
    place: _Place


def _walk(parent: ast.AST, place: _Place) -> Iterator[_Site]:
    for slot, value in ast.iter_fields(parent):
        if slot in UNTOUCHED or (slot == "keywords" and isinstance(parent, ast.ClassDef)):
            continue
        many = isinstance(value, list)
        for index, node in enumerate(value if many else [value]):
            if not isinstance(node, ast.AST) or _left_out(node, parent, index, slot):
                continue
            here = _place(node, parent, slot, place)
            if here.statement is not None:
                yield _Site(node, parent, slot, index if many else None, here)
            yield from _walk(node, here)


def _place(node: ast.AST, parent: ast.AST, slot: str, place: _Place) -> _Place:
    if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and slot == "body":
        place = _Place(place.name, place.statement, True, ())
    if not isinstance(node, ast.stmt):
        return place
    name, defines = place.name, place.defines
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        name = f"{name}.{node.name}" if name else node.name
        defines = (node.name,)
    elif isinstance(node, ast.Assign | ast.AnnAssign) and not place.in_function:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        defines = tuple(each.id for each in targets if isinstance(each, ast.Name)) or defines
    return _Place(name, node, place.in_function, defines)


def _left_out(node: ast.AST, parent: ast.AST, index: int, slot: str) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # a docstring, or an ellipsis
    if isinstance(node, ast.Expr) and _called(node.value) == "print":
        return True  # a log line: prose
    if isinstance(node, ast.JoinedStr):
        return _is_message(node)
    if isinstance(parent, ast.Module | ast.ClassDef) and _is_named_number(node):
        return True
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
        return node.test.id == "TYPE_CHECKING"
    if isinstance(parent, ast.Subscript) and slot == "slice":
        return isinstance(parent.value, ast.Name) and parent.value.id == "Literal"
    return _called(node) in ("cast", "TypeVar")


def _is_named_number(node: ast.AST) -> bool:
    """A choice of somebody's: a test that repeats it would tell nothing. Nought is no choice."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return False
    parts = [each for each in ast.walk(node.value) if isinstance(each, ast.expr)]
    numbers = [each.value for each in parts if isinstance(each, ast.Constant)]
    return all(
        isinstance(each, ast.Constant | ast.BinOp | ast.UnaryOp | ast.Tuple) for each in parts
    ) and all(_is_number(each) and each for each in numbers)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_message(node: ast.JoinedStr) -> bool:
    """A formatted text with a space in it is for people; one without is a name or an address."""
    said = (each.value for each in node.values if isinstance(each, ast.Constant))
    return any(" " in str(each) for each in said)


def _called(node: ast.AST) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id
    return ""


def _last_line(statement: ast.stmt) -> int:
    """Of its own lines: those of a block inside it are of other statements."""
    inner: Any = getattr(statement, "body", None)
    if isinstance(inner, list) and inner and isinstance(inner[0], ast.stmt):
        return max(statement.lineno, inner[0].lineno - 1)
    return statement.end_lineno or statement.lineno
