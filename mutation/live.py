"""Makes a change in a process that has imported the module already, or is about to."""

from __future__ import annotations

import ast
import functools
import gc
import importlib.machinery
from collections import defaultdict
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from mutation.sites import Mutant

_Key = tuple[str, int]
Functions = dict[_Key, list[FunctionType]]


def functions_by_file(root: Path) -> dict[str, Functions]:
    """Every function that lives, by the file that it is from, its name and its line."""
    found: dict[str, Functions] = defaultdict(lambda: defaultdict(list))
    for each in gc.get_objects():
        if isinstance(each, FunctionType):
            code = each.__code__
            if code.co_filename.startswith(str(root)):
                found[code.co_filename][code.co_qualname, code.co_firstlineno].append(each)
    return found


def compiled(tree: ast.Module, mutant: Mutant, file: str) -> CodeType:
    """The whole module with the change in it; the tree is afterwards as before."""
    old = mutant.change.swap(mutant.change.new)
    try:
        return compile(tree, file, "exec", dont_inherit=True)
    finally:
        mutant.change.swap(old)


def change_functions(code: CodeType, functions: Functions) -> bool:
    """Gives every function of the module that lives its changed body. ``False``: none changed."""
    changed = False
    for inner in _inner(code):
        for function in functions.get((inner.co_qualname, inner.co_firstlineno), ()):
            if function.__code__ != inner:
                function.__code__ = inner
                changed = True
    return changed


def caches() -> list[functools._lru_cache_wrapper[object]]:
    """Those of every function that lives: what stands in them was computed without the change."""
    return [each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper)]


def import_changed(code: CodeType, file: str) -> None:
    """Whoever imports the module from now on gets the changed one."""
    original = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: Any, fullname: str) -> CodeType | None:
        return code if self.path == file else original(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def _inner(code: CodeType) -> list[CodeType]:
    found = []
    for each in code.co_consts:
        if isinstance(each, CodeType):
            found += [each, *_inner(each)]
    return found
