"""What differs between two revisions of a task definition, for a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_HIDDEN = ("environment",)
"""Whose values are not shown: people put secrets there, though they should not."""
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Change:
    """``what``: where, in dots, a container by its name. ``before``, ``after``: as text; ``None``
    where there is nothing; ``…`` for a value that is not shown."""

    what: str
    before: str | None
    after: str | None


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """All differences, in the order of their places. Both are what RegisterTaskDefinition takes."""
    return tuple(_differences("", before, after))


def _differences(where: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    one, other = _named(before), _named(after)
    if isinstance(before, list) or isinstance(after, list):  # one that is missing is empty
        one, other = (
            _named([] if before is _MISSING else before),
            _named([] if after is _MISSING else after),
        )
    if one is None or other is None:
        hidden = any(part in _HIDDEN for part in where.split("."))
        yield Change(where, _text(before, hidden), _text(after, hidden))
        return
    for key in sorted({*one, *other}):
        place = f"{where}.{key}".removeprefix(".").removeprefix("containerDefinitions.")
        yield from _differences(place, one.get(key, _MISSING), other.get(key, _MISSING))


def _named(value: Any) -> dict[str, Any] | None:
    """A table, or a list whose members have names, by these names; ``None``: neither."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list) and all(isinstance(one, Mapping) and "name" in one for one in value):
        return {str(one["name"]): _member(one) for one in value}
    return None


def _member(one: Mapping[str, Any]) -> Any:
    rest = {key: item for key, item in one.items() if key != "name"}
    return next(iter(rest.values())) if len(rest) == 1 else rest


def _text(value: Any, hidden: bool) -> str | None:
    if value is _MISSING or value in ([], {}):
        return None
    if hidden:
        return "…"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
