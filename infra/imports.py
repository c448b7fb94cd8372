"""What a function imports, read from its source: which of our files, and whose libraries.

Imports inside functions count as well, for nobody knows when they run. In ``tasks.wiring`` they
count where the handler can get to them: a function or method of it is within reach when its name
is written anywhere in the handler's own files, or in what is within reach itself. That is more than
what is called, never less, as long as nothing there is looked up by a name made at run time.
"""

from __future__ import annotations

import ast
import functools
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

WIRING = "tasks.wiring"
_OURS = ("quorumshift", "tasks")
_ONE_AT_A_TIME = threading.Lock()
"""Up to Python 3.12 two threads that parse at once disturb each other's count of depth."""


@dataclass(frozen=True, slots=True)
class Closure:
    """``files``: relative to the checkout. ``libraries``: top-level names of what is neither ours
    nor Python's own. ``parts``: the functions of ``tasks.wiring`` within reach."""

    files: frozenset[Path]
    libraries: frozenset[str]
    parts: frozenset[str]


def closure(root: Path, module: str) -> Closure:
    """All that ``module`` of the checkout ``root`` may import."""
    walk = _Walk(root)
    walk.add(module)
    return walk.result()


@dataclass(slots=True)
class _Walk:
    root: Path
    seen: dict[str, Path] = field(default_factory=dict)
    libraries: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)

    def result(self) -> Closure:
        if WIRING in self.seen:
            self._wire(_read(self.root / self.seen[WIRING]))
        return Closure(
            frozenset(self.seen.values()), frozenset(self.libraries), frozenset(self.parts)
        )

    def add(self, module: str) -> None:
        """A module with the packages around it, and what it imports; what is no module, not."""
        top = module.partition(".")[0]
        if top not in _OURS:
            if top not in sys.stdlib_module_names:
                self.libraries.add(top)
            return
        file = None if module in self.seen else _file(self.root, module)
        if file is None:
            return
        self.seen[module] = file
        if parent := module.rpartition(".")[0]:
            self.add(parent)
        source = _read(self.root / file)
        self._take(source.outside)
        if module != WIRING:
            for text in source.functions.values():
                self._take(text)
        if top != "tasks":
            return
        self.named |= source.outside.names
        if module != WIRING:
            self.named.update(*(text.names for text in source.functions.values()))

    def _take(self, text: _Text) -> None:
        for name in text.imports:
            self.add(name)

    def _wire(self, wiring: _Source) -> None:
        """Follow names into the wiring until no more of it comes within reach."""
        self.named.add("__init__")
        while within := (wiring.functions.keys() & self.named) - self.parts:
            self.parts |= within
            for name in within:
                self.named |= wiring.functions[name].names
                self._take(wiring.functions[name])


@dataclass(frozen=True, slots=True)
class _Text:
    """What a piece of source imports, and the names in it."""

    imports: frozenset[str]
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Source:
    """``outside``: what runs at import. ``functions``: by name, methods as well."""

    outside: _Text
    functions: Mapping[str, _Text]


@functools.cache
def _read(path: Path) -> _Source:
    with _ONE_AT_A_TIME:
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    outside: list[ast.AST] = []
    functions: dict[str, list[ast.AST]] = {}
    _sort(tree, outside, functions)
    return _Source(_text(outside), {name: _text(nodes) for name, nodes in functions.items()})


def _sort(node: ast.AST, outside: list[ast.AST], functions: dict[str, list[ast.AST]]) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            functions.setdefault(child.name, []).extend(ast.walk(child))
        elif not _for_type_checkers(child):
            outside.append(child)
            _sort(child, outside, functions)


def _for_type_checkers(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def _text(nodes: Iterable[ast.AST]) -> _Text:
    nodes = list(nodes)
    return _Text(frozenset(_imported(nodes)), frozenset(_names(nodes)))


def _file(root: Path, module: str) -> Path | None:
    place = Path(*module.split("."))
    files = (place.with_suffix(".py"), place / "__init__.py")
    return next((file for file in files if (root / file).is_file()), None)


def _imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise ValueError(f"line {node.lineno}: imports are written in full here")
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _names(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Attribute):
            if not _is_settings(node.value):
                yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.alias):
            yield node.name.rpartition(".")[2]


def _is_settings(node: ast.AST) -> bool:
    """``settings`` and ``….settings``: what they have is no part of the wiring."""
    return (isinstance(node, ast.Name) and node.id == "settings") or (
        isinstance(node, ast.Attribute) and node.attr == "settings"
    )
