"""The changes that are tried: each is one that a slip of a programmer makes as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """``slot`` of ``parent`` (at ``index``, if it is a list) becomes ``new``."""

    parent: ast.AST
    slot: str
    index: int | None
    new: Any
    says: str

    def swap(self, new: Any) -> Any:
        """Puts ``new`` there, and returns what was."""
        if self.index is None:
            old = getattr(self.parent, self.slot)
            setattr(self.parent, self.slot, new)
            return old
        place = getattr(self.parent, self.slot)
        old, place[self.index] = place[self.index], new
        return old


COMPARED: dict[type[ast.cmpop], tuple[str, ast.cmpop, str]] = {
    ast.Lt: ("<", ast.LtE(), "<="),
    ast.LtE: ("<=", ast.Lt(), "<"),
    ast.Gt: (">", ast.GtE(), ">="),
    ast.GtE: (">=", ast.Gt(), ">"),
    ast.Eq: ("==", ast.NotEq(), "!="),
    ast.NotEq: ("!=", ast.Eq(), "=="),
    ast.Is: ("is", ast.IsNot(), "is not"),
    ast.IsNot: ("is not", ast.Is(), "is"),
    ast.In: ("in", ast.NotIn(), "not in"),
    ast.NotIn: ("not in", ast.In(), "in"),
}
COMPUTED: dict[type[ast.operator], tuple[str, ast.operator, str]] = {
    ast.Add: ("+", ast.Sub(), "-"),
    ast.Sub: ("-", ast.Add(), "+"),
    ast.Mult: ("*", ast.Div(), "/"),
    ast.Div: ("/", ast.Mult(), "*"),
    ast.FloorDiv: ("//", ast.Mult(), "*"),
    ast.Mod: ("%", ast.Mult(), "*"),
    ast.BitOr: ("|", ast.BitAnd(), "&"),
    ast.BitAnd: ("&", ast.BitOr(), "|"),
}
CALLED = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "startswith": "endswith",
    "endswith": "startswith",
}
NEGATED_ALREADY = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)


def changes_of(node: ast.AST, parent: ast.AST, slot: str, index: int | None) -> Iterator[Change]:
    """Every change at this node; none that Python would not compile."""

    def instead(new: ast.AST, says: str) -> Change:
        if isinstance(node, ast.expr | ast.stmt):
            new = ast.fix_missing_locations(ast.copy_location(new, node))
        return Change(parent, slot, index, new, says)

    if slot == "test" or (slot == "ifs" and isinstance(node, ast.expr)):
        yield from _condition(node, instead)
    if isinstance(node, ast.Constant):
        yield from _constant(node, instead)
    elif isinstance(node, ast.cmpop):
        old, operator, new = COMPARED[type(node)]
        yield Change(parent, slot, index, operator, f"{old} → {new}")
    elif isinstance(node, ast.BoolOp):
        for each in node.values:
            left = [value for value in node.values if value is not each]
            rest = left[0] if len(left) == 1 else instead(ast.BoolOp(node.op, left), "").new
            yield Change(parent, slot, index, rest, f"without {_text(each)}")
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in COMPUTED:
        old, arithmetic, new = COMPUTED[type(node.op)]
        yield Change(node, "op", None, arithmetic, f"{old} → {new}")
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield Change(parent, slot, index, node.operand, f"{_text(node)} → {_text(node.operand)}")
    elif isinstance(node, ast.Call):
        yield from _call(node, instead)
    elif isinstance(node, ast.ExceptHandler) and node.type is not None:
        yield from _handler(node)
    elif isinstance(node, ast.stmt):
        yield from _statement(node, instead)


def _condition(node: ast.AST, instead: Any) -> Iterator[Change]:
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], NEGATED_ALREADY):
        return
    if isinstance(node, ast.expr) and not isinstance(node, ast.UnaryOp):
        yield instead(ast.UnaryOp(ast.Not(), node), f"not ({_text(node)})")


def _constant(node: ast.Constant, instead: Any) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield instead(ast.Constant(not value), f"{value} → {not value}")
    elif isinstance(value, int | float):
        yield instead(ast.Constant(value + 1), f"{value} → {value + 1}")
    elif isinstance(value, str) and not is_prose(value):
        yield instead(ast.Constant("XX" + value), f"{value!r} → {'XX' + value!r}")


def is_prose(text: str) -> bool:
    """Words for people have a space; keys, names and codes have none."""
    return any(each.isspace() for each in text)


def _call(node: ast.Call, instead: Any) -> Iterator[Change]:
    for keyword in node.keywords:
        if keyword.arg is not None:
            left = [each for each in node.keywords if each is not keyword]
            yield Change(node, "keywords", None, left, f"without {keyword.arg}=")
    function = node.func
    if isinstance(function, ast.Name) and function.id in CALLED:
        new = CALLED[function.id]
        yield Change(function, "id", None, new, f"{function.id} → {new}")
    elif isinstance(function, ast.Name) and function.id == "sorted":
        listed = ast.Call(ast.Name("list", ast.Load()), node.args[:1], [])
        yield instead(listed, "sorted → list")
    elif isinstance(function, ast.Attribute) and function.attr in CALLED:
        new = CALLED[function.attr]
        yield Change(function, "attr", None, new, f"{function.attr} → {new}")


def _handler(node: ast.ExceptHandler) -> Iterator[Change]:
    assert node.type is not None
    if isinstance(node.type, ast.Tuple):
        for each in node.type.elts:
            left = [other for other in node.type.elts if other is not each]
            yield Change(node.type, "elts", None, left, f"does not catch {_text(each)}")
        return
    nothing = ast.fix_missing_locations(ast.copy_location(ast.Tuple([], ast.Load()), node.type))
    yield Change(node, "type", None, nothing, f"does not catch {_text(node.type)}")


def _statement(node: ast.stmt, instead: Any) -> Iterator[Change]:
    if isinstance(node, ast.Raise) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await)
    ):
        yield instead(ast.Pass(), "removed")
    elif isinstance(node, ast.Continue):
        yield instead(ast.Break(), "continue → break")
    elif isinstance(node, ast.Break):
        yield instead(ast.Continue(), "break → continue")
    elif isinstance(node, ast.Return) and not isinstance(node.value, ast.Constant | None):
        yield instead(ast.Return(ast.Constant(None)), "returns None")


def _text(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else text[:57] + "..."
