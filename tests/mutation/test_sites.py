"""Which changes are tried, what they are called, and that a changed module behaves so."""

from __future__ import annotations

from types import CodeType
from typing import Any

import pytest

from mutation.live import change_functions, compiled
from mutation.sites import Mutant, mutants


def named(source: str) -> list[str]:
    return [mutant.id for mutant in mutants("m.py", source)[1]]


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ("return a < 3", ["returns None", "< → <=", "3 → 4"]),
        ("return a == b", ["returns None", "== → !="]),
        ("return a and b", ["returns None", "without a", "without b"]),
        ("return not a", ["returns None", "not a → a"]),
        ("return True", ["True → False"]),
        ("tell(a, why=b)", ["removed", "without why="]),
        ("raise a", ["removed"]),
        ("return min(a, b)", ["returns None", "min → max"]),
        ("return sorted(a)", ["returns None", "sorted → list"]),
        ("return [c for c in a if c]", ["returns None", "not (c)"]),
        ("return 'key'", ["'key' → 'XXkey'"]),
        ("return 'words for people'", []),
        ("return f'{a} for people'", []),
        ("return f'{a}-key'", ["returns None", "'-key' → 'XX-key'"]),
        ("print(a, 'key')", []),
    ],
)
def test_what_is_changed(line: str, changes: list[str]) -> None:
    found = [label.removeprefix(f"f: {line}: ") for label in named(f"def f(a, b):\n    {line}\n")]
    assert [each for each in found if each not in ("returns None",) or each in changes] == changes


def test_handlers_are_left_out_one_by_one() -> None:
    source = "def f(a):\n    try:\n        a()\n    except (KeyError, ValueError):\n        raise\n"
    caught = [label for label in named(source) if "catch" in label]
    assert [label.split(": ")[-1] for label in caught] == [
        "does not catch KeyError",
        "does not catch ValueError",
    ]


def test_names_last_while_something_else_changes() -> None:
    source = "def f(a):\n    return a < 3\n"
    assert set(named(source)) < set(
        named(f"LIMIT = 3\n\n\ndef g(a):\n    return not a\n\n\n{source}")
    )


def test_the_same_change_twice_in_a_function_is_numbered() -> None:
    twice = named("def f(a):\n    if a:\n        return True\n    return True\n")
    assert "f: return True: True → False" in twice
    assert "f: return True: True → False #2" in twice


def _functions(code: CodeType) -> tuple[dict[str, Any], dict[tuple[str, int], list[Any]]]:
    module: dict[str, Any] = {}
    exec(code, module)
    function = module["f"]
    inner = function.__code__
    return module, {(inner.co_qualname, inner.co_firstlineno): [function]}


def test_a_function_that_lives_behaves_as_changed_and_the_tree_is_as_before() -> None:
    source = "def f(a):\n    return [each for each in a if each < 3]\n"
    tree, found = mutants("m.py", source)
    module, functions = _functions(compile(source, "m.py", "exec"))
    (lower,) = [mutant for mutant in found if mutant.id.endswith("< → <=")]
    assert change_functions(compiled(tree, lower, "m.py"), functions)
    assert module["f"]([2, 3, 4]) == [2, 3]
    assert not change_functions(compiled(tree, lower, "m.py"), functions), "it is so already"
    assert change_functions(compile(tree, "m.py", "exec"), functions)
    assert module["f"]([2, 3, 4]) == [2]


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("CODE = 'code'", 1),
        ("PAUSE = 3", 0),
        ("DAY = 24 * 3600.0", 0),
        ("PAUSES = (1, 10)", 0),
        ("FIRST = 0", 1),
        ("ALWAYS = True", 1),
    ],
)
def test_a_module_has_codes_and_named_numbers(line: str, lines: int) -> None:
    found = mutants("m.py", line + "\n")[1]
    assert len(found) == lines
    assert all(mutant.at_import for mutant in found)


def test_every_mutant_of_the_product_compiles() -> None:
    from mutation.places import ROOT

    path = "quorumshift/domain/undo.py"
    tree, found = mutants(path, (ROOT / path).read_text())
    assert len({mutant.id for mutant in found}) == len(found) > 50
    for mutant in found:
        assert isinstance(compiled(tree, mutant, path), CodeType)
        assert isinstance(mutant, Mutant)
